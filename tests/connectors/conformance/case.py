"""One connector under test and the world around it: its sandbox, a wire that can fail, and what it says meanwhile."""

import contextlib
import importlib
import io
import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import structlog
from pydantic import SecretStr
from pydantic_settings import BaseSettings

from connectors.conformance import Call, Profile
from connectors.contract import Connector
from connectors.discovery import installed, load
from connectors.http import Wire

URL = "http://sandbox.test"


@dataclass(frozen=True)
class Case:
    """A discovered connector with its profile."""

    package: str
    connector: Connector
    profile: Profile
    folder: Path

    @property
    def settings(self) -> BaseSettings:
        """The settings of the sandbox."""
        return self.profile.settings(URL)

    @property
    def secrets(self) -> list[str]:
        """Every secret of those settings."""
        values = (getattr(self.settings, name) for name in type(self.settings).model_fields)
        return [
            value.get_secret_value() for value in values if isinstance(value, SecretStr) and value.get_secret_value()
        ]

    @property
    def events(self) -> list[Path]:
        """The inbound fixtures."""
        return sorted((self.folder / "fixtures" / "events").glob("*.json"))

    def calls(self, role: str | None = None) -> list[Call]:
        """The profile's calls, of one role or all."""
        return [call for call in self.profile.calls if role in (None, call.role)]


def case_of(package: str) -> Case:
    """The case of one package; a connector without a profile cannot be tested and is an error."""
    module = importlib.import_module(package)
    profile = importlib.import_module(f"{package}.testing").PROFILE
    assert isinstance(profile, Profile), f"{package}.testing.PROFILE is no connectors.conformance.Profile"
    assert module.__file__, f"{package} is no folder"
    return Case(package, load(package), profile, Path(module.__file__).parent)


def cases() -> list[Case]:
    """Every connector there is."""
    return [case_of(package) for package in sorted(installed())]


Answer = Callable[[httpx.Request], httpx.Response]


class Faulty(httpx.AsyncBaseTransport):
    """The way to the sandbox, on which `answer` may speak instead; the token endpoint stays well."""

    def __init__(self, app: Any, token_path: str, answer: Answer | None) -> None:
        self.inner, self.token_path, self.answer = httpx.ASGITransport(app=app), token_path, answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Speaks for the sandbox or lets it speak."""
        spared = bool(self.token_path) and request.url.path.endswith(self.token_path)
        if self.answer is None or spared:
            return await self.inner.handle_async_request(request)
        return self.answer(request)


@dataclass
class World:
    """A fresh sandbox and the connector's client on it."""

    case: Case
    answer: Answer | None = None
    app: Any = field(init=False)
    client: Any = field(init=False)

    def __post_init__(self) -> None:
        self.app = self.case.connector.sandbox()
        transport = Faulty(self.app, self.case.profile.token_path, self.answer)
        self.client = self.case.connector.open(self.case.settings, Wire(transport=transport))
        self._outside = httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app), base_url=URL)

    async def control(self, path: str, body: Any = None) -> Any:
        """Posts to the sandbox past any fault."""
        answer = await self._outside.post(path, json=body if body is not None else {})
        assert answer.is_success, (
            f"{self.case.connector.name}: POST {path} answered {answer.status_code}: {answer.text}"
        )
        return answer.json() if answer.content else None

    async def journal(self) -> dict[str, Any]:
        """The sandbox's state without its traffic counters."""
        answer = await self._outside.get("/_sandbox/journal")
        assert answer.status_code == 200, f"{self.case.connector.name}: GET /_sandbox/journal gave {answer.status_code}"
        found = answer.json()
        assert isinstance(found, dict), f"{self.case.connector.name}: the journal is no JSON object"
        return {name: value for name, value in found.items() if name not in ("requests", "webhooks")}

    async def run(self, call: Call, times: int = 1) -> list[Any]:
        """Prepares once and makes the call that often."""
        if call.prepare:
            await call.prepare(self.control)
        run: Callable[[Any, Any], Awaitable[Any]] = call.run
        return [await run(self.client, self.control) for _ in range(times)]


@contextlib.contextmanager
def listening() -> Iterator[Callable[[], str]]:
    """Everything said meanwhile: log records of any level, structured logs, and what was printed."""
    said, records = io.StringIO(), io.StringIO()
    handler, root = logging.StreamHandler(records), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with (
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(said),
            structlog.testing.capture_logs() as logs,
        ):
            yield lambda: f"{said.getvalue()}{records.getvalue()}{logs}"
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
