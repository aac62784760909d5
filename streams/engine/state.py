"""The committed state of a lane: what a restore brings back and what a commit moves forward.

A store mirrors one changelog partition. Positions and timers live in the main store's changelog under reserved keys,
so that a restart finds them exactly as old as the state they belong to.
"""

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from streams.engine.store import Memory, Store
from streams.engine.timers import Timers

STATE = "state"
RESERVED = b"\x00"
POSITION = RESERVED + b"position:"
TIMER = RESERVED + b"timer:"
HOT_MAX = 50_000
"""Decoded objects of one generation; a lane keeps two, and what neither round asked for is decoded anew."""

Slot = tuple[str, bytes]
Pair = tuple[bytes, bytes | None]
_OFFSET = struct.Struct(">q")


class Position(NamedTuple):
    """The next offset of a source topic to process, and the id of that topic ("" when the broker has none)."""

    offset: int
    topic_id: str = ""

    def pack(self) -> bytes:
        """As stored in the changelog."""
        return _OFFSET.pack(self.offset) + self.topic_id.encode()

    @classmethod
    def unpack(cls, raw: bytes) -> "Position":
        """The inverse of `pack`."""
        return cls(int(_OFFSET.unpack_from(raw)[0]), raw[_OFFSET.size :].decode())


class State:
    """Stores by name, pending timers, positions by topic, and the decoded objects of the main store."""

    def __init__(self, stores: Mapping[str, Store], load: Callable[[bytes], Any] | None = None) -> None:
        self.stores = dict(stores)
        self.timers = Timers()
        self.positions: dict[str, Position] = {}
        self._load = load
        self._hot: dict[bytes, Any] = {}
        self._cooling: dict[bytes, Any] = {}
        for key, value in self.stores[STATE].scan(RESERVED):
            self._remember(key, value)

    @classmethod
    def in_memory(cls, stores: Iterable[str], load: Callable[[bytes], Any] | None = None) -> "State":
        """An empty one that ends with the process."""
        return cls({name: Memory() for name in stores}, load)

    def get(self, slot: Slot) -> bytes | None:
        """The committed value, or None."""
        store, key = slot
        return self.stores[store].get(key)

    def load(self, key: bytes) -> Any:
        """The committed object, or None."""
        found = self._hot.get(key)
        if found is None:
            if (found := self._cooling.get(key)) is not None:
                self._warm(key, found)
                return found
            raw = self.stores[STATE].get(key)
            if raw is None:
                return None
            assert self._load is not None, "a stage that loads objects says how"
            found = self._load(raw)
            self._warm(key, found)
        return found

    def absorb(self, store: str, pairs: Sequence[Pair], mark: int | None = None) -> None:
        """Take over what a changelog holds, in its order. `mark`: everything below this offset is in."""
        if store == STATE:
            own = [pair for pair in pairs if pair[0].startswith(RESERVED)]
            self.advance(
                store, [pair for pair in pairs if not pair[0].startswith(RESERVED)] if own else pairs, own, mark
            )
        else:
            self.advance(store, pairs, (), mark)

    def advance(self, store: str, pairs: Sequence[Pair], own: Sequence[Pair], mark: int | None = None) -> None:
        """The same with the engine's own pairs, of the main store, told apart already."""
        into = self.stores[store]
        into.write([*pairs, *own] if own and into.durable else pairs, mark)
        for key, value in own:
            self._remember(key, value)

    def heat(self, objects: Mapping[bytes, Any]) -> None:
        """Keep the objects a commit encoded."""
        if len(self._hot) >= HOT_MAX:
            self._hot, self._cooling = {}, self._hot
        self._hot.update(objects)
        for key in [key for key, value in objects.items() if value is None]:
            del self._hot[key]
            self._cooling.pop(key, None)

    def close(self) -> None:
        """Let go of what is open on disk."""
        for store in self.stores.values():
            store.close()

    def __len__(self) -> int:
        return sum(len(store) for store in self.stores.values())

    def _warm(self, key: bytes, value: Any) -> None:
        if len(self._hot) >= HOT_MAX:
            self._hot, self._cooling = {}, self._hot
        self._hot[key] = value

    def _remember(self, key: bytes, value: bytes | None) -> None:
        if key.startswith(TIMER):
            self.timers.apply({key[len(TIMER) :].decode(): value})
        elif value is not None:
            self.positions[key[len(POSITION) :].decode()] = Position.unpack(value)
