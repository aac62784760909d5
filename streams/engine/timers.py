"""Pending timers of a lane in due order. Cancelled and replaced entries are dropped lazily when they surface."""

import heapq
from collections.abc import Mapping

from streams.engine.model import Timer


class DueTimers:
    """A heap over the lane's timers; times in epoch milliseconds."""

    def __init__(self, timers: Mapping[str, Timer]) -> None:
        self._pending = dict(timers)
        self._heap = [(timer.due, timer.timer_id) for timer in timers.values()]
        heapq.heapify(self._heap)

    def apply(self, changes: Mapping[str, Timer | None]) -> None:
        """Take over committed changes."""
        for timer_id, timer in changes.items():
            if timer is None:
                self._pending.pop(timer_id, None)
            else:
                self._pending[timer_id] = timer
                heapq.heappush(self._heap, (timer.due, timer_id))

    def wait_s(self, now: int) -> float | None:
        """Seconds until the next one is due, None when there is none."""
        self._drop_stale()
        return max(0.0, (self._heap[0][0] - now) / 1000) if self._heap else None

    def take(self, now: int, limit: int) -> list[Timer]:
        """Due timers in due order, gone from here at once: a failed commit ends the process, and a start restores."""
        due: list[Timer] = []
        self._drop_stale()
        while self._heap and self._heap[0][0] <= now and len(due) < limit:
            _, timer_id = heapq.heappop(self._heap)
            due.append(self._pending.pop(timer_id))
            self._drop_stale()
        return due

    def _drop_stale(self) -> None:
        while self._heap:
            due, timer_id = self._heap[0]
            timer = self._pending.get(timer_id)
            if timer is not None and timer.due == due:
                return
            heapq.heappop(self._heap)
