"""Builds of the engine that are known to be bad: what a worker under test becomes when it is told to.

Each breaks one promise in one place, as a plausible mistake would. The suite must call each of them wrong, or it proves
nothing about the good one.
"""

import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from confluent_kafka import OFFSET_END, TopicPartition

from streams.engine.fetch import Feed
from streams.engine.model import Record
from streams.engine.restore import Restorer
from streams.engine.state import State
from streams.engine.step import Changes
from streams.engine.timers import Timers
from streams.engine.transaction import Transactions
from streams.engine.work import Work

BETWEEN_S = 0.2


def position_first() -> None:
    """The position is committed before the outputs and the state that belong to it."""

    def apart(self: Work, records: Sequence[Record], positions: Mapping[str, int]) -> None:
        batch = self.batch()
        batch.handle(records)
        self.commit(Changes(), positions)
        threading.Event().wait(BETWEEN_S)
        self.commit(batch.take(), {})

    Work.handle = apart  # type: ignore[method-assign]  # that is the point


def reads_from_elsewhere() -> None:
    """A lane that was restored reads on from the end of its source, not from its position."""

    def parts(self: Feed) -> list[TopicPartition]:
        where = {topic: OFFSET_END if at else 0 for topic, at in self.positions.items()}
        return [TopicPartition(topic, self.partition, at) for topic, at in where.items()]

    Feed.parts = property(parts)  # type: ignore[assignment,method-assign]  # that is the point


def unfenced() -> None:
    """Every opening takes a transactional id of its own, so nobody is fenced."""
    begin = Transactions.__init__

    def alone(self: Transactions, config: Any, transactional_id: str, *args: Any, **more: Any) -> None:
        begin(self, config, f"{transactional_id}-{uuid.uuid4().hex}", *args, **more)

    Transactions.__init__ = alone  # type: ignore[method-assign]  # that is the point


def forgets_timers() -> None:
    """A lane that was restored knows nothing of the timers that were pending."""
    restore = Restorer.state

    def forgetful(self: Restorer, *args: Any, **more: Any) -> State:
        state = restore(self, *args, **more)
        state.timers = Timers()
        return state

    Restorer.state = forgetful  # type: ignore[method-assign]  # that is the point


BUILDS: dict[str, Callable[[], None]] = {
    build.__name__: build for build in (position_first, reads_from_elsewhere, unfenced, forgets_timers)
}


def apply(name: str) -> None:
    """Make this process run the bad build of that name."""
    BUILDS[name]()
