"""What one record changes. Nothing a step holds is visible to anyone until its lane commits.

Steps are layered: a record's step reads through its batch to the committed state, so a record that fails halfway is
thrown away whole, and the records before it in the same batch are not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from streams.engine.model import RECORD_MAX, Headers, Out, Timer
from streams.errors import Reject

STATE = "state"
Slot = tuple[str, bytes]


class State:
    """The committed state of a lane: one dict per store, and its pending timers."""

    def __init__(self, stores: Mapping[str, str]) -> None:
        self.stores: dict[str, dict[bytes, bytes]] = {name: {} for name in stores}
        self.timers: dict[str, Timer] = {}

    def get(self, slot: Slot) -> bytes | None:
        """The committed value, or None."""
        store, key = slot
        return self.stores[store].get(key)

    def apply(self, changes: "Changes") -> None:
        """Make committed changes the state."""
        for (store, key), value in changes.puts.items():
            if value is None:
                self.stores[store].pop(key, None)
            else:
                self.stores[store][key] = value
        for timer_id, timer in changes.timers.items():
            if timer is None:
                self.timers.pop(timer_id, None)
            else:
                self.timers[timer_id] = timer


@dataclass(slots=True)
class Changes:
    """Puts (None deletes), timers (None cancels) and outputs, in order."""

    puts: dict[Slot, bytes | None] = field(default_factory=dict)
    timers: dict[str, Timer | None] = field(default_factory=dict)
    outs: list[Out] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.puts or self.timers or self.outs)

    def absorb(self, other: "Changes") -> None:
        """Add a later step's changes."""
        self.puts.update(other.puts)
        self.timers.update(other.timers)
        self.outs.extend(other.outs)


class Step:
    """The only thing a stage's function gets to touch, beside the record itself."""

    __slots__ = ("_base", "_batch", "_partition", "changes", "now")

    def __init__(self, base: State, batch: Changes, partition: int, now: int) -> None:
        self._base = base
        self._batch = batch
        self._partition = partition
        self.now = now
        self.changes = Changes()

    def get(self, key: bytes, store: str = STATE) -> bytes | None:
        """The value as this record sees it: its own change, an earlier record's, or the committed one."""
        slot = (store, key)
        for layer in (self.changes.puts, self._batch.puts):
            if slot in layer:
                return layer[slot]
        return self._base.get(slot)

    def put(self, key: bytes, value: bytes | None, store: str = STATE) -> None:
        """Set or, with None, delete. Raises Reject("too_large")."""
        _fits(value, store)
        self.changes.puts[store, key] = value

    def send(self, topic: str, key: bytes, value: bytes, headers: Headers = (), *, here: bool = False) -> None:
        """Produce a record by key, or with `here` to this lane's own partition number. Raises Reject("too_large")."""
        _fits(value, topic)
        self.changes.outs.append(Out(topic, key, value, headers, self._partition if here else None))

    def schedule(self, timer: Timer) -> None:
        """Set a timer; the same id again replaces it."""
        self.changes.timers[timer.timer_id] = timer

    def cancel(self, timer_id: str) -> None:
        """Forget a timer that is pending; an unknown id is nothing."""
        if timer_id in self.changes.timers or timer_id in self._batch.timers or timer_id in self._base.timers:
            self.changes.timers[timer_id] = None


def _fits(value: bytes | None, where: str) -> None:
    # Found here it costs one record; found by the producer it would cost the process, again and again.
    if value is not None and len(value) > RECORD_MAX:
        raise Reject("too_large", f"{len(value)} bytes for {where}, at most {RECORD_MAX} fit")
