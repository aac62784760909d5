"""What the stages under test do to a record, free of the engine, so that the judge knows it without asking them.

Inputs: `17`, `17+800` (sets a timer 800 ms ahead), `t17@DUE` (that timer, fired). Outputs: `key|n|source offset|id`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self

KEPT = 5


class Sourced(Protocol):
    """A record as far as it matters here."""

    @property
    def offset(self) -> int:
        """Where it stands in its source."""
        ...

    @property
    def value(self) -> bytes | None:
        """An input or an output."""
        ...


class Answer(NamedTuple):
    """One output, taken apart."""

    key: bytes
    number: int
    offset: int
    ident: bytes


def parse_value(value: bytes | None) -> tuple[bytes, int | None, int | None]:
    """Id, delay of the timer to set in ms, due time of the timer it is in epoch ms; of an input or an output."""
    last = (value or b"").rpartition(b"|")[2]
    if b"+" in last:
        ident, _, delay = last.partition(b"+")
        return ident, int(delay), None
    if b"@" in last:
        ident, _, due = last.partition(b"@")
        return ident, None, int(due)
    return last, None, None


def ident_of(value: bytes | None) -> bytes:
    """The id a record carries through all stages."""
    return parse_value(value)[0]


def output(key: bytes, number: int, offset: int, ident: bytes) -> bytes:
    """An output's value."""
    return b"|".join((key, b"%d" % number, b"%d" % offset, ident))


def parse_output(value: bytes | None) -> Answer:
    """The inverse of `output`."""
    key, number, offset, ident = (value or b"").split(b"|")
    return Answer(key, int(number), int(offset), ident)


@dataclass(frozen=True, slots=True)
class Tally:
    """The state of one key: how many records, and the last five ids."""

    count: int = 0
    last: tuple[str, ...] = ()

    def add(self, ident: bytes) -> Self:
        """The state after one more record."""
        return type(self)(self.count + 1, (*self.last, ident.decode())[-KEPT:])

    def dump(self) -> bytes:
        """As kept in the changelog."""
        return json.dumps([self.count, *self.last]).encode()

    @classmethod
    def load(cls, raw: bytes | None) -> Self:
        """The inverse of `dump`; nothing is the start."""
        if raw is None:
            return cls()
        count, *last = json.loads(raw)
        return cls(count, tuple(last))

    @classmethod
    def of(cls, records: Sequence[Sourced]) -> Self:
        """The state after all these records."""
        return cls(len(records), tuple(ident_of(record.value).decode() for record in records[-KEPT:]))


@dataclass(frozen=True, slots=True)
class Deed:
    """The state of one key at the stage with effects: the tally, the last offset done and the one intended."""

    tally: Tally = Tally()
    done: int = -1
    intent: int | None = None

    def dump(self) -> bytes:
        """As kept in the changelog."""
        return json.dumps([self.done, self.intent, self.tally.count, *self.tally.last]).encode()

    @classmethod
    def load(cls, raw: bytes | None) -> Self:
        """The inverse of `dump`; nothing is the start."""
        if raw is None:
            return cls()
        done, intent, count, *last = json.loads(raw)
        return cls(Tally(count, tuple(last)), done, intent)

    @classmethod
    def of(cls, records: Sequence[Sourced]) -> Self:
        """The state after all these records."""
        return cls(Tally.of(records), records[-1].offset)
