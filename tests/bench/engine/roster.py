"""The table of contestants: how each is started, how much it is given to do, and where its state ends up."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from streams.local.fetch import Tell
from streams.local.java import find_java
from tests.bench.engine import toolchains
from tests.bench.engine.contestants.task import Task
from tests.bench.engine.workload import Fields, dec_state

RAW, KSTREAMS = "raw", "kstreams"
"""What ratios are taken to."""

Start = Callable[[Tell], Sequence[str]]
"""Gives a command line; builds what it needs first and raises Misconfigured where that cannot be had."""

JVM = ("-Xms1g", "-Xmx1g", "-XX:+UseParallelGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")


def _plain_state(key: bytes, value: bytes) -> tuple[bytes, Fields] | None:
    return None if key.startswith(b"\0") else (key, dec_state(value))


def _quix_state(key: bytes, value: bytes) -> tuple[bytes, Fields] | None:
    # Its keys are `<message key>|<JSON of the name within>`.
    return key.rpartition(b"|")[0], orjson.loads(value)


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way of doing the work.

    `events_max` bounds its bursts where it would take hours. `held` means it reads only what is committed, so that a
    burst can be produced beforehand. `changelog` names the topic of its states, `decode` reads a record there.
    """

    name: str
    about: str
    start: Start
    exactly_once: bool = True
    workers: int = 1
    events_max: int | None = None
    held: bool = True
    changelog: Callable[[Task], str] = lambda task: task.changelog
    decode: Callable[[bytes, bytes], tuple[bytes, Fields] | None] = _plain_state
    short: bool = False
    asked_only: bool = False

    def events(self, wanted: int) -> int:
        """How many events of the burst it gets."""
        return min(wanted, self.events_max or wanted)


def _own(module: str) -> Start:
    return lambda tell: [sys.executable, "-m", f"tests.bench.engine.contestants.{module}"]


def _peer(module: str) -> Start:
    return lambda tell: [str(toolchains.peers(tell)), "-m", f"tests.bench.engine.contestants.{module}"]


def _kstreams(tell: Tell) -> Sequence[str]:
    built: Path = toolchains.kstreams(tell)
    return [str(find_java()), *JVM, "-cp", f"{built}/classes:{built}/libs/*", "bench.Main"]


def _streams_changelog(task: Task) -> str:
    return f"{task.run}-state-changelog"


ROSTER: tuple[Contestant, ...] = (
    Contestant("tidings", "the engine, one worker", _own("tidings"), short=True),
    Contestant("tidings2", "the engine, two workers", _own("tidings"), workers=2),
    Contestant(RAW, "a confluent-kafka loop with transactions", _own("raw"), short=True),
    Contestant("raw2", "the same, two workers", _own("raw"), workers=2, asked_only=True),
    Contestant(
        KSTREAMS, "Kafka Streams, one thread, exactly_once_v2", _kstreams, changelog=_streams_changelog, short=True
    ),
    Contestant(
        "kstreams2",
        "the same, two workers",
        _kstreams,
        workers=2,
        changelog=_streams_changelog,
        asked_only=True,
    ),
    Contestant(
        "quix",
        "Quix Streams, exactly-once",
        _peer("quix"),
        changelog=lambda task: f"changelog__{task.run}--{task.orders}--default",
        decode=_quix_state,
    ),
    Contestant("bytewax", "Bytewax: no exactly once towards Kafka", _peer("bytewax"), exactly_once=False),
    Contestant(
        "faust",
        "stock Faust with its table, at least once",
        _own("faust"),
        exactly_once=False,
        events_max=20_000,
        held=False,
        changelog=_streams_changelog,
    ),
)


def choose(only: Sequence[str], *, short: bool) -> list[Contestant]:
    """The contestants of a run; an unknown name is a ValueError."""
    by_name = {contestant.name: contestant for contestant in ROSTER}
    if unknown := [name for name in only if name not in by_name]:
        raise ValueError(f"no contestant is called {', '.join(unknown)}; there are {', '.join(by_name)}")
    if only:
        return [by_name[name] for name in only]
    return [contestant for contestant in ROSTER if not contestant.asked_only and (contestant.short or not short)]


def rotated(contestants: Sequence[Contestant], turn: int) -> list[Contestant]:
    """The order of a round: everyone is first once, so that nobody always runs on a warm or a tired machine."""
    turn %= len(contestants)
    return [*contestants[turn:], *contestants[:turn]]
