"""The web server of a process: what it shows, what it refuses, how it stops."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from streams.errors import Misconfigured
from streams.runtime.health import Health
from streams.runtime.metrics import Metrics
from streams.runtime.web import create, read_body, serve


async def call(port: int, head: str, body: bytes = b"") -> tuple[int, bytes]:
    """One plain HTTP/1.1 exchange; gives status and body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{head} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n".encode())
    writer.write(f"content-length: {len(body)}\r\n\r\n".encode() + body)
    await writer.drain()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    top, _, rest = answer.partition(b"\r\n\r\n")
    return int(top.split()[1]), rest


@pytest.fixture
async def shown() -> AsyncIterator[tuple[int, Health, Metrics]]:
    """A running server with nothing but its own routes."""
    health, metrics = Health(), Metrics()
    async with serve(create(metrics, health), "127.0.0.1", 0) as port:
        yield port, health, metrics


async def test_metrics_can_be_scraped(shown: tuple[int, Health, Metrics]) -> None:
    """What was counted is in the next scrape."""
    port, _, metrics = shown
    metrics.outcome("collect", "processed")
    status, body = await call(port, "GET /metrics")
    assert status == 200
    assert b'tidings_events_total{outcome="processed",stage="collect"} 1.0' in body


async def test_health_answers_with_reasons(shown: tuple[int, Health, Metrics]) -> None:
    """503 comes with what to look at."""
    port, health, _ = shown
    health.bad("registry", "no answer")
    assert (await call(port, "GET /livez"))[0] == 200
    status, body = await call(port, "GET /readyz")
    assert status == 503
    assert json.loads(body) == {"ok": False, "reasons": {"registry": "no answer"}}


async def _size(request: Request) -> Response:
    return PlainTextResponse(str(len(await read_body(request, 1000))))


@pytest.mark.parametrize(("size", "status"), [(0, 200), (1000, 200), (1001, 413), (100_000, 413)])
async def test_a_body_beyond_the_limit_is_refused(size: int, status: int) -> None:
    """Exactly the limit passes, one byte more gets 413."""
    app = create(Metrics(), Health(), [Route("/size", _size, methods=["POST"])])
    async with serve(app, "127.0.0.1", 0) as port:
        got, body = await call(port, "POST /size", b"x" * size)
    assert got == status
    if status == 200:
        assert body == str(size).encode()


async def test_a_request_under_way_is_finished_before_the_server_stops() -> None:
    """Stopping loses no answer."""
    entered, leave = asyncio.Event(), asyncio.Event()

    async def slow(_request: Request) -> Response:
        entered.set()
        await leave.wait()
        return PlainTextResponse("done")

    async with serve(create(Metrics(), Health(), [Route("/slow", slow)]), "127.0.0.1", 0) as port:
        asking = asyncio.create_task(call(port, "GET /slow"))
        await entered.wait()
        asyncio.get_running_loop().call_later(0.05, leave.set)
    assert await asking == (200, b"done")


async def test_signals_stay_with_the_host_process() -> None:
    """The worker that hosts the server decides what SIGTERM means."""
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    async with serve(create(Metrics(), Health()), "127.0.0.1", 0):
        assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


async def test_a_port_that_is_taken_is_a_misconfiguration(shown: tuple[int, Health, Metrics]) -> None:
    """The message names the port and what to set."""
    port, _, _ = shown
    with pytest.raises(Misconfigured, match=f"port {port}.*TIDINGS_HTTP_PORT"):
        async with serve(create(Metrics(), Health()), "127.0.0.1", port):
            pass
