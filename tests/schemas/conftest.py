"""Registries for the tests: one in memory, the same behind our own server, and the one of this run."""

import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from schemas import commands
from schemas.codec import Codec
from schemas.registry import ConfluentRegistry, MemoryRegistry, Registry
from schemas.registry_server import app
from streams.local.registry import Registry as RunRegistry
from streams.topics import TABLE


@pytest.fixture
def memory() -> MemoryRegistry:
    return MemoryRegistry()


@pytest.fixture
def codec(memory: MemoryRegistry) -> Codec:
    """A codec over a registry to which everything of ours is published."""
    assert not commands.publish(memory, TABLE).problems
    return Codec(memory)


@contextmanager
def served(application: Starlette) -> Iterator[str]:
    """The address under which an application is served."""
    # Without the protocol number asyncio leaves Nagle's algorithm on, and each answer takes 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    server = uvicorn.Server(uvicorn.Config(application, log_level="error", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def url(memory: MemoryRegistry) -> Iterator[str]:
    """The address of a registry server over `memory`."""
    with served(app(memory)) as address:
        yield address


@pytest.fixture
def confluent(url: str) -> Iterator[ConfluentRegistry]:
    with closing(ConfluentRegistry(url)) as client:
        yield client


@pytest.fixture
def real(registry: RunRegistry) -> Iterator[ConfluentRegistry]:
    """The registry of this run."""
    with closing(ConfluentRegistry(registry.url)) as client:
        yield client


@pytest.fixture(params=["memory", "confluent", "real"])
def each(request: pytest.FixtureRequest) -> Registry:
    """Each registry in turn: what holds for one holds for all."""
    found: Registry = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def subject() -> str:
    """A subject nobody else uses, because the registry of this run is shared."""
    return f"{uuid.uuid4().hex}.orders-value"


@pytest.fixture
def answering() -> Iterator[str]:
    """The address of a registry that answers with the status in the path, and refuses every schema under /no."""

    async def fail(request: Request) -> JSONResponse:
        status = request.path_params["status"]
        return JSONResponse({"error_code": status, "message": "no"}, status)

    async def refuse(_request: Request) -> JSONResponse:
        return JSONResponse({"is_compatible": False})

    methods = ["GET", "POST", "PUT"]
    routes = [
        Route("/no/compatibility/{rest:path}", refuse, methods=methods),
        Route("/{status:int}/{rest:path}", fail, methods=methods),
    ]
    with served(Starlette(routes=routes)) as address:
        yield address
