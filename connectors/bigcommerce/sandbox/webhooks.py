"""Sends webhooks the way BigCommerce does: signed, at least once, in no order, retried for two days, then switched off.

The signature is made by the Standard Webhooks library and not by the connector's code, so that each proves the other.
"""

import asyncio
import hashlib
import random
import time
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import orjson
from standardwebhooks import Webhook

from connectors.bigcommerce.sandbox.config import SandboxConfig
from connectors.http import Http, Limits, Wire
from streams.errors import Failure

RETRY_S = (60, 180, 300, 600, 900, 1800, 3600, 7200, 21600, 50400, 86400)
STORE_ID = "1001"

_TIMEOUT_S = 10
_WINDOW_S, _BLOCK_S, _BLOCK_MIN, _BLOCK_RATIO = 120, 180, 100, 0.9
_UNLIMITED = Limits(rate_per_s=10_000, timeout_s=_TIMEOUT_S, attempts=1, breaker_failures=1_000_000_000)

Hook = dict[str, Any]


@dataclass(slots=True)
class Counts:
    """`sent` counts deliveries, each of which is tried until it is acknowledged or failed."""

    sent: int = 0
    attempts: int = 0
    acknowledged: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it goes over the wire; `event_id` is equal for its duplicates."""

    event_id: str
    body: str


class Dispatcher:
    """Holds the hooks and delivers to them in tasks of the running loop."""

    def __init__(self, config: SandboxConfig) -> None:
        self.hooks: dict[int, Hook] = {}
        self.counts = Counts()
        self.blocked: dict[str, float] = {}
        self._config = config
        self._random = random.Random(config.seed)
        self._signer = Webhook(config.client_secret.encode())
        self._wire = config.wire
        self._http: Http | None = None
        self._slots = asyncio.Semaphore(32)
        self._tasks: set[asyncio.Task[None]] = set()
        self._results: dict[str, deque[tuple[float, bool]]] = defaultdict(deque)
        self._sequence = 0

    @property
    def pending(self) -> int:
        """Deliveries neither acknowledged nor given up."""
        return self.counts.sent - self.counts.acknowledged - self.counts.failed

    def emit(self, scope: str, data: Mapping[str, Any]) -> None:
        """Sends an event to every active hook that asked for its scope, in the spelling of that scope."""
        for hook in list(self.hooks.values()):
            if not hook["is_active"]:
                continue
            if _matches(hook["scope"], scope):
                self._send(hook, self._event(scope, data))
            elif channel := _channel_scope(hook["scope"], scope):
                self._send(hook, self._event(channel, _channel_data(data)))

    async def idle(self) -> None:
        """Returns once nothing is under way."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def aclose(self) -> None:
        """Gives up whatever is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._wire is not None and self._config.wire is None:
            await self._wire.aclose()

    def _event(self, scope: str, data: Mapping[str, Any]) -> Event:
        self._sequence += 1
        created_at = int(time.time())
        digest = hashlib.sha1(f"{scope} {created_at} {self._sequence}".encode(), usedforsecurity=False).hexdigest()
        envelope = {"scope": scope, "store_id": STORE_ID, "data": data, "hash": digest, "created_at": created_at}
        envelope["producer"] = f"stores/{self._config.store_hash}"
        return Event(digest, orjson.dumps(envelope).decode())

    def _send(self, hook: Hook, event: Event) -> None:
        # Drawn here and not in the tasks, so that a seed gives the same fate whatever the loop does.
        copies = 2 if self._random.random() < self._config.duplicate_rate else 1
        for _ in range(copies):
            late = self._random.random() < self._config.shuffle
            delay = self._random.uniform(0, self._config.shuffle_s) if late else 0.0
            self.counts.sent += 1
            task = asyncio.get_running_loop().create_task(self._deliver(hook, event, delay))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _deliver(self, hook: Hook, event: Event, delay: float) -> None:
        await asyncio.sleep(delay)
        for wait in (0, *RETRY_S):
            await asyncio.sleep(wait * self._config.retry_scale)
            if not hook["is_active"] or hook["id"] not in self.hooks:
                break
            if await self._attempt(hook, event):
                self.counts.acknowledged += 1
                return
        else:
            hook["is_active"] = False
        self.counts.failed += 1

    async def _attempt(self, hook: Hook, event: Event) -> bool:
        host = urlsplit(hook["destination"]).hostname or ""
        if self.blocked.get(host, 0) > time.monotonic():
            return False
        async with self._slots:
            self.counts.attempts += 1
            accepted = await self._post(hook, event)
        self._judge(host, accepted)
        return accepted

    async def _post(self, hook: Hook, event: Event) -> bool:
        now = datetime.now(UTC)
        signed = {
            "content-type": "application/json",
            "user-agent": "pekko-http/1.3.0",
            "webhook-id": event.event_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signer.sign(event.event_id, now, event.body),
        }
        if self._http is None:
            self._wire = self._wire or Wire()
            self._http = self._wire.client("bigcommerce-sandbox", "http://127.0.0.1", None, _UNLIMITED)
        headers, everything = {**hook["headers"], **signed}, range(100, 600)
        try:
            answer = await self._http.send(
                "webhook",
                "POST",
                hook["destination"],
                content=event.body.encode(),
                headers=headers,
                safe=False,
                expect=everything,
            )
        except Failure:
            return False
        return 200 <= answer.status < 300

    def _judge(self, host: str, accepted: bool) -> None:
        """Blocks a destination that fails too often, as the platform does."""
        now, scale = time.monotonic(), self._config.retry_scale
        results = self._results[host]
        results.append((now, accepted))
        while results and results[0][0] < now - _WINDOW_S * scale:
            results.popleft()
        if len(results) >= _BLOCK_MIN and sum(good for _, good in results) < _BLOCK_RATIO * len(results):
            self.blocked[host] = now + _BLOCK_S * scale
            results.clear()


def _matches(wanted: str, scope: str) -> bool:
    return wanted == scope or (wanted.endswith("/*") and scope.startswith(wanted[:-1]))


def _channel_scope(wanted: str, scope: str) -> str | None:
    """The scope as a hook on one channel sees it, or None."""
    parts = wanted.split("/")
    if parts[:2] != ["store", "channel"] or len(parts) < 5:
        return None
    own = "/".join(["store", *parts[3:]])
    return "/".join(["store", "channel", parts[2], *scope.split("/")[1:]]) if _matches(own, scope) else None


def _channel_data(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Channel-scoped payloads say order_id where the others say id."""
    if data.get("type") != "order":
        return data
    return {"order_id": data["id"], **{name: value for name, value in data.items() if name not in ("type", "id")}}
