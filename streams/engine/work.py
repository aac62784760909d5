"""The blocking side of a lane: its state and its producer, opened, moved forward together, and let go.

Called from worker threads, one call at a time. A commit is the only place where state changes, and it changes after the
broker has it.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

from streams.engine.batch import Batch
from streams.engine.fetch import Fetcher
from streams.engine.model import Record
from streams.engine.restore import REPAIR, Opening, Restorer
from streams.engine.stage import EngineConfig, Observer, Stage
from streams.engine.state import POSITION, STATE, TIMER, Pair, Position, State
from streams.engine.step import Changes
from streams.engine.transaction import Transactions, lane_id
from streams.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Means:
    """What all lanes of a worker share.

    `topic_ids` tell a topic from another that took its name; who computes takes the `turn`.
    """

    config: EngineConfig
    observer: Observer
    executor: Executor
    fetcher: Fetcher
    opening: Opening
    topic_ids: Mapping[str, str]
    clock: Callable[[], int]
    turn: threading.Lock = field(default_factory=threading.Lock)


class Work:
    """State and transactions of one lane."""

    def __init__(self, means: Means, stage: Stage, partition: int) -> None:
        self._means, self._stage, self._partition = means, stage, partition
        self.state = State.in_memory(stage.topics_by_store)
        self.opening = True
        self.mark = time.monotonic()
        self._closed = False
        config = means.config
        self._transactions = Transactions(
            config,
            lane_id(config, stage.name, partition),
            partition,
            stage.topics_by_store,
            marks=config.store != "memory",
        )

    def open(self) -> None:
        """Fence, then restore. Raises Misconfigured when what is found cannot be trusted."""
        if not self.opening:
            return
        started = self.mark = time.monotonic()
        self._transactions.fence()
        restorer = Restorer(self._means.config, self._partition, self._progress)
        try:
            self.state = restorer.state(self._stage.topics_by_store, self._means.opening, self._stage.load)
            restorer.demand_news(self._stage.sources, self.state)
        finally:
            restorer.close()
        if self._closed:
            # Nobody waited for us any more, and nobody else will let go of what was opened.
            self.state.close()
            return
        self._demand_same_topics()
        self.opening = False
        seconds = time.monotonic() - started
        self._means.observer.opened(self._stage.name, self._partition, len(self.state), seconds)

    def positions(self) -> dict[str, int | None]:
        """Where the lane stands per source; None where it has not begun."""
        known = self.state.positions
        return {topic: known[topic].offset if topic in known else None for topic in self._stage.sources}

    def batch(self) -> Batch:
        """An empty batch on the state as it is."""
        return Batch(self._stage, self.state, self._partition, self._means.observer, self._means.clock)

    def handle(self, records: Sequence[Record], positions: Mapping[str, int]) -> None:
        """A whole step of a pure stage. Raises Retry when nothing was done."""
        # Lanes that compute side by side only take the interpreter from one another, at every call into the client.
        with self._means.turn:
            batch = self.batch()
            batch.handle(records)
            changes = batch.take()
            kept, own = self._write(changes, positions)
        self._commit(changes, kept, own)

    def commit(self, changes: Changes, positions: Mapping[str, int]) -> None:
        """Make changes and positions durable, then the state. Raises Fatal, Fenced."""
        self._commit(changes, *self._write(changes, positions))

    def _write(self, changes: Changes, positions: Mapping[str, int]) -> tuple[dict[str, list[Pair]], list[Pair]]:
        kept, own = self._kept(changes), self._own(changes, positions)
        self._transactions.write(changes.outs, {**kept, STATE: [*kept[STATE], *own]})
        return kept, own

    def _commit(self, changes: Changes, kept: Mapping[str, list[Pair]], own: list[Pair]) -> None:
        marks = self._transactions.commit()
        for store, pairs in kept.items():
            self.state.advance(store, pairs, own if store == STATE else (), marks.get(store))
        if changes.objects:
            self.state.heat(changes.objects)
        if changes.notes and self._stage.committed is not None:
            self._stage.committed(changes.notes)

    def fire(self, limit: int) -> None:
        """Send what is due, at most `limit`."""
        due = self.state.timers.take(self._means.clock(), limit)
        if due:
            changes = Changes(outs=[timer.out(self._partition) for timer in due])
            changes.timers = {timer.timer_id: None for timer in due}
            self.commit(changes, {})
            self._means.observer.outcome(self._stage.name, "timer_fired", len(due))

    def close(self) -> None:
        """Let go of the state; a lane that never opened will not."""
        self.opening, self._closed = False, True
        self.state.close()

    def _progress(self) -> None:
        self.mark = time.monotonic()

    def _kept(self, changes: Changes) -> dict[str, list[Pair]]:
        kept: dict[str, list[Pair]] = {STATE: []}
        for (store, key), value in changes.puts.items():
            kept.setdefault(store, []).append((key, value))
        kept[STATE] += changes.dumped.items()
        return kept

    def _own(self, changes: Changes, positions: Mapping[str, int]) -> list[Pair]:
        own: list[Pair] = [
            (TIMER + timer_id.encode(), timer.pack() if timer else None) for timer_id, timer in changes.timers.items()
        ]
        for topic, offset in positions.items():
            at = Position(offset, self._means.topic_ids.get(topic, ""))
            own.append((POSITION + topic.encode(), at.pack()))
        return own

    def _demand_same_topics(self) -> None:
        for topic, position in self.state.positions.items():
            now = self._means.topic_ids.get(topic, "")
            if topic in self._stage.sources and position.topic_id and now and position.topic_id != now:
                raise Misconfigured(
                    "topic_recreated",
                    f"{topic} was deleted and made anew since offset {position.offset} of partition {self._partition} "
                    f"was read: that offset means nothing in the new one. Place the lane: {REPAIR}",
                )
