"""The workers of a run and their supervisor: whoever leaves is started again, as a supervisor would."""

import asyncio
import os
import random
import re
import signal
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

from streams.errors import Fatal
from streams.local import leash, process
from streams.local.waiting import tail
from tests.crash.worker import Job

LOOK_S = 0.02
HASTY_S = 3.0
PATIENCE_S = 30.0
REFUSES = 78
FORESEEN = {0, 70, -signal.SIGKILL, -signal.SIGTERM}
LEAVES = re.compile(r"engine\.leaves .*guard=(\w+)")


@dataclass(slots=True)
class Worker:
    """One place in the crew; `wanted` says whether somebody is to be in it."""

    name: str
    job: Job
    log: Path
    wanted: bool = True
    running: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    starts: int = 0
    not_before: float = 0.0
    exits: list[int] = field(default_factory=list)

    def signal(self, number: signal.Signals) -> None:
        """To whoever is there."""
        if self.running is not None:
            os.kill(self.running.pid, number)

    @property
    def here(self) -> bool:
        """Somebody runs."""
        return self.running is not None


class Crew:
    """Keeps as many workers running as are wanted."""

    def __init__(self, job: Job, directory: Path) -> None:
        self.workers: list[Worker] = []
        self.exits: Counter[int] = Counter()
        self._job, self._directory = job, directory
        self._over = False

    def add(self) -> Worker:
        """One more, or one that was sent away."""
        for worker in self.workers:
            if not worker.wanted and not worker.here:
                worker.wanted = True
                return worker
        name = f"worker-{len(self.workers)}"
        job = replace(self._job, data_dir=str(self._directory / name))
        self.workers.append(Worker(name, job, self._directory / f"{name}.log"))
        return self.workers[-1]

    async def keep(self) -> None:
        """Start whoever is wanted and not there, until told to stop. Raises Fatal when a worker refuses to start."""
        while not self._over:
            for worker in self.workers:
                self._look(worker)
            await asyncio.sleep(LOOK_S)

    def _look(self, worker: Worker) -> None:
        if worker.running is not None and (code := worker.running.poll()) is not None:
            leash.settled(worker.running.pid)
            worker.running = None
            worker.exits.append(code)
            self.exits[code] += 1
            # One that leaves at once would leave again: a supervisor waits before it tries.
            hasty = code > 0 and time.monotonic() - worker.started < HASTY_S
            worker.not_before = time.monotonic() + (1.0 if hasty else 0.0)
            if code == REFUSES:
                raise Fatal("refused", f"{worker.name} refuses to start: {tail(worker.log, 3)}")
            if code not in FORESEEN:
                raise Fatal("crashed", f"{worker.name} ended with {code}: {tail(worker.log, 3)}")
        if worker.running is None and worker.wanted and time.monotonic() >= worker.not_before:
            worker.running = process.spawn(worker.job.argv, worker.log)
            worker.started, worker.starts = time.monotonic(), worker.starts + 1

    def pick(self, dice: random.Random) -> Worker | None:
        """Somebody who runs."""
        here = [worker for worker in self.workers if worker.here and worker.wanted]
        return dice.choice(here) if here else None

    async def dismiss(self) -> list[int]:
        """SIGTERM to all; their exit codes, -9 for who had to be killed."""
        self._over = True
        for worker in self.workers:
            worker.wanted = False
            worker.signal(signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE_S
        while any(w.running is not None and w.running.poll() is None for w in self.workers):
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(LOOK_S)
        return [process.kill(worker.running) for worker in self.workers if worker.running is not None]

    def reasons(self) -> Counter[str]:
        """Why workers left, in their own words: guards by how often."""
        said = (worker.log.read_text(errors="replace") for worker in self.workers if worker.log.exists())
        return Counter(found for text in said for found in LEAVES.findall(text))

    def tails(self, lines: int = 12) -> dict[str, list[str]]:
        """The last lines of every log."""
        return {worker.name: tail(worker.log, lines).split(" | ") for worker in self.workers}
