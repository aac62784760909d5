"""Keeps every metric within a bound, whatever a caller passes: beyond it a label says `other`.

So no customer, order or template can ever become a series.
"""

import re
from collections.abc import Mapping

from streams.runtime.catalog import LABELS

OTHER = "other"
SERIES_MAX = 2000
"""Distinct label sets one metric may have in one process."""

_WORD = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


class Bounds:
    """The labels of one metric; the first distinct words win."""

    def __init__(self) -> None:
        self._words: dict[str, set[str]] = {}
        self._sets: set[tuple[str, ...]] = set()

    def apply(self, wanted: Mapping[str, str]) -> dict[str, str]:
        """The same labels, each with a value it may have."""
        labels = {label: self._value(label, value) for label, value in wanted.items()}
        combined = tuple(labels.values())
        if combined in self._sets:
            return labels
        if len(self._sets) >= SERIES_MAX:
            return {label: value if label == "stage" else OTHER for label, value in labels.items()}
        self._sets.add(combined)
        return labels

    def _value(self, label: str, wanted: str) -> str:
        limit = LABELS[label]
        if isinstance(limit, tuple):
            return wanted if wanted in limit else OTHER
        words = self._words.setdefault(label, set())
        if wanted in words:
            return wanted
        if len(words) >= limit or not _WORD.fullmatch(wanted):
            return OTHER
        words.add(wanted)
        return wanted
