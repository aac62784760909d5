"""Switches that make the sandbox fail the way the real service does, each a number of times or at a seeded rate."""

import asyncio
import random
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Kind = Literal["refuse", "html", "slow", "after", "cut"]


class Fault(BaseModel):
    """One switch, for request paths that contain `path`.

    - refuse: answers `status` before anything is done, with Retry-After when `retry_after` is given
    - html: the same with an HTML page
    - slow: waits `seconds`, then answers properly
    - after: does the work, then answers `status`
    - cut: does the work, then breaks the connection
    """

    model_config = ConfigDict(extra="forbid")

    path: str = "/"
    kind: Kind = "refuse"
    status: int = Field(default=500, ge=100, le=599)
    times: int = Field(default=1, ge=1)
    rate: float = Field(default=1.0, ge=0, le=1)
    seconds: float = Field(default=1.0, ge=0)
    retry_after: float | None = None
    body: Any = None


@dataclass
class _Held:
    """An answer kept back until it is decided what the caller gets."""

    start: Message | None = None
    body: bytes = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
        else:
            self.body += message.get("body", b"")


class Faults:
    """The switches that are on. Control paths (/_sandbox) never fail."""

    def __init__(self, seed: int = 1) -> None:
        self.armed: list[Fault] = []
        self.hits = 0
        self._random = random.Random(seed)

    def arm(self, fault: Fault) -> None:
        """Turns a switch on."""
        self.armed.append(fault)

    def take(self, path: str) -> Fault | None:
        """The switch that acts on this request, counted down."""
        for fault in self.armed:
            if fault.path in path and self._random.random() < fault.rate:
                fault.times -= 1
                self.hits += 1
                self.armed = [other for other in self.armed if other.times > 0]
                return fault
        return None


class Failing:
    """ASGI middleware that lets the switches act."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app, self._faults = app, faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request, or breaks it."""
        controlled = scope["type"] != "http" or "/_sandbox" in scope["path"]
        fault = None if controlled else self._faults.take(scope["path"])
        if fault is None:
            await self._app(scope, receive, send)
        elif fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
            await self._app(scope, receive, send)
        elif fault.kind in ("refuse", "html"):
            await _answer(fault, send)
        else:
            held = _Held()
            await self._app(scope, receive, held.send)
            if fault.kind == "after":
                await _answer(fault, send)
            else:
                await _cut(held, send)


async def _answer(fault: Fault, send: Send) -> None:
    html = fault.kind == "html"
    content = fault.body if fault.body is not None else _default(fault.status)
    body = b"<!DOCTYPE html><title>Sign in</title><p>Service</p>" if html else orjson.dumps(content)
    headers = [(b"content-type", b"text/html" if html else b"application/json"), (b"content-length", b"%d" % len(body))]
    if fault.retry_after is not None:
        headers.append((b"retry-after", b"%g" % fault.retry_after))
    await send({"type": "http.response.start", "status": fault.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _default(status: int) -> dict[str, Any]:
    trace = (
        "java.lang.IllegalStateException: identity service unreachable\n\tat com.example.Service.run(Service.java:1)"
    )
    return {"status": status, "message": "fault switch", "details": trace if status >= 500 else "on purpose"}


async def _cut(held: _Held, send: Send) -> None:
    if held.start is not None:
        await send(held.start)
        await send({"type": "http.response.body", "body": held.body[: len(held.body) // 2], "more_body": True})
    raise ConnectionResetError("fault switch: cut")
