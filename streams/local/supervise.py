"""Keeps child processes running: restarts what leaves with 70 or crashes, and leaves nobody behind.

Promises: a child that ends well, or that only a person can help, is not started again; one that keeps crashing is given
up after `max_restarts` in a row; leaving the supervisor ends every child within eight seconds; being killed with -9
ends them too.
"""

import asyncio
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import NoReturn, Self

from streams.errors import Misconfigured
from streams.local import process, watchman

FINAL_CODES = frozenset({0, 2, 78, 126, 127})
"""Done, wrong usage, misconfigured, not executable, not found: starting again would change nothing."""


@dataclass(frozen=True, slots=True)
class Child:
    """A program to keep running. `env` adds to our environment; `log` gets all it says, across restarts."""

    name: str
    argv: Sequence[str]
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None


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


@dataclass(slots=True)
class _Kept:
    child: Child
    running: subprocess.Popen[bytes] | None = None
    exits: list[int] = field(default_factory=list)
    restarts: int = 0
    in_a_row: int = 0
    bounced: bool = False
    leaving: threading.Event = field(default_factory=threading.Event)


class Supervisor:
    """A context manager, sync and async; entered in the main thread it turns SIGTERM into an orderly end."""

    def __init__(
        self,
        *,
        backoff: Backoff | None = None,
        grace_s: float = process.GRACE_S,
        on_exit: Callable[[str, int, bool], None] = lambda *_: None,
    ) -> None:
        """`on_exit(name, exit code, starts again)` is called from the thread that watches the child."""
        self._backoff = backoff or Backoff()
        self._grace_s = grace_s
        self._on_exit = on_exit
        self._kept: dict[str, _Kept] = {}
        self._watchers: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._took_sigterm = False

    @property
    def pids(self) -> dict[str, int]:
        """The pid of every child that runs; it is its process group's number too."""
        with self._lock:
            return {name: kept.running.pid for name, kept in self._kept.items() if kept.running is not None}

    @property
    def restarts(self) -> dict[str, int]:
        """How often each child was started again."""
        with self._lock:
            return {name: kept.restarts for name, kept in self._kept.items()}

    @property
    def exits(self) -> dict[str, list[int]]:
        """Each child's exit codes, oldest first; a negative one is the signal that ended it."""
        with self._lock:
            return {name: list(kept.exits) for name, kept in self._kept.items()}

    @property
    def ended(self) -> dict[str, int]:
        """The last exit code of every child that is not started again."""
        with self._lock:
            return {name: kept.exits[-1] for name, kept in self._kept.items() if kept.exits and kept.leaving.is_set()}

    def start(self, child: Child) -> None:
        """Starts a child and keeps it running. A name is free again when its child has ended."""
        process.require_posix()
        with self._lock:
            previous = self._kept.get(child.name)
            if previous is not None and not previous.leaving.is_set():
                raise Misconfigured("name_taken", f"a child named {child.name} is supervised already")
            kept = self._kept[child.name] = _Kept(child)
            kept.running = _spawn(child)
        watcher = threading.Thread(target=self._watch, args=(kept,), name=f"watch {child.name}", daemon=True)
        self._watchers.append(watcher)
        watcher.start()

    def send(self, name: str, number: signal.Signals) -> None:
        """Sends a signal to a child's process group, if it runs; a fault test's SIGSTOP, say."""
        with self._lock:
            kept = self._named(name)
            if kept.running is not None:
                watchman.signal_group(kept.running.pid, number)

    def kill(self, name: str) -> None:
        """SIGKILL for a child's process group; it is started again like after any crash."""
        self.send(name, signal.SIGKILL)

    def restart(self, name: str) -> None:
        """SIGTERM for a child's process group; it is started again whatever its exit code."""
        with self._lock:
            kept = self._named(name)
            kept.bounced = kept.running is not None
        self.send(name, signal.SIGTERM)

    def stop(self, *names: str) -> None:
        """Ends the named children, or all, together and for good: SIGTERM, after the grace SIGKILL."""
        with self._lock:
            chosen = [self._named(name) for name in names] if names else list(self._kept.values())
            for kept in chosen:
                kept.leaving.set()
            running = [kept.running for kept in chosen if kept.running is not None]
        process.end(running, self._grace_s)
        process.until(lambda: all(kept.running is None for kept in chosen), 2.0)

    def _named(self, name: str) -> _Kept:
        if name not in self._kept:
            names = ", ".join(self._kept) or "none"
            raise Misconfigured("unknown_child", f"no child is named {name}; there are: {names}")
        return self._kept[name]

    def _watch(self, kept: _Kept) -> None:
        running = kept.running
        while running is not None:
            since = time.monotonic()
            code = running.wait()
            process.kill(running)
            again = self._note_exit(kept, code, time.monotonic() - since)
            self._on_exit(kept.child.name, code, again)
            running = self._again(kept) if again else None

    def _note_exit(self, kept: _Kept, code: int, ran_s: float) -> bool:
        with self._lock:
            kept.running = None
            kept.exits.append(code)
            kept.in_a_row = 1 if ran_s >= self._backoff.healthy_s or kept.bounced else kept.in_a_row + 1
            wanted = kept.bounced or (code not in FINAL_CODES and kept.in_a_row <= self._backoff.max_restarts)
            kept.bounced = False
            if not wanted:
                kept.leaving.set()
            return not kept.leaving.is_set()

    def _again(self, kept: _Kept) -> subprocess.Popen[bytes] | None:
        kept.leaving.wait(self._backoff.wait_s(kept.in_a_row))
        with self._lock:
            if kept.leaving.is_set():
                return None
            kept.restarts += 1
            kept.running = _spawn(kept.child)
            return kept.running

    def __enter__(self) -> Self:
        in_main = threading.current_thread() is threading.main_thread()
        if in_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, _leave)
            self._took_sigterm = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._let_go()
        self.stop()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._let_go()
        await asyncio.shield(asyncio.to_thread(self.stop))

    def _let_go(self) -> None:
        if self._took_sigterm:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            self._took_sigterm = False


def _spawn(child: Child) -> subprocess.Popen[bytes]:
    return process.spawn(child.argv, child.log, env=child.env, cwd=child.cwd)


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
