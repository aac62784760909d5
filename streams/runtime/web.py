"""The one small web server of a process: metrics, health, and whatever routes its role adds.

It runs inside the loop of its host and leaves signals to it; stopping lets open requests finish.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator, Sequence

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from streams.errors import Misconfigured
from streams.runtime.health import Health, Report
from streams.runtime.metrics import Metrics


def create(metrics: Metrics, health: Health, routes: Sequence[BaseRoute] = ()) -> Starlette:
    """/metrics, /livez and /readyz beside the role's own routes."""

    async def scrape(_request: Request) -> Response:
        return Response(metrics.render(), media_type=CONTENT_TYPE_LATEST)

    async def live(_request: Request) -> Response:
        return _answer(health.live())

    async def ready(_request: Request) -> Response:
        return _answer(health.ready())

    own = [Route("/metrics", scrape), Route("/livez", live), Route("/readyz", ready)]
    return Starlette(routes=[*own, *routes])


def _answer(report: Report) -> Response:
    return JSONResponse({"ok": report.ok, "reasons": dict(report.reasons)}, 200 if report.ok else 503)


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body, or 413 as soon as it is known to be larger than `limit`."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise HTTPException(413, f"larger than {limit} bytes")
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise HTTPException(413, f"larger than {limit} bytes")
        parts.append(part)
    return b"".join(parts)


class _Guest(uvicorn.Server):
    """A server that leaves the process's signals alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serve(app: ASGIApp, host: str, port: int, grace_s: int = 10) -> AsyncIterator[int]:
    """Serve inside the running loop for as long as the block runs; gives the bound port (asked for as 0, a free one).

    The app's lifespan is its host's business and is not run.
    Raises Misconfigured when the address is taken or not ours.
    """
    listener = _listen(host, port)
    config = uvicorn.Config(
        app,
        access_log=False,
        lifespan="off",
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=grace_s,
        ws="none",
    )
    server = _Guest(config)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await _started(server, running)
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await running
        listener.close()


async def _started(server: uvicorn.Server, running: "asyncio.Task[None]") -> None:
    while not server.started:
        if running.done():
            await running
            raise Misconfigured("web_server_failed", "the web server ended before it started; its log tells why")
        await asyncio.sleep(0.01)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        detail = f"cannot listen on port {port} of {host} ({error.strerror}): set TIDINGS_HTTP_HOST, TIDINGS_HTTP_PORT"
        raise Misconfigured("cannot_listen", detail) from None
