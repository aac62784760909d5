"""The local mirror of one changelog partition: what a store does, the one in memory, and when an old one may be used.

The changelog is the truth. A store may be thrown away at any time; the price is that the changelog is read from its
beginning.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, Protocol

Pair = tuple[bytes, bytes | None]

FRESH_S = 12 * 3600
"""Seconds a mark is good for. A tombstone stays in the changelog for `delete.retention.ms`, 24 h, at least: whoever
missed it keeps a key for good. Half of that leaves room to catch up."""

SKEW_S = 60
"""Seconds by which a mark may lie in the future; beyond them a clock is or was wrong, and its age means nothing."""


class Mark(NamedTuple):
    """How far a store has come: everything in changelog `changelog_id` below `offset`, written at epoch second `at`."""

    changelog_id: str
    offset: int
    at: int


class Store(Protocol):
    """Keys to values, for one lane, which may come from any thread but does one thing at a time."""

    @property
    def durable(self) -> bool:
        """Whether it survives the process: then reserved keys are kept in it too, and marks mean something."""
        ...

    def get(self, key: bytes, /) -> bytes | None:
        """The value, or None."""
        ...

    def write(self, pairs: Iterable[Pair], mark: int | None = None) -> None:
        """Apply all pairs in their order, or none of them; None deletes.

        `mark`: with these pairs, every changelog record below this offset is in the store.
        """
        ...

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Every pair whose key begins so, in no promised order. What is written meanwhile may be missing."""
        ...

    def __len__(self) -> int:
        """How many keys, cheaply; of a durable store an estimate, too high while overwritten values are not merged."""
        ...

    def mark(self) -> Mark | None:
        """What a later life may rely on; None when nothing."""
        ...

    def close(self) -> None:
        """Let go of files; closing twice is nothing."""
        ...


class Memory:
    """A dict that ends with the process. `get` is the dict's own: it runs once per record."""

    __slots__ = ("_pairs", "get")
    durable = False

    def __init__(self) -> None:
        self._pairs: dict[bytes, bytes] = {}
        self.get: Callable[[bytes], bytes | None] = self._pairs.get

    def write(self, pairs: Iterable[Pair], mark: int | None = None) -> None:
        """Apply; a mark is nothing to remember."""
        for key, value in pairs:
            if value is None:
                self._pairs.pop(key, None)
            else:
                self._pairs[key] = value

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Looks at every key; the pairs are those of the moment it begins."""
        return iter([pair for pair in self._pairs.items() if pair[0].startswith(prefix)])

    def __len__(self) -> int:
        return len(self._pairs)

    def mark(self) -> Mark | None:
        """Never anything."""
        return None

    def close(self) -> None:
        """Holds nothing that has to be let go."""


def doubt(mark: Mark | None, changelog_id: str, end: int, low: int, now: int) -> str | None:
    """Why a store with this mark is void for a changelog that ends at `end` and begins at `low`, at epoch second `now`.

    None when it is not; else one of no_mark, other_changelog, ahead, behind, stale. A changelog
    without an id ("") is never known to be the same.
    """
    if mark is None:
        return "no_mark"
    if not changelog_id or mark.changelog_id != changelog_id:
        return "other_changelog"
    if mark.offset > end:
        return "ahead"
    if mark.offset < low:
        return "behind"
    if not -SKEW_S <= now - mark.at < FRESH_S:
        return "stale"
    return None
