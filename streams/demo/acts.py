"""The words a scene is told in: people, what they do, and what a fair judge expects of it. Data only.

Nobody is real. What becomes of a message is decided by its address, as the messaging sandbox promises: `hard.` bounces
for good, `soft.` bounces twice and then arrives, `optout.` opts out, `open.` is opened; anything else arrives.
"""

from dataclasses import dataclass
from typing import Literal

Channel = Literal["EMAIL", "SMS"]

AWAITING_FULFILLMENT, INCOMPLETE, CANCELLED = 11, 0, 5


@dataclass(frozen=True, slots=True)
class Person:
    """A customer as the shop knows them. A consent of None was never asked for."""

    local: str
    first_name: str
    locale: str = "en"
    phone: str | None = None
    newsletter: bool | None = None
    abandoned_cart: bool | None = None
    guest: bool = False

    @property
    def email(self) -> str:
        """Their address, in a domain that can never exist."""
        return f"{self.local}@example.test"


@dataclass(frozen=True, slots=True)
class Place:
    """An order is placed and called `key` from then on."""

    key: str
    who: Person
    status_id: int = AWAITING_FULFILLMENT


@dataclass(frozen=True, slots=True)
class Move:
    """An order gets another status."""

    key: str
    status_id: int


@dataclass(frozen=True, slots=True)
class Ship:
    """A parcel with everything in the order leaves."""

    key: str


@dataclass(frozen=True, slots=True)
class Leave:
    """A cart is filled, abandoned and called `key` from then on."""

    key: str
    who: Person


@dataclass(frozen=True, slots=True)
class Convert:
    """An abandoned cart becomes the order `key` after all."""

    cart: str
    key: str


@dataclass(frozen=True, slots=True)
class OptedOut:
    """Nothing more happens until the shop knows that the person withdrew."""

    who: Person


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing happens for a while."""

    seconds: float


Act = Place | Move | Ship | Leave | Convert | OptedOut | Pause


@dataclass(frozen=True, slots=True)
class Effect:
    """A message of `type` about the order or cart `key`, which its recipient's provider must accept once."""

    type: str
    key: str
    channel: Channel = "EMAIL"


@dataclass(frozen=True, slots=True)
class WriteBack:
    """What the shop must know in the end about the communication `type`: at the order, or at a cart's customer."""

    type: str
    key: str
    status: str = "delivered"


@dataclass(frozen=True, slots=True)
class Scene:
    """One small story. What it does not expect must not happen; `withdrawals` must reach the shop."""

    title: str
    acts: tuple[Act, ...]
    effects: tuple[Effect, ...] = ()
    write_backs: tuple[WriteBack, ...] = ()
    withdrawals: tuple[Person, ...] = ()
