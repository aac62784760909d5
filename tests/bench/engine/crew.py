"""The processes of one run: contestant's workers and the feeder, with what they say."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from streams.local import process
from streams.local.waiting import tail, until
from tests.bench.engine.feed import Feed

READY_S = 120.0
ROOT = Path(__file__).parents[3]


class RunFailed(Exception):
    """A run that cannot be finished; the text says why."""


class Crew:
    """A contestant's workers, started by entering and ended by leaving."""

    def __init__(self, argv: Sequence[str], environs: Sequence[Mapping[str, str]], logs: Sequence[Path]) -> None:
        self._argv, self._environs, self._logs = argv, environs, logs
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def pids(self) -> list[int]:
        """Of the workers; each leads a session of its own."""
        return [worker.pid for worker in self._processes]

    def __enter__(self) -> Self:
        for environ, log in zip(self._environs, self._logs, strict=True):
            self._processes.append(process.spawn(self._argv, log, env=environ, cwd=ROOT))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process.end(self._processes)

    def await_ready(self) -> None:
        """Until every worker owns partitions."""

        def all_ready() -> bool:
            self.check()
            return all("READY" in log.read_text(errors="replace") for log in self._logs)

        if not until(all_ready, READY_S):
            raise RunFailed(f"not ready after {READY_S:.0f} s: {self.words()}")

    def check(self) -> None:
        """Raises RunFailed when a worker is gone."""
        for worker, log in zip(self._processes, self._logs, strict=True):
            if (code := worker.poll()) is not None:
                raise RunFailed(f"a worker left with {code}: {tail(log)}")

    def words(self) -> str:
        """The last lines each worker said."""
        return " || ".join(tail(log, 3) for log in self._logs)

    def about(self) -> dict[str, Any]:
        """What the first worker announced: versions and settings."""
        for line in self._logs[0].read_text(errors="replace").splitlines():
            if line.startswith("BENCH "):
                return dict(json.loads(line[6:]))
        return {}


class Feeder:
    """The process that sends; a burst that is held back is let go by `release`."""

    def __init__(self, feed: Feed) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.engine.feed", feed.line()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        if feed.hold:
            self._listen()

    def release(self) -> None:
        """Let readers see it."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def done(self) -> dict[str, float]:
        """Waits until everything is sent; when it started and ended, seconds since 1970."""
        said = self._listen()
        self._process.communicate()
        return said

    def _listen(self) -> dict[str, float]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RunFailed(f"the feeder left with {self._process.wait()}")
        return dict(json.loads(line))
