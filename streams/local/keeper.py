"""One child process and the thread that keeps it running: who is started again, after what wait, and how often."""

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from streams.local import process, watchman

FINAL_CODES = frozenset({0, 2, 78, 126, 127})
"""Done, wrong usage, misconfigured, not executable, not found: starting again would change nothing."""

OnExit = Callable[[str, int, bool], None]
"""Is told a child's name, its exit code and whether it is started again, in the thread that keeps the child."""


@dataclass(frozen=True, slots=True)
class Child:
    """A program to keep running. `env` adds to our environment; `log` gets all it says, across restarts."""

    name: str
    argv: Sequence[str]
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None

    def spawn(self) -> subprocess.Popen[bytes]:
        """Starts it once."""
        return process.spawn(self.argv, self.log, env=self.env, cwd=self.cwd)


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits double from `first_s` to `longest_s`; a child that ran for `healthy_s` starts from the beginning."""

    first_s: float = 0.2
    longest_s: float = 5.0
    healthy_s: float = 30.0
    max_restarts: int = 20

    def wait_s(self, in_a_row: int) -> float:
        """The wait before the n-th restart in a row, from 1."""
        return float(min(self.longest_s, self.first_s * 2 ** min(in_a_row - 1, 30)))


class Keeper:
    """Starts a child at once and again whenever it leaves with a code that is not final, until told to leave it."""

    def __init__(self, child: Child, backoff: Backoff, on_exit: OnExit) -> None:
        self.exits: list[int] = []
        self.restarts = 0
        self._child = child
        self._backoff = backoff
        self._on_exit = on_exit
        self._in_a_row = 0
        self._bounced = False
        self._leaving = threading.Event()
        self._lock = threading.Lock()
        self._running: subprocess.Popen[bytes] | None = child.spawn()
        threading.Thread(target=self._keep, args=(self._running,), name=f"keep {child.name}", daemon=True).start()

    @property
    def running(self) -> subprocess.Popen[bytes] | None:
        """What runs right now, if anything does."""
        return self._running

    @property
    def ended(self) -> bool:
        """It does not run and is not started again."""
        return self._leaving.is_set() and self._running is None

    def send(self, number: signal.Signals, *, bounce: bool = False) -> None:
        """Sends a signal to the process group, if it runs; with `bounce` any exit that follows is not final."""
        with self._lock:
            if self._running is not None:
                self._bounced = bounce
                watchman.signal_group(self._running.pid, number)

    def leave(self) -> subprocess.Popen[bytes] | None:
        """No more restarts; gives what still runs, for somebody to end."""
        with self._lock:
            self._leaving.set()
            return self._running

    def _keep(self, running: subprocess.Popen[bytes] | None) -> None:
        while running is not None:
            since = time.monotonic()
            code = running.wait()
            process.kill(running)
            again = self._note(code, time.monotonic() - since)
            self._on_exit(self._child.name, code, again)
            running = self._again() if again else None

    def _note(self, code: int, ran_s: float) -> bool:
        with self._lock:
            self._running = None
            self.exits.append(code)
            fresh = self._bounced or ran_s >= self._backoff.healthy_s
            self._in_a_row = 1 if fresh else self._in_a_row + 1
            if not self._bounced and (code in FINAL_CODES or self._in_a_row > self._backoff.max_restarts):
                self._leaving.set()
            self._bounced = False
            return not self._leaving.is_set()

    def _again(self) -> subprocess.Popen[bytes] | None:
        self._leaving.wait(self._backoff.wait_s(self._in_a_row))
        with self._lock:
            if not self._leaving.is_set():
                self._running = self._child.spawn()
                self.restarts += 1
            return self._running
