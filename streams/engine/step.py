"""What a stage's function sees and changes. Nothing a step holds is visible to anyone until its lane commits.

Steps are layered: a record's own step reads through its batch to the committed state, so a record that fails halfway is
thrown away whole, and the records before it in the same batch are not.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from streams.engine.model import RECORD_MAX, Headers, Out, Record, Timer
from streams.engine.state import RESERVED, STATE, Slot, State
from streams.errors import Reject, Skip

_ABSENT: Any = object()


@dataclass(slots=True)
class Changes:
    """Values (None deletes), objects and their bytes, timers (None cancels), outputs, notes and refused records."""

    puts: dict[Slot, bytes | None] = field(default_factory=dict)
    objects: dict[bytes, Any] = field(default_factory=dict)
    dumped: dict[bytes, bytes | None] = field(default_factory=dict)
    timers: dict[str, Timer | None] = field(default_factory=dict)
    outs: list[Out] = field(default_factory=list)
    notes: list[Any] = field(default_factory=list)
    refused: list[tuple[Record, Exception]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.puts or self.objects or self.timers or self.outs)

    def absorb(self, other: "Changes") -> None:
        """Add a later step's changes."""
        self.puts.update(other.puts)
        self.objects.update(other.objects)
        self.dumped.update(other.dumped)
        self.timers.update(other.timers)
        self.outs.extend(other.outs)
        self.notes.extend(other.notes)
        self.refused.extend(other.refused)


class Step:
    """The only thing a stage's function gets to touch, beside the records themselves.

    `now` is the wall clock in epoch milliseconds, one value per step. A key holds either bytes (`get`, `put`) or, in
    the stage's main store and when the stage says how to `load` and `dump` it, an object (`load`, `save`).
    """

    __slots__ = ("_layers", "_partition", "_state", "_trace", "changes", "now")

    def __init__(
        self, state: State, layers: tuple[Changes, ...], partition: int, now: int, trace: Headers = ()
    ) -> None:
        self._state, self._layers, self._partition, self._trace = state, layers, partition, trace
        self.now = now
        self.changes = Changes()

    def get(self, key: bytes, store: str = STATE) -> bytes | None:
        """The value as this record sees it: its own change, an earlier record's, or the committed one."""
        slot = (store, key)
        found = self.changes.puts.get(slot, _ABSENT)
        if found is _ABSENT:
            for layer in self._layers:
                found = layer.puts.get(slot, _ABSENT)
                if found is not _ABSENT:
                    break
            else:
                return self._state.get(slot)
        return found  # type: ignore[no-any-return]  # the sentinel is gone here

    def put(self, key: bytes, value: bytes | None, store: str = STATE) -> None:
        """Set or, with None, delete. Raises Reject("too_large" or "reserved_key")."""
        if key[:1] == RESERVED:
            raise _reserved(key)
        if value is not None and len(value) > RECORD_MAX:
            raise too_large(value, store)
        self.changes.puts[store, key] = value

    def load(self, key: bytes) -> Any:
        """The object under a key, or None. It is shared: change a copy and `save` that."""
        found = self.changes.objects.get(key, _ABSENT)
        if found is _ABSENT:
            for layer in self._layers:
                found = layer.objects.get(key, _ABSENT)
                if found is not _ABSENT:
                    return found
            return self._state.load(key)
        return found

    def save(self, key: bytes, value: Any) -> None:
        """Keep an object, or with None forget it; encoded once per commit. Raises Reject("reserved_key")."""
        if key[:1] == RESERVED:
            raise _reserved(key)
        self.changes.objects[key] = value

    def send(self, topic: str, key: bytes, value: bytes, headers: Headers = (), *, here: bool = False) -> None:
        """Produce a record by key, or with `here` to this lane's own partition number. Raises Reject("too_large")."""
        if len(value) > RECORD_MAX:
            raise too_large(value, topic)
        if self._trace:
            headers += self._trace
        self.changes.outs.append(Out(topic, key, value, headers, self._partition if here else None))

    def schedule(self, timer: Timer) -> None:
        """Set a timer; the same id again replaces it."""
        self.changes.timers[timer.timer_id] = timer

    def cancel(self, timer_id: str) -> None:
        """Forget a timer that is pending; an unknown id is nothing."""
        known = any(timer_id in layer.timers for layer in (self.changes, *self._layers))
        if known or timer_id in self._state.timers:
            self.changes.timers[timer_id] = None

    def note(self, note: Any) -> None:
        """Something to tell `Stage.committed` once the step is durable: what is counted is what happened."""
        self.changes.notes.append(note)

    def refuse(self, record: Record, error: Exception) -> None:
        """Give a record up: it becomes a dead letter, or is counted as skipped, in this same step."""
        self.changes.refused.append((record, error))

    def nested(self, trace: Headers = ()) -> "Step":
        """A step on top of this one, to be absorbed or thrown away."""
        return Step(self._state, (self.changes, *self._layers), self._partition, self.now, trace or self._trace)


Handle = Callable[[Sequence[Record], Step], None]
HandleOne = Callable[[Record, Step], None]


def each(function: HandleOne) -> Handle:
    """A stage's function out of one over single records: bad ones are kept from the good without doing any twice."""

    def handle(records: Sequence[Record], step: Step) -> None:
        for record in records:
            one = step.nested(record.trace if record.headers else ())
            try:
                function(record, one)
            except (Reject, Skip) as error:
                step.refuse(record, error)
            else:
                step.changes.absorb(one.changes)

    return handle


def too_large(value: bytes, where: str) -> Reject:
    """What becomes of a record that makes more than a topic carries."""
    # Found here it costs one record; found by the producer it would cost the process, again and again.
    return Reject("too_large", f"{len(value)} bytes for {where}, at most {RECORD_MAX} fit")


def _reserved(key: bytes) -> Reject:
    # Positions and timers live there; a key made from somebody's input must not be able to move them.
    return Reject("reserved_key", f"a key may not begin with a zero byte (one of {len(key)} bytes does)")
