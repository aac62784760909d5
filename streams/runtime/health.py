"""Says whether the process is alive and whether it can do its work, each with reasons a person can act on.

Alive fails only for what a restart would cure. Ready fails for whatever holds work up, and from the start until every
expected part has reported.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Probe = Callable[[], str | None]
"""Asked at each request; answers None when all is well, else the reason."""

NOT_YET = "not reported yet"
STOPPING = "stopping"


@dataclass(frozen=True, slots=True)
class Report:
    """An answer, with the reason per check that does not hold."""

    ok: bool
    reasons: Mapping[str, str] = field(default_factory=dict)


class Health:
    """Named checks. A part reports by name, or is asked through a probe."""

    def __init__(self) -> None:
        self._states: dict[str, str | None] = {}
        self._probes: dict[str, Probe] = {}
        self._vital: set[str] = set()
        self._stopping = False

    def expect(self, name: str, *, vital: bool = False) -> None:
        """A part that will report; not ready until it did. A vital one decides on being alive once it reported."""
        self._states.setdefault(name, NOT_YET)
        if vital:
            self._vital.add(name)

    def probe(self, name: str, probe: Probe, *, vital: bool = False) -> None:
        """A part that is asked. A probe must be quick and must not wait for anything."""
        self._probes[name] = probe
        if vital:
            self._vital.add(name)

    def good(self, name: str) -> None:
        """The part does its work."""
        self._states[name] = None

    def bad(self, name: str, reason: str) -> None:
        """The part does not; the reason holds ids and no addresses."""
        self._states[name] = reason

    def stop(self) -> None:
        """No longer ready, so that nothing new is sent here; alive until the end."""
        self._stopping = True

    def live(self) -> Report:
        """Whether a restart is not needed."""
        reasons = {name: why for name, why in self._reasons().items() if name in self._vital and why != NOT_YET}
        return Report(not reasons, reasons)

    def ready(self) -> Report:
        """Whether all parts do their work."""
        reasons = self._reasons()
        if self._stopping:
            reasons = {"process": STOPPING, **reasons}
        return Report(not reasons, reasons)

    def _reasons(self) -> dict[str, str]:
        asked = {name: _ask(probe) for name, probe in self._probes.items()}
        return {name: why for name, why in {**self._states, **asked}.items() if why is not None}


def _ask(probe: Probe) -> str | None:
    try:
        return probe()
    except Exception as error:  # noqa: BLE001 - a broken check is a finding, not a reason to answer nothing
        return f"check failed with {type(error).__name__}"
