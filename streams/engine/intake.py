"""What a lane has been given and not yet worked off: in order, without holes, the urgent first.

Topics that go first are read to their end before anything else is taken up: after an outage, what somebody no longer
allows is known before anything that waited is handed over.

The fetcher starts where the lane stands, so every run must begin exactly where the one before it ended. If it does not,
something between broker and lane lost or repeated records, and the process leaves before it produces anything.
"""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from streams.engine.fetch import Feed, Run
from streams.engine.model import Record
from streams.errors import Fatal


class Event(Protocol):
    """What Faust hands over and wants acknowledged."""

    def ack(self) -> object:
        """The lane is done with the run."""
        ...


class Portion(NamedTuple):
    """Records for one step, where the lane stands after them, and the runs that end with them."""

    records: Sequence[Record]
    positions: Mapping[str, int]
    ended: Sequence[tuple[Run, Event]]


class Intake:
    """The queue of one opening of a lane. `before` is where the lane stood per topic, None where it begins anew."""

    def __init__(self, feed: Feed, first: Collection[str], before: Mapping[str, int | None]) -> None:
        self.feed = feed
        self.depth = 0
        self._first = first
        self._ends = dict(before)
        self._behind = set(first)
        self._caught: dict[str, int | None] = {}
        self._urgent: deque[tuple[Run, Event]] = deque()
        self._queue: deque[tuple[Run, Event]] = deque()

    def put(self, run: Run, event: Event) -> None:
        """Queue a run. Raises Fatal("gap") when it does not begin where the one before it ended."""
        expected = self._ends[run.topic]
        if run.before != expected or run.records[0].offset < (expected or 0):
            detail = f"{run.topic} {run.partition} stands at {expected}, was given what follows {run.before}"
            raise Fatal("gap", detail)
        self._ends[run.topic] = run.records[-1].offset + 1
        self.depth += len(run.records)
        (self._urgent if run.topic in self._first else self._queue).append((run, event))
        self._catch_up(run.topic)

    def caught_up(self, topic: str, end: int | None) -> None:
        """A topic that goes first was fetched to its end; what was fetched of it may still be on its way."""
        self._caught[topic] = end
        self._catch_up(topic)

    @property
    def ready(self) -> bool:
        """Whether there is something to take."""
        return bool(self._urgent or (self._queue and not self._behind))

    def take(self, limit: int) -> Portion:
        """Up to `limit` records; of urgent ones alone while there are any. Empty when nothing waits."""
        records: list[Record] = []
        positions: dict[str, int] = {}
        ended: list[tuple[Run, Event]] = []
        queue = self._urgent or (self._queue if not self._behind else deque())
        while queue and (room := limit - len(records)) > 0:
            run, event = queue.popleft()
            part, rest = (run.records, ()) if len(run.records) <= room else (run.records[:room], run.records[room:])
            records.extend(part)
            positions[run.topic] = part[-1].offset + 1
            if rest:
                queue.appendleft((run._replace(records=rest), event))
            else:
                ended.append((run, event))
        self.depth -= len(records)
        return Portion(records, positions, ended)

    def _catch_up(self, topic: str) -> None:
        if topic in self._behind and topic in self._caught:
            end = self._caught[topic]
            if end is None or (self._ends[topic] or 0) >= end:
                self._behind.discard(topic)
