"""The scenarios of `make crash`, and the bad builds each with the fault that brings it to light.

TIDINGS_CRASH=all runs all of them; without it only the few that every test run can afford.
"""

import os
from collections.abc import Mapping
from typing import TypeVar

from tests.crash.plan import Plan

T = TypeVar("T")

SCENARIOS: Mapping[str, Plan] = {
    "kills": Plan(11, ("kill", "term"), 4, 2, 16_000),
    "zombie": Plan(12, ("stop",), 1, 2, 14_000),
    "points": Plan(13, ("point", "twice"), 3, 2, 16_000, 600.0),
    "effect": Plan(14, ("kill", "outage", "term"), 3, 2, 8_000, 300.0, effect=True),
    "storm": Plan(15, ("storm",), 1, 3, 16_000, 400.0),
    "broker": Plan(16, ("broker", "pause"), 2, 2, 14_000, 400.0),
    "disk": Plan(17, ("spoil", "disk", "mute"), 3, 2, 16_000, 400.0, "rocksdb"),
}
EVERYDAY = ("kills", "zombie")

BROKEN: Mapping[str, tuple[Plan, str]] = {
    "position_first": (Plan(21, ("kill",), 1, 1, 6_000), "lost"),
    "reads_from_elsewhere": (Plan(22, ("kill",), 1, 1, 6_000, 300.0), "lost"),
    "unfenced": (Plan(23, ("stop",), 1, 2, 14_000), "repeated"),
    "forgets_timers": (Plan(24, ("kill",), 1, 1, 6_000), "timer_lost"),
}
"""What it must be called: a run that merely did not finish is `behind`, and proves nothing."""

EVERYDAY_BROKEN = ("position_first",)

TRIES = 3


def chosen(all_of: Mapping[str, T], everyday: tuple[str, ...]) -> list[str]:
    """The names to run."""
    return list(all_of if os.environ.get("TIDINGS_CRASH") == "all" else everyday)
