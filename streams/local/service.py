"""What a broker and a registry have in common: something runs them, they answer or not, and they can be killed.

A service is a context manager, sync and async. `kill()` and `start()` again keep address and data, for fault tests.
"""

import asyncio
import random
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from streams.errors import Fatal, Misconfigured, Retry
from streams.local import process
from streams.local.choice import Kind

HOST = "127.0.0.1"
PATIENCE_S = 90.0
EXTERNAL_PATIENCE_S = 15.0

Asking = Callable[[str], Callable[[], bool]]
"""Given an address, a question to repeat: does it answer?"""


class Machine(Protocol):
    """Runs one server, wherever that is. `start` after `kill` brings the same one back."""

    address: str

    def start(self) -> None:
        """Starts it, without waiting until it answers."""

    def kill(self) -> None:
        """Ends it as a power cut would."""

    def stop(self) -> None:
        """Ends it for good and cleans up; harmless when it does not run."""

    def died(self) -> str | None:
        """Its last words when it ended on its own."""


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
        return f"{self._label} ({self.kind}, {self._machine.address or 'not started'}{self._because})"

    def start(self) -> None:
        """Starts it, or brings it back after `kill()`, and waits until it answers."""
        self._machine.start()
        answers = self._asking(self._machine.address)

        def answered_or_died() -> bool:
            if (words := self._machine.died()) is not None:
                raise Fatal("died_at_start", f"{self.describe} ended while starting: {words}")
            return answers()

        if process.until(answered_or_died, PATIENCE_S if self.kind != "external" else EXTERNAL_PATIENCE_S):
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


class External:
    """Somebody else's server: only its address is known, and it is not ours to stop."""

    def __init__(self, address: str) -> None:
        self.address = address

    def start(self) -> None:
        """Nothing to start."""

    def kill(self) -> None:
        """Refused: it is not ours."""
        raise Misconfigured("not_ours", f"{self.address} was not started here and is not killed from here")

    def stop(self) -> None:
        """Nothing to stop."""

    def died(self) -> str | None:
        """Nobody can tell."""
        return None


class Program:
    """A server that is a program on this machine, with a directory of its own for data and log."""

    def __init__(self, name: str, address: str, command: Callable[[Path], Sequence[str]]) -> None:
        self.address = address
        self._name = name
        self._command = command
        self._home: Path | None = None
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Prepares the directory at the first start and runs the command in it."""
        process.require_posix()
        if self._running is not None:
            raise Misconfigured("already_started", f"{self._name} at {self.address} runs already")
        if self._home is None:
            self._home = Path(tempfile.mkdtemp(prefix=f"tidings-{self._name}-"))
            process.at_our_end(self._home.name, ["rm", "-rf", str(self._home)])
        self._running = process.spawn(self._command(self._home), self._log(self._home), cwd=self._home)

    def kill(self) -> None:
        """Kills its process group."""
        if self._running is not None:
            process.kill(self._running)
            self._running = None

    def stop(self) -> None:
        """Ends it politely, then removes its directory."""
        if self._running is not None:
            process.end([self._running])
            self._running = None
        if self._home is not None:
            shutil.rmtree(self._home, ignore_errors=True)
            process.settled(self._home.name)
            self._home = None

    def died(self) -> str | None:
        """The end of its log, when it is no longer there."""
        if self._home is None or self._running is None or self._running.poll() is None:
            return None
        return f"exit code {self._running.returncode}, {process.tail(self._log(self._home))}"

    def _log(self, home: Path) -> Path:
        return home / f"{self._name}.log"


def free_port() -> int:
    """A free port below the range that the system takes for outgoing connections.

    In that range a client that knocks while the server is down may be given the server's own port, connect to itself
    and keep the server from coming back.
    """
    for _ in range(200):
        port = random.randrange(20_000, 30_000)
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise Retry("no_free_port", f"no free port between 20000 and 30000 on {HOST}")
