"""What the terminal and the status page both show, as one value."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from streams.console.snapshot import Snapshot

State = Literal["starting", "running", "stopped", "failed"]


@dataclass(frozen=True, slots=True)
class Process:
    """One process of the run. `detail` says why it is not running, or nothing."""

    name: str
    state: State
    detail: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """`broker` says in a few words what the run uses; `url` is where the status page is served, if it is."""

    snapshot: Snapshot
    processes: tuple[Process, ...] = ()
    broker: str = ""
    url: str = ""

    @property
    def state(self) -> State:
        """The worst state of any process; running when none is known."""
        states = {process.state for process in self.processes}
        for state in ("failed", "stopped", "starting"):
            if state in states:
                return state
        return "running"


Look = Callable[[], View]


def as_json(view: View, stories: int = 50) -> dict[str, Any]:
    """The view in plain values, the newest story first."""
    shot = view.snapshot
    return {
        "broker": view.broker,
        "state": view.state,
        "processes": [{"name": p.name, "state": p.state, "detail": p.detail} for p in view.processes],
        "stages": [
            {"stage": c.stage, "unit": c.unit, "total": c.total, "parts": dict(c.parts), "dead_letters": c.dead}
            for c in shot.columns
        ],
        "suppressed": dict(shot.suppressed),
        "types": dict(shot.types),
        "subjects": shot.subjects,
        "repeats": shot.repeats,
        "unreadable": shot.unreadable,
        "stories": [
            {"at": s.at.isoformat(), "stage": s.stage, "about": s.about, "told": s.told, "tone": s.tone}
            for s in shot.stories[: -stories - 1 : -1]
        ],
        "summary": shot.summary,
    }
