"""The processes of the run: started under the supervisor, awaited until they are ready, watched while they run."""

import asyncio
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from connectors.http import Limits, Wire
from streams.console.view import Process
from streams.errors import Failure, Fatal, Retry
from streams.local.supervise import Child, Supervisor
from streams.local.waiting import tail

_READY_S = 60.0
_LOOK_S, _LOOK_WHEN_WELL_S = 0.2, 1.0
_UNLIMITED = Limits(rate_per_s=1000, timeout_s=2, connect_timeout_s=1, attempts=1, breaker_failures=1_000_000)


@dataclass(frozen=True, slots=True)
class Member:
    """One process. `argv` follows the interpreter, `port` is where it answers /readyz."""

    name: str
    argv: tuple[str, ...]
    port: int


class Troupe:
    """Knows how each member is; `processes` may be asked at any time."""

    def __init__(self, supervisor: Supervisor, wire: Wire, logs: Path) -> None:
        self._supervisor, self._wire, self._logs = supervisor, wire, logs
        self._members: dict[str, Member] = {}
        self._reasons: dict[str, str | None] = {}

    def start(self, member: Member, env: Mapping[str, str]) -> None:
        """Starts it; what it says goes to a log file of its name."""
        self._members[member.name] = member
        self._reasons[member.name] = ""
        own = {**env, "TIDINGS_HTTP_PORT": str(member.port)}
        self._supervisor.start(Child(member.name, (sys.executable, *member.argv), self._log(member.name), own))

    async def ready(self, *names: str) -> None:
        """Until the named members are ready. Raises Fatal when one ended, Retry when it takes too long."""
        deadline = time.monotonic() + _READY_S
        while left := [name for name in names if self._reasons[name] is not None]:
            for name in left:
                if name in self._supervisor.ended:
                    code, words = self._supervisor.ended[name], tail(self._log(name))
                    raise Fatal("process_ended", f"{name} ended with {code} while starting: {words}")
            if time.monotonic() > deadline:
                raise Retry("not_ready", f"{', '.join(left)} not ready after {_READY_S:.0f} s; see {self._logs}")
            await asyncio.sleep(_LOOK_S)

    async def watch(self) -> None:
        """Asks every member again and again how it is, until cancelled."""
        clients = {}
        while True:
            for name, member in list(self._members.items()):
                if name not in clients:
                    clients[name] = self._wire.client("demo", f"http://127.0.0.1:{member.port}", None, _UNLIMITED)
                try:
                    answer = await clients[name].send("readyz", "GET", "/readyz", safe=True, expect={200, 503})
                    reasons = answer.json()["reasons"]
                    self._reasons[name] = ", ".join(f"{part}: {why}" for part, why in reasons.items()) or None
                except Failure:
                    self._reasons[name] = ""
            well = all(reason is None for reason in self._reasons.values())
            await asyncio.sleep(_LOOK_WHEN_WELL_S if well else _LOOK_S)

    def processes(self) -> tuple[Process, ...]:
        """How everybody is."""
        return tuple(self._process(name) for name in self._members)

    def _process(self, name: str) -> Process:
        ended, restarts, reason = self._supervisor.ended, self._supervisor.restarts.get(name, 0), self._reasons[name]
        if name in ended:
            return Process(name, "failed", f"exit code {ended[name]}")
        again = f"restarted {restarts} times" if restarts else ""
        return Process(name, "running" if reason is None else "starting", reason or again)

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"
