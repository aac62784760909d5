"""What a run is to be, and what is said about it afterwards."""

import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.crash.oracle import Verdict
from tests.crash.stages import HOPS


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is to be. `count` faults are drawn from `faults`; `quiet_s` without any output and it has failed."""

    seed: int
    faults: Sequence[str] = ("kill",)
    count: int = 3
    workers: int = 2
    events: int = 10_000
    rate: float = 1000.0
    store: Literal["memory", "rocksdb"] = "memory"
    effect: bool = False
    broken: str = ""
    session_s: float = 6.0
    quiet_s: float = 60.0
    limit_s: float = 300.0

    @property
    def hops(self) -> Sequence[str]:
        """The stages that run."""
        return HOPS if self.effect else HOPS[:2]

    def schedule(self, dice: random.Random, total: int) -> list[tuple[int, str]]:
        """(outputs to wait for, fault); every kind comes before any comes twice."""
        kinds: list[str] = []
        while len(kinds) < self.count:
            kinds += dice.sample(list(self.faults), len(self.faults))
        width = total / (self.count + 1)
        return [(int(width * (at + dice.uniform(0.2, 0.9))), kind) for at, kind in enumerate(kinds[: self.count])]


@dataclass(slots=True)
class Report:
    """What happened. `aborted` outputs are there for nobody; `set_aside` counts stores that were found damaged."""

    plan: Plan
    verdict: Verdict = field(default_factory=Verdict)
    faults: list[dict[str, Any]] = field(default_factory=list)
    exits: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    left: list[int] = field(default_factory=list)
    trouble: str = ""
    outputs: dict[str, int] = field(default_factory=dict)
    aborted: int = 0
    set_aside: int = 0
    seconds: float = 0.0
    tails: dict[str, list[str]] = field(default_factory=dict)

    @property
    def right(self) -> bool:
        """It finished, and nothing is wrong."""
        return self.verdict.right and not self.trouble

    def summary(self) -> dict[str, Any]:
        """For one line of JSON."""
        recovered = [fault["recovery_s"] for fault in self.faults if fault["recovery_s"] is not None]
        plan = self.plan
        said: dict[str, Any] = {
            "verdict": "right" if self.right else "wrong",
            "seed": plan.seed,
            "workers": plan.workers,
            "store": plan.store,
            "events": plan.events,
            "outputs": self.outputs,
            "aborted": self.aborted,
            "set_aside": self.set_aside,
            "faults": self.faults,
            "exits": self.exits,
            "reasons": self.reasons,
            "left": self.left,
            "recovery_s": {"median": statistics.median(recovered), "max": max(recovered)} if recovered else {},
            "seconds": round(self.seconds, 1),
            "wrong": self.verdict.counts,
        }
        if plan.broken:
            said["broken"] = plan.broken
        if not self.right:
            said |= {"trouble": self.trouble, "examples": self.verdict.examples}
        return said
