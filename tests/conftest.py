"""The broker and the registry of this run: chosen once, started when a test first asks, and said aloud at the end.

Guarantee tests never run on an embedded broker, which neither fences nor hides aborted records. Where nothing better
can be had they are deselected with a word about it; with TIDINGS_REQUIRE_REAL=1, as in CI, the run fails instead.
"""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest

from streams.local.broker import Broker, open_broker
from streams.local.registry import Registry, open_registry
from tests import containers

BROKER = pytest.StashKey[Broker]()
USED = pytest.StashKey[list[str]]()


def _required() -> bool:
    return os.environ.get("TIDINGS_REQUIRE_REAL", "") not in {"", "0"}


def pytest_configure(config: pytest.Config) -> None:
    config.stash[USED] = []


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    guarantees = [item for item in items if item.get_closest_marker("broker")]
    if not guarantees:
        return
    broker = config.stash[BROKER] = open_broker("auto", require_real=_required())
    if broker.kind == "embedded":
        items[:] = [item for item in items if item not in guarantees]
        config.hook.pytest_deselected(items=guarantees)
        config.stash[USED].append(f"broker: {broker.describe}; {len(guarantees)} guarantee tests need a real one")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in terminalreporter.config.stash[USED]:
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def broker(pytestconfig: pytest.Config) -> Iterator[Broker]:
    """The run's broker; for tests marked `broker`."""
    with _thrown_away(pytestconfig.stash[BROKER]) as started:
        pytestconfig.stash[USED].append(f"broker: {started.describe}")
        yield started


def _thrown_away(chosen: Broker) -> AbstractContextManager[Broker]:
    return containers.broker() if chosen.kind == "docker" else chosen


@pytest.fixture(scope="session")
def broker_kind(pytestconfig: pytest.Config) -> str:
    """For tests that start a whole run on a broker of their own: a container where the run's is one, else local."""
    return "docker" if pytestconfig.stash[BROKER].kind == "docker" else "local"


@pytest.fixture(scope="session")
def kafka(broker: Broker) -> str:
    """The bootstrap address of the run's broker."""
    return broker.bootstrap


@pytest.fixture(scope="session")
def registry(pytestconfig: pytest.Config) -> Iterator[Registry]:
    """The run's schema registry."""
    chosen = open_registry("auto", require_real=_required())
    with containers.registry() if chosen.kind == "docker" else chosen as started:
        pytestconfig.stash[USED].append(f"registry: {started.describe}")
        yield started
