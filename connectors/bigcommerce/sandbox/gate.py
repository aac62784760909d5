"""What stands before the API: the token, the quota with its four headers, and the faults somebody asked for."""

import asyncio
import re
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.bigcommerce.sandbox.answers import v2_error, v3_error
from connectors.bigcommerce.sandbox.config import SandboxConfig

_ID = re.compile(r"/(\d+|[0-9a-f]{8}-[0-9a-f-]{27})(?=/|$)")


@dataclass(slots=True)
class Fault:
    """The next `times` requests whose path contains `path`, of one method or any, get `status` (200: only a delay).

    `headers` says whether the answer carries the rate headers; a 429 without them means an overloaded platform.
    """

    path: str = ""
    method: str = ""
    status: int = 500
    times: int = 1
    headers: bool = True
    delay_s: float = 0.0


class Gate:
    """ASGI middleware; paths under /_sandbox pass untouched."""

    def __init__(self, app: ASGIApp, config: SandboxConfig) -> None:
        self.app, self.config = app, config
        self.faults: list[Fault] = []
        self.requests: Counter[str] = Counter()
        self.quota = config.quota
        self._used = 0
        self._window_ends = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers itself, or lets the API answer and adds the rate headers."""
        path = str(scope.get("path", "")).removeprefix(scope.get("root_path", ""))
        if scope["type"] != "http" or not path.startswith("/stores/"):
            await self.app(scope, receive, send)
            return
        plain = path.removeprefix(f"/stores/{self.config.store_hash}")
        self.requests[f"{scope['method']} {_ID.sub('/{id}', plain)}"] += 1
        fault = self._fault(scope["method"], path)
        if fault and fault.delay_s:
            await asyncio.sleep(fault.delay_s)
        refused = self._refused(Request(scope), path, fault)
        numbers = self._numbers() if fault is None or fault.headers else {}

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(numbers)
            await send(message)

        await (refused or self.app)(scope, receive, counted)

    def break_(self, wanted: dict[str, Any]) -> None:
        """Adds a fault, or changes the quota."""
        if "quota" in wanted:
            self.quota = int(wanted.pop("quota"))
        if wanted:
            self.faults.append(Fault(**wanted))

    def _fault(self, method: str, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.path in path and fault.method in ("", method):
                fault.times -= 1
                self.faults = [left for left in self.faults if left.times > 0]
                return fault
        return None

    def _refused(self, request: Request, path: str, fault: Fault | None) -> Response | None:
        error = v2_error if "/v2/" in path else v3_error
        if fault and fault.status != 200:
            return error(fault.status)
        if request.headers.get("x-auth-token") != self.config.token:
            return v3_error(401)
        if not path.startswith(f"/stores/{self.config.store_hash}/"):
            return v3_error(404)
        now = time.monotonic()
        if now >= self._window_ends:
            self._used, self._window_ends = 0, now + self.config.window_ms / 1000
        self._used += 1
        return error(429) if self._used > self.quota else None

    def _numbers(self) -> dict[str, str]:
        left_ms = max(0, int((self._window_ends - time.monotonic()) * 1000))
        return {
            "x-rate-limit-time-window-ms": str(self.config.window_ms),
            "x-rate-limit-time-reset-ms": str(left_ms),
            "x-rate-limit-requests-quota": str(self.quota),
            "x-rate-limit-requests-left": str(max(0, self.quota - self._used)),
        }
