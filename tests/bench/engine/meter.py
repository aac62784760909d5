"""What a contestant's processes cost: processor time and memory, read from /proc, so on Linux only."""

import os
import threading
import time
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
INTERVAL_S = 0.25
_TICK = os.sysconf("SC_CLK_TCK")


class Stat(NamedTuple):
    """One process: its parent, its session, and seconds of processor time, reaped children included."""

    pid: int
    parent: int
    session: int
    cpu_s: float


def processes() -> list[Stat]:
    """All processes; none where there is no /proc."""
    found = []
    for entry in PROC.iterdir() if PROC.is_dir() else ():
        if entry.name.isdigit():
            try:
                # The name stands in brackets and may hold anything, brackets too.
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            cpu_s = sum(int(ticks) for ticks in fields[11:15]) / _TICK
            found.append(Stat(int(entry.name), int(fields[1]), int(fields[3]), cpu_s))
    return found


def broker_pid() -> int:
    """The broker this process started, or 0."""
    for stat in processes():
        if stat.parent == os.getpid() and b"kafka.Kafka" in (PROC / str(stat.pid) / "cmdline").read_bytes():
            return stat.pid
    return 0


def peak_mb(sessions: Iterable[int]) -> float:
    """The highest resident memory of each process of these sessions, added up."""
    wanted, total = set(sessions), 0
    for stat in processes():
        if stat.session in wanted:
            try:
                lines = (PROC / str(stat.pid) / "status").read_text().splitlines()
            except (FileNotFoundError, ProcessLookupError):
                continue
            total += sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    return total / 1024


def spin() -> float:
    """Millions of turns of an empty loop a second: lower than in other rounds when somebody else uses the machine."""
    turns = 2_000_000
    started = time.perf_counter()
    for _ in range(turns):
        pass
    return turns / (time.perf_counter() - started) / 1e6


class Sample(NamedTuple):
    """Processor seconds used until a moment (seconds since 1970)."""

    at: float
    cpu_s: float
    broker_s: float


def between(samples: Sequence[Sample], start: float, end: float) -> tuple[float, float]:
    """Processor seconds of contestant and broker between two moments, interpolated."""

    def at(moment: float) -> tuple[float, float]:
        for one, other in pairwise(samples):
            if one.at <= moment <= other.at:
                share = (moment - one.at) / max(other.at - one.at, 1e-9)
                return (
                    one.cpu_s + share * (other.cpu_s - one.cpu_s),
                    one.broker_s + share * (other.broker_s - one.broker_s),
                )
        edge = samples[0] if moment < samples[0].at else samples[-1]
        return edge.cpu_s, edge.broker_s

    (own, broker), (own_after, broker_after) = at(start), at(end)
    return own_after - own, broker_after - broker


class Meter:
    """Samples the sessions of some processes, and the broker, while it is entered."""

    def __init__(self, sessions: Iterable[int], broker: int) -> None:
        self.samples: list[Sample] = []
        self._sessions = frozenset(sessions)
        self._broker = broker
        self._halt = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="meter", daemon=True)

    def __enter__(self) -> "Meter":
        self._sample()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._halt.set()
        self._thread.join()
        self._sample()

    def _watch(self) -> None:
        while not self._halt.wait(INTERVAL_S):
            self._sample()

    def _sample(self) -> None:
        own = broker = 0.0
        for stat in processes():
            own += stat.cpu_s if stat.session in self._sessions else 0.0
            broker += stat.cpu_s if stat.pid == self._broker else 0.0
        self.samples.append(Sample(time.time(), own, broker))
