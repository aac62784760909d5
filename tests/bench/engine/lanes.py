"""Opens the four lanes of a stage as a worker does and takes some steps; says what that cost, as one JSON line.

Run by `state` as `python -m tests.bench.engine.lanes BOOTSTRAP CHANGELOG STORE FOLDER`, in a fresh process each time.
"""

import contextlib
import gc
import json
import resource
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any, Literal, cast

from streams.engine import EngineConfig, Record, Stage, Step, Timer, guards
from streams.engine.host import GC_THRESHOLDS
from streams.engine.lane import now_ms
from streams.engine.mirrors import Mirrors
from streams.engine.state import STATE
from streams.engine.work import Means, Work
from streams.errors import Failure

NAMESPACE = "bench"
STEPS = 40
RECORDS = 1000
HOUR_MS = 3_600_000


class Opened:
    """An observer that keeps how long lanes took to open."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: None

    def opened(self, stage: str, partition: int, keys: int, seconds: float) -> None:
        """Told once per lane."""
        self.seconds.append(seconds)


def stage(name: str) -> Stage:
    """Per record one value, one timer set and the one before it cancelled: timers at their most expensive."""

    def handle(records: Sequence[Record], step: Step) -> None:
        for record in records:
            step.put(record.key, record.value)
            step.schedule(Timer(f"step-{record.offset}", step.now + HOUR_MS, f"{name}.source", record.key, b"x"))
            step.cancel(f"step-{record.offset - 1}")

    return Stage(name, (f"{name}.source",), f"{name}.changelog", f"{name}.dlq", letter, handle=handle)


def letter(stage: str, record: Record, failure: Failure, now: int) -> bytes:
    """None is written here."""
    return failure.code.encode()


def steps(work: Work) -> float:
    """Milliseconds of a step of a thousand records, commit included: the middle of forty."""
    taken = []
    for turn in range(STEPS):
        offsets = range(turn * RECORDS, (turn + 1) * RECORDS)
        records = [Record("source", 0, offset, 0, b"step-%05d" % (offset % 5000), b"x" * 50) for offset in offsets]
        started = time.perf_counter()
        work.fire(RECORDS)
        work.handle(records, {})
        taken.append((time.perf_counter() - started) * 1000)
    return median(taken)


def main(bootstrap: str, name: str, store: Literal["memory", "rocksdb"], folder: str) -> dict[str, float]:
    """What opening cost, and a step if nothing has to stay as it is."""
    gc.set_threshold(*GC_THRESHOLDS)
    config = EngineConfig(bootstrap, f"{name}-group", namespace=NAMESPACE, store=store, data_dir=folder)
    observer, declared = Opened(), stage(name)
    topics = {declared.changelog, declared.dead_letters, *declared.sources}
    ids = guards.preflight(config, sorted(topics))
    with Mirrors(config, observer) as mirrors, ThreadPoolExecutor(16) as executor, contextlib.ExitStack() as closing:
        fetcher = cast("Any", None)  # lanes are opened here, not fed
        means = Means(config, observer, executor, fetcher, mirrors.opening(ids), ids, now_ms)
        works = [Work(means, declared, partition) for partition in range(config.partitions)]
        started = time.perf_counter()
        list(executor.map(Work.open, works))
        open_s = time.perf_counter() - started
        for work in works:
            closing.callback(work.close)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        figures = {
            "open_s": open_s,
            "quickest_s": min(observer.seconds),
            "slowest_s": max(observer.seconds),
            # A store on disk only estimates how many it has; here it has to show them.
            "keys": sum(1 for work in works for _ in work.state.stores[STATE].scan(b"")),
            "timers": sum(len(work.state.timers) for work in works),
            "peak_mb": peak / (1024 if sys.platform == "linux" else 2**20),
        }
        return figures if name == "keys" else figures | {"step_ms": steps(works[0])}


if __name__ == "__main__":
    [_, bootstrap, name, store, folder] = sys.argv
    sys.stdout.write(json.dumps(main(bootstrap, name, cast("Any", store), folder)) + "\n")
