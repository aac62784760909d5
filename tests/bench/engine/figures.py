"""The figures of one run and the arithmetic between runs. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

SPEED = "events_s"


@dataclass(slots=True)
class Result:
    """One run of one contestant. Without verification, or with a `failure`, its figures count for nothing."""

    contestant: str
    round: int
    verified: bool = False
    failure: str = ""
    figures: dict[str, float] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def counts(self) -> bool:
        """Its figures may be compared."""
        return self.verified and not self.failure


@dataclass(frozen=True, slots=True)
class Spread:
    """Smallest, middle and largest of some values."""

    low: float
    middle: float
    high: float

    def __str__(self) -> str:
        return " / ".join(_short(value) for value in (self.low, self.middle, self.high))


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def spread(values: Iterable[float]) -> Spread | None:
    """The spread; None of nothing."""
    found = sorted(values)
    return Spread(found[0], median(found), found[-1]) if found else None


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]


def ratios(results: Iterable[Result], contestant: str, to: str) -> list[float]:
    """The speed of one contestant over another's, per round in which both count: only neighbours compare."""
    speeds: dict[int, dict[str, float]] = {}
    for result in results:
        if result.counts:
            speeds.setdefault(result.round, {})[result.contestant] = result.figures[SPEED]
    return [row[contestant] / row[to] for _, row in sorted(speeds.items()) if {contestant, to} <= row.keys()]
