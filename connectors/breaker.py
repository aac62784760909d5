"""A circuit breaker, so that a system that is down is asked once in a while and not by every waiting record.

It opens after a number of failures in a row, lets one probe through when its time is over, and closes on the first
success.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from streams.errors import Retry


class Breaker:
    """Guards one external system; not shared between event loops or threads."""

    def __init__(
        self,
        name: str,
        failures: int,
        open_s: float,
        clock: Callable[[], float] = time.monotonic,
        changed: Callable[[str, bool], None] | None = None,
    ) -> None:
        self._name, self._limit, self._open_s, self._clock = name, failures, open_s, clock
        self._changed = changed or _ignore
        self._failures = 0
        self._opened_at: float | None = None
        self._probing = False

    @contextmanager
    def attempt(self) -> Iterator["Attempt"]:
        """One try. Raises Retry("breaker_open") instead when the system is to be left alone."""
        probe = self._opened_at is not None
        if self._opened_at is not None:
            left = self._opened_at + self._open_s - self._clock()
            if left > 0 or self._probing:
                raise Retry(
                    "breaker_open",
                    f"{self._name} failed {self._failures} times in a row; left alone",
                    after=max(left, 0.1),
                )
            self._probing = True
        attempt = Attempt()
        try:
            yield attempt
        finally:
            # A cancelled try says nothing about the other side, but must not keep the only probe for ever.
            if probe:
                self._probing = False
            if attempt.healthy is not None:
                self._record(attempt.healthy)

    def _record(self, healthy: bool) -> None:
        if healthy:
            self._failures = 0
            if self._opened_at is not None:
                self._opened_at = None
                self._changed(self._name, False)
            return
        self._failures += 1
        if self._opened_at is not None:
            self._opened_at = self._clock()
        elif self._failures >= self._limit:
            self._opened_at = self._clock()
            self._changed(self._name, True)


def _ignore(name: str, opened: bool) -> None:
    """For those who do not watch."""


class Attempt:
    """Told by the caller how the try went; left at None it counts as neither."""

    healthy: bool | None = None
