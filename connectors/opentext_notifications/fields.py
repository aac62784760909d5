"""Reads the provider's loosely shaped JSON without trusting it. Pure; nothing here raises on a strange shape."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

_ADDRESS = re.compile(r"[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+|\+?\d[\d\s()/-]{6,}\d")


def objects(holder: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    """The objects under a name, where one stands for a list of one and a bare time for an event at that time."""
    value = holder.get(name)
    items = value if isinstance(value, list) else [] if value is None else [value]
    return [item if isinstance(item, dict) else {"event_time": item} for item in items]


def first(paths: Sequence[str], root: Mapping[str, Any]) -> Any:
    """The first value found on one of the paths, "$.a.b" or "a", or None."""
    for path in paths:
        found: Any = root
        for name in path.removeprefix("$.").split("."):
            found = found.get(name) if isinstance(found, dict) else None
        if found is not None:
            return found
    return None


def instant(value: Any) -> datetime | None:
    """A time in any of the usual spellings, or None; without a zone it is UTC."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
        return at if at is None else at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def integer(value: Any) -> int | None:
    """A whole number, also when it comes as text, or None."""
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None


def text(value: Any) -> str:
    """A word or message; empty when there is none."""
    return "" if value is None else str(value)


def masked(words: str, limit: int = 1000) -> str:
    """The provider's words without addresses, short enough to keep."""
    return _ADDRESS.sub("<address>", " ".join(words.split()))[:limit]
