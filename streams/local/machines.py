"""What runs a server: somebody else, or a program on this machine with a directory of its own."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from streams.errors import Misconfigured
from streams.local import leash, process
from streams.local.waiting import tail


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
        if self._running is not None:
            raise Misconfigured("already_started", f"{self._name} at {self.address} runs already")
        if self._home is None:
            self._home = Path(tempfile.mkdtemp(prefix=f"tidings-{self._name}-"))
            leash.at_our_end(self._home.name, ["rm", "-rf", str(self._home)])
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
            leash.settled(self._home.name)
            self._home = None

    def died(self) -> str | None:
        """The end of its log, when it is no longer there."""
        if self._home is None or self._running is None or self._running.poll() is None:
            return None
        return f"exit code {self._running.returncode}, {tail(self._log(self._home))}"

    def _log(self, home: Path) -> Path:
        return home / f"{self._name}.log"
