"""Everything remembered about one subject, as compact JSON: who they are, what they allowed, what was decided for
them.

Unknown keys of a newer version are ignored and missing ones have defaults, so versions can be rolled forward and
back. What grows is bounded by `pruned`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

from pydantic import TypeAdapter

from schemas.models import About, Permission
from streams.core.lenient import lenient, symbol


class Phase(StrEnum):
    """Where a communication stands."""

    PENDING = "pending"
    """Held until `due`."""
    WAITING = "waiting"
    """Held until its parent left."""
    SENT = "sent"
    """Asked to be composed or handed over."""
    LEFT = "left"
    """A sink took responsibility."""
    SUPPRESSED = "suppressed"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    """Called off before it left; the same trigger may start it again."""
    FAILED = "failed"
    """No rung is left."""


OPEN = frozenset({Phase.PENDING, Phase.WAITING})


@dataclass(frozen=True, slots=True)
class Contact:
    """The latest one platform said about the person."""

    at: datetime
    email: str | None = None
    phone: str | None = None
    locale: str | None = None
    first_name: str | None = None


@dataclass(frozen=True, slots=True)
class OrderState:
    """What later facts need of an order: children its key and names, the templates its lines."""

    changed_at: datetime
    status: str = ""
    number: str = ""
    lines: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Handed:
    """One delivery of a communication; the address only as a fingerprint."""

    channel: str
    rung: int = 0
    address: str = ""
    failed: bool = False
    left: bool = False


@dataclass(frozen=True, slots=True)
class Communication:
    """One business effect and where it stands. `data` is kept while a further rung may need it."""

    type: str
    key: str
    phase: Annotated[Phase, symbol(Phase, Phase.SENT)]
    about: Annotated[About, lenient(About)]
    began_at: datetime
    fact_at: datetime
    due_at: datetime
    not_after: datetime | None = None
    parent: str | None = None
    rung: int = 0
    data: Mapping[str, Any] | None = None
    timers: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    deliveries: Mapping[str, Handed] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SubjectState:
    """The state of one subject; a value.

    `blocked`: fingerprints of addresses and why. `aliases`: names of an order -> its business key. `ended`: what can
    never start again, or not before a time. `closed`: communications whose details were let go. `recent`: records just
    handled.
    """

    clock: datetime | None = None
    contacts: Mapping[str, Contact] = field(default_factory=dict)
    consents: tuple[Annotated[Permission, lenient(Permission)], ...] = ()
    complaints: tuple[str, ...] = ()
    blocked: Mapping[str, str] = field(default_factory=dict)
    orders: Mapping[str, OrderState] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    communications: Mapping[str, Communication] = field(default_factory=dict)
    ended: Mapping[str, datetime] = field(default_factory=dict)
    closed: tuple[str, ...] = ()
    recent: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        """Compact JSON; what has its default is left out."""
        return _CODEC.dump_json(self, exclude_defaults=True)


KEEP_DETAILS = timedelta(days=30)
KEEP_DATA = timedelta(days=7)
KEPT_COMMUNICATIONS = 100
KEPT_CLOSED = 1000
KEPT_ORDERS = 50
KEPT_BLOCKED = 16
KEPT_ENDED = 64
KEPT_RECENT = 48

_CODEC = TypeAdapter(SubjectState)

EMPTY = SubjectState()


def from_bytes(value: bytes) -> SubjectState:
    """The state as `to_bytes` wrote it, of this or another version."""
    return _CODEC.validate_json(value)


def mark(identifier: str) -> str:
    """The short form in which ids are only looked up, never used."""
    return identifier[:16]


def pruned(state: SubjectState) -> SubjectState:
    """The state within its bounds: the oldest goes first; that a communication was is known longer than its data."""
    changes: dict[str, Any] = {}
    live, gone = _live(state)
    if gone or live != state.communications:
        changes |= {"communications": live, "closed": (*state.closed, *gone)[-KEPT_CLOSED:]}
    if len(state.orders) > KEPT_ORDERS:
        orders = dict(sorted(state.orders.items(), key=lambda item: item[1].changed_at)[-KEPT_ORDERS:])
        aliases = {name: key for name, key in state.aliases.items() if key in orders}
        changes |= {"orders": orders, "aliases": aliases}
    if len(state.blocked) > KEPT_BLOCKED:
        changes["blocked"] = dict(list(state.blocked.items())[-KEPT_BLOCKED:])
    if len(state.ended) > KEPT_ENDED:
        changes["ended"] = dict(list(state.ended.items())[-KEPT_ENDED:])
    if len(state.recent) > KEPT_RECENT:
        changes["recent"] = state.recent[-KEPT_RECENT:]
    return replace(state, **changes) if changes else state


def _live(state: SubjectState) -> tuple[Mapping[str, Communication], tuple[str, ...]]:
    known, clock = state.communications, state.clock
    surplus = len(known) - KEPT_COMMUNICATIONS
    if clock is None or (surplus <= 0 and all(clock - item.began_at <= KEEP_DATA for item in known.values())):
        return known, ()
    live, gone = dict(known), []
    for name, item in sorted(known.items(), key=lambda pair: pair[1].began_at):
        age = clock - item.began_at
        if item.phase in OPEN:
            continue
        if age > KEEP_DETAILS or surplus > 0:
            del live[name]
            gone.append(mark(name))
            surplus -= 1
        elif item.data is not None and age > KEEP_DATA:
            live[name] = replace(item, data=None)
    return live, tuple(gone)
