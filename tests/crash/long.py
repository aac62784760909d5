"""The scenarios of a long run: 200 kill-restarts, then every kind of fault with new seeds until the time is over."""

import time
from collections.abc import Iterator
from typing import Literal

from tests.crash.faults import FAULTS, ON_DISK
from tests.crash.plan import Plan

KILLS = 200
PER_RUN = 25
HOUR_S = 3600.0


def plans(seed: int, hours: float) -> Iterator[Plan]:
    """The kills are done whatever the time; everything after them only while there is time left."""
    end = time.monotonic() + hours * HOUR_S
    for _ in range(KILLS // PER_RUN):
        store: Literal["memory", "rocksdb"] = "rocksdb" if seed % 2 else "memory"
        yield Plan(
            seed, ("kill", "kill", "term", "twice", "point"), PER_RUN, 1 + seed % 3, 100_000, 800.0, store, limit_s=1800
        )
        seed += 1
    while True:
        for plan in _round(seed):
            if time.monotonic() > end:
                return
            yield plan
            seed += 1


def _round(seed: int) -> Iterator[Plan]:
    every = tuple(kind for kind in FAULTS if kind != "brokers")
    in_memory = tuple(kind for kind in every if kind not in ON_DISK)
    yield Plan(seed, every, 20, 2, 400_000, 800.0, "rocksdb", effect=False, limit_s=2400)
    yield Plan(seed + 1, in_memory, 12, 3, 100_000, 300.0, "memory", effect=True, limit_s=2400)
    yield Plan(seed + 2, ("brokers", "blackout"), 4, 2, 150_000, 800.0, "memory", limit_s=1800)
    yield Plan(seed + 3, ("storm",), 6, 3, 200_000, 800.0, "rocksdb", limit_s=1800)
    yield Plan(seed + 4, ("stop", "kill", "freeze"), 12, 2, 200_000, 800.0, "memory", limit_s=1800)
