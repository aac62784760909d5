"""Registries for the tests: one in memory, and a real client against a real server over it."""

import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn

from schemas import commands
from schemas.codec import Codec
from schemas.registry import ConfluentRegistry, MemoryRegistry, Registry
from schemas.registry_server import app
from streams.topics import TABLE


@pytest.fixture
def memory() -> MemoryRegistry:
    return MemoryRegistry()


@pytest.fixture
def codec(memory: MemoryRegistry) -> Codec:
    """A codec over a registry to which everything of ours is published."""
    assert not commands.publish(memory, TABLE).problems
    return Codec(memory)


@pytest.fixture
def url(memory: MemoryRegistry) -> Iterator[str]:
    """The address of a registry server over `memory`."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app(memory), log_level="error", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def confluent(url: str) -> Iterator[ConfluentRegistry]:
    registry = ConfluentRegistry(url)
    yield registry
    registry.close()


@pytest.fixture(params=["memory", "confluent"])
def registry(request: pytest.FixtureRequest) -> Registry:
    """Either registry: what holds for one holds for the other."""
    found: Registry = request.getfixturevalue(request.param)
    return found
