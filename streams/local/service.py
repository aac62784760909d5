"""What a broker and a registry have in common: something runs them, they answer or not, and they can be killed.

A service is a context manager, sync and async. `kill()` and `start()` again keep address and data, for fault tests.
"""

import asyncio
import re
from collections.abc import Callable
from types import TracebackType
from typing import Self

from streams.errors import Fatal, Misconfigured, Retry
from streams.local.choice import Kind
from streams.local.machines import Machine
from streams.local.waiting import until

PATIENCE_S = 90.0
EXTERNAL_PATIENCE_S = 30.0
_CREDENTIALS = re.compile(r"//[^/@]*@")

Asking = Callable[[str], Callable[[], bool]]
"""Given an address, a question to repeat: does it answer?"""


class Service:
    """A server that is started, awaited, killed and stopped through its machine."""

    def __init__(self, kind: Kind, label: str, machine: Machine, asking: Asking, because: str = "") -> None:
        self.kind: Kind = kind
        self._label = label
        self._machine = machine
        self._asking = asking
        self._because = f"; {because}" if because else ""

    @property
    def describe(self) -> str:
        """What runs where, for people: "Apache Kafka 4.1.0 (local, 127.0.0.1:20917)"."""
        address = _CREDENTIALS.sub("//", self._machine.address) or "not started"
        return f"{self._label} ({self.kind}, {address}{self._because})"

    def start(self) -> None:
        """Starts it, or brings it back after `kill()`, and waits until it answers."""
        self._machine.start()
        answers = self._asking(self._machine.address)

        def answered_or_died() -> bool:
            if (words := self._machine.died()) is not None:
                raise Fatal("died_at_start", f"{self.describe} ended while starting: {words}")
            return answers()

        if until(answered_or_died, PATIENCE_S if self.kind != "external" else EXTERNAL_PATIENCE_S):
            return
        if self.kind == "external":
            raise Misconfigured("unreachable", f"{self.describe} does not answer: is the address right, is it up?")
        raise Retry("not_ready", f"{self.describe} does not answer after {PATIENCE_S:.0f} s")

    def kill(self) -> None:
        """SIGKILL; address and data stay for the next `start()`. Misconfigured where that is not ours to do."""
        self._machine.kill()

    def stop(self) -> None:
        """Ends it and removes its data."""
        self._machine.stop()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.__enter__)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)
