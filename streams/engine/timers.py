"""Pending timers of a lane in due order, kept packed: a lane may hold hundreds of thousands for weeks.

Cancelled and replaced entries are dropped lazily when they surface, and all at once when they outnumber the pending.
"""

import heapq
from collections.abc import Iterator, Mapping

from streams.engine.model import Timer, due_of

SLACK = 1000


class Timers:
    """A heap over the lane's pending timers; times in epoch milliseconds."""

    def __init__(self) -> None:
        self._pending: dict[str, bytes] = {}
        self._heap: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self._pending)

    def __contains__(self, timer_id: str) -> bool:
        return timer_id in self._pending

    def apply(self, changes: Mapping[str, bytes | None]) -> None:
        """Take over committed changes: packed timers, or None for those that are gone."""
        for timer_id, packed in changes.items():
            if packed is None:
                self._pending.pop(timer_id, None)
            else:
                self._pending[timer_id] = packed
                heapq.heappush(self._heap, (due_of(packed), timer_id))
        if len(self._heap) > 2 * len(self._pending) + SLACK:
            self._heap = [(due_of(packed), timer_id) for timer_id, packed in self._pending.items()]
            heapq.heapify(self._heap)

    def wait_s(self, now: int) -> float | None:
        """Seconds until the next one is due, None when there is none."""
        self._drop_stale()
        return max(0.0, (self._heap[0][0] - now) / 1000) if self._heap else None

    def take(self, now: int, limit: int) -> list[Timer]:
        """Due timers in due order, gone from here at once: a failed commit ends the process, and a start restores."""
        return list(self._take(now, limit))

    def _take(self, now: int, limit: int) -> Iterator[Timer]:
        self._drop_stale()
        while self._heap and self._heap[0][0] <= now and limit:
            _, timer_id = heapq.heappop(self._heap)
            yield Timer.unpack(timer_id, self._pending.pop(timer_id))
            limit -= 1
            self._drop_stale()

    def _drop_stale(self) -> None:
        while self._heap:
            due, timer_id = self._heap[0]
            packed = self._pending.get(timer_id)
            if packed is not None and due_of(packed) == due:
                return
            heapq.heappop(self._heap)
