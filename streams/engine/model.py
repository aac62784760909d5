"""The engine's vocabulary: what goes into a step and what comes out of it. Bytes only; meaning belongs to the stage.

Records and outputs are named tuples: a worker makes tens of thousands of them a second.
"""

import struct
from dataclasses import dataclass
from typing import NamedTuple

Headers = tuple[tuple[str, bytes], ...]

ATTEMPT = "tidings-attempt"
TRACE = "traceparent"
RECORD_MAX = 6_000_000
"""Bytes of a value a stage may produce or keep; below what producers and topics carry, because some wrap others."""

WIRE_MAX = 16_000_000
"""Bytes a producer carries: a dead letter holds whatever somebody managed to put on a source."""

_HEAD = struct.Struct(">qHHI")


class Record(NamedTuple):
    """One consumed record. `timestamp` is the broker's, in milliseconds."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes
    value: bytes | None
    headers: Headers = ()

    @property
    def attempt(self) -> int:
        """How often this record was put back for a later try."""
        # Whoever can write to a source can write such a header, with anything in it.
        return next((int(value) for name, value in self.headers if name == ATTEMPT and value.isdigit()), 0)

    @property
    def trace(self) -> Headers:
        """The header that ties a record to what caused it (W3C Trace Context), if it carries one."""
        return tuple(header for header in self.headers if header[0] == TRACE)


class Out(NamedTuple):
    """One record to produce. `partition` None means by key."""

    topic: str
    key: bytes
    value: bytes | None
    headers: Headers = ()
    partition: int | None = None


@dataclass(frozen=True, slots=True)
class Timer:
    """A record that appears on the lane's own partition of `topic` at `due` (epoch ms), once per `timer_id`."""

    timer_id: str
    due: int
    topic: str
    key: bytes
    value: bytes
    attempt: int = 0

    def pack(self) -> bytes:
        """The timer as stored in the changelog, without its id."""
        topic = self.topic.encode()
        return _HEAD.pack(self.due, self.attempt, len(topic), len(self.key)) + topic + self.key + self.value

    @classmethod
    def unpack(cls, timer_id: str, raw: bytes) -> "Timer":
        """The inverse of `pack`."""
        due, attempt, topic_len, key_len = _HEAD.unpack_from(raw)
        key_at = _HEAD.size + topic_len
        topic = raw[_HEAD.size : key_at].decode()
        return cls(timer_id, due, topic, raw[key_at : key_at + key_len], raw[key_at + key_len :], attempt)

    def out(self, partition: int) -> Out:
        """The record to produce when the timer is due."""
        headers: Headers = (("tidings-timer", self.timer_id.encode()),)
        if self.attempt:
            headers += ((ATTEMPT, str(self.attempt).encode()),)
        return Out(self.topic, self.key, self.value, headers, partition)


def due_of(packed: bytes) -> int:
    """When a packed timer is due, without unpacking the rest."""
    return int(_HEAD.unpack_from(packed)[0])
