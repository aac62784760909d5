"""Looks at a worker from a thread of its own, and ends it when it only looks alive.

What it can find: an event loop that stands still, a lane that works on one step for too long or does not open, a
fetcher that no longer runs, a rebalance that does not end, an assignment of nothing. It dumps every thread's stack
before it ends the process, because afterwards nobody can ask.
"""

import faulthandler
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

import structlog

from streams.engine import guards
from streams.engine.stage import Observer

log = structlog.get_logger("engine")
LOOK_S = 1.0


class Pulse(NamedTuple):
    """Something that must show life every `limit` seconds; `mark` is the monotonic time it last did."""

    guard: str
    what: str
    mark: float
    limit: float


def trouble(pulses: Iterable[Pulse], now: float) -> tuple[str, str] | None:
    """The guard and the words for the first pulse that stopped, or None."""
    for pulse in pulses:
        if now - pulse.mark > pulse.limit:
            return (
                pulse.guard,
                f"{pulse.what}: nothing for {now - pulse.mark:.0f} s, at most {pulse.limit:.0f} s are allowed",
            )
    return None


class Watchdog:
    """`pulses` is asked every second, from the watchdog's thread: it must only read."""

    def __init__(self, observer: Observer, pulses: Callable[[], Iterable[Pulse]]) -> None:
        self._observer, self._pulses = observer, pulses
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._live, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no longer."""
        self._stopped.set()

    def _live(self) -> None:
        try:
            self._look()
        except Exception as error:  # noqa: BLE001 - nobody watches the watchdog, so its end is the worker's
            guards.leave(self._observer, "watchdog_failed", repr(error))

    def _look(self) -> None:
        looked = time.monotonic()
        asleep = 0.0
        while not self._stopped.wait(LOOK_S):
            now = time.monotonic()
            # A process that was stopped as a whole finds all its clocks late; that is nobody's fault but the time's.
            if now - looked > 3 * LOOK_S:
                asleep = now
            looked = now
            pulses = [pulse._replace(mark=max(pulse.mark, asleep)) for pulse in self._pulses()]
            if found := trouble(pulses, now):
                guard, detail = found
                log.critical("engine.stopped_pulse", guard=guard, detail=detail)
                faulthandler.dump_traceback(file=sys.stderr, all_threads=True)
                guards.leave(self._observer, guard, detail)
