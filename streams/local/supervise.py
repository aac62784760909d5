"""Keeps child processes running: restarts what leaves with 70 or crashes, and leaves nobody behind.

Promises: a child that ends well, or that only a person can help, is not started again; one that keeps crashing is given
up; leaving the supervisor ends every child within eight seconds; being killed with -9 ends them too.
"""

import asyncio
import signal
import threading
from types import FrameType, TracebackType
from typing import NoReturn, Self

from streams.errors import Misconfigured
from streams.local import process
from streams.local.keeper import Backoff, Child, Keeper, OnExit
from streams.local.waiting import until

__all__ = ["Backoff", "Child", "Supervisor"]

DEFAULT_BACKOFF = Backoff()


class Supervisor:
    """A context manager, sync and async; entered in the main thread it turns SIGTERM into an orderly end."""

    def __init__(
        self,
        *,
        backoff: Backoff = DEFAULT_BACKOFF,
        grace_s: float = process.GRACE_S,
        on_exit: OnExit = lambda *_: None,
    ) -> None:
        self._backoff = backoff
        self._grace_s = grace_s
        self._on_exit = on_exit
        self._keepers: dict[str, Keeper] = {}
        self._took_sigterm = False

    @property
    def pids(self) -> dict[str, int]:
        """The pid of every child that runs; it is its process group's number too."""
        running = {name: keeper.running for name, keeper in self._keepers.items()}
        return {name: child.pid for name, child in running.items() if child is not None}

    @property
    def restarts(self) -> dict[str, int]:
        """How often each child was started again."""
        return {name: keeper.restarts for name, keeper in self._keepers.items()}

    @property
    def exits(self) -> dict[str, list[int]]:
        """Each child's exit codes, oldest first; a negative one is the signal that ended it."""
        return {name: list(keeper.exits) for name, keeper in self._keepers.items()}

    @property
    def ended(self) -> dict[str, int]:
        """The last exit code of every child that has ended and is not started again."""
        return {name: keeper.exits[-1] for name, keeper in self._keepers.items() if keeper.ended}

    def start(self, child: Child) -> None:
        """Starts a child and keeps it running. A name is free again when its child has ended."""
        if child.name in self._keepers and not self._keepers[child.name].ended:
            raise Misconfigured("name_taken", f"a child named {child.name} is kept running already")
        self._keepers[child.name] = Keeper(child, self._backoff, self._on_exit)

    def send(self, name: str, number: signal.Signals) -> None:
        """Sends a signal to a child's process group, if it runs; a fault test's SIGSTOP, say."""
        self._named(name).send(number)

    def kill(self, name: str) -> None:
        """SIGKILL for a child's process group; it is started again like after any crash."""
        self._named(name).send(signal.SIGKILL)

    def restart(self, name: str) -> None:
        """SIGTERM for a child's process group; it is started again whatever its exit code."""
        self._named(name).send(signal.SIGTERM, bounce=True)

    def stop(self, *names: str) -> None:
        """Ends the named children, or all, together and for good: SIGTERM, after the grace SIGKILL."""
        chosen = [self._named(name) for name in names or self._keepers]
        left = [keeper.leave() for keeper in chosen]
        process.end([running for running in left if running is not None], self._grace_s)
        until(lambda: all(keeper.ended for keeper in chosen), 2.0)

    def _named(self, name: str) -> Keeper:
        if name not in self._keepers:
            known = ", ".join(self._keepers) or "none"
            raise Misconfigured("unknown_child", f"no child is named {name}; there are: {known}")
        return self._keepers[name]

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
        await asyncio.to_thread(self.stop)

    def _let_go(self) -> None:
        # A second SIGTERM ends us at once: the watchman ends the children then.
        if self._took_sigterm:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            self._took_sigterm = False


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
