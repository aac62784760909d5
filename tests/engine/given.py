"""Stages, records and observers for tests that need no broker."""

from collections.abc import Callable
from typing import Any

from streams.engine import Record, Stage
from streams.engine.batch import Batch
from streams.engine.state import State
from streams.errors import Failure


class Counts:
    """An observer that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *args, **_: self.told.append((name, args))


def record(offset: int = 0, key: bytes = b"k", value: bytes | None = b"v") -> Record:
    return Record("in", 0, offset, 0, key, value)


def letter(stage: str, bad: Record, failure: Failure, now: int) -> bytes:
    return f"{stage}|{bad.offset}|{failure.code}|".encode() + (bad.value or b"")


def stage(**changes: Any) -> Stage:
    return Stage("test", ("in",), "test.changelog", "test.dlq", letter, backoff_s=0, **changes)


def batch(of: Stage, observer: Any = None) -> Batch:
    return Batch(of, State.in_memory(of.topics_by_store, of.load), 0, observer or Counts(), lambda: 1000)
