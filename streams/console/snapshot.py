"""A tally at one moment, as a value that whoever shows it may keep."""

from dataclasses import dataclass
from typing import Any

from streams.console.story import Story
from streams.topics import Stage

UNITS: dict[Stage, str] = {
    "collect": "webhooks",
    "resolve": "facts filed",
    "decide": "decisions",
    "compose": "documents",
    "notify": "hand-overs",
    "track": "outcomes",
    "report": "write-backs",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One stage: its total, what it is made of, and how many records it gave up."""

    stage: Stage
    unit: str
    total: int
    parts: tuple[tuple[str, int], ...]
    dead: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A tally at one moment. Stories are in order of arrival, the newest last."""

    columns: tuple[Column, ...]
    suppressed: tuple[tuple[str, int], ...]
    types: tuple[tuple[str, int], ...]
    stories: tuple[Story, ...]
    subjects: int
    repeats: int
    unreadable: int
    summary: dict[str, Any]

    @property
    def dead(self) -> int:
        """Records all stages gave up."""
        return sum(column.dead for column in self.columns)
