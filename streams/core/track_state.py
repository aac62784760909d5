"""Everything known about one delivery, and where it stands: the highest-ranked fact of those reported.

One exception to the ranks: a positive receipt as late as a soft bounce, or later, undoes it. The state depends on
the set of facts alone, never on the order they came in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from pydantic import TypeAdapter

from schemas.models import DeliveryState, LedgerEntry, LedgerState
from streams.core.lenient import lenient, symbol

RANK: Mapping[DeliveryState, int] = {
    DeliveryState.UNKNOWN: 0,
    DeliveryState.PARKED: 15,
    DeliveryState.SUBMITTED: 20,
    DeliveryState.DEFERRED: 25,
    DeliveryState.SENT: 30,
    DeliveryState.DELIVERED: 50,
    DeliveryState.OPENED: 60,
    DeliveryState.CANCELLED: 70,
    DeliveryState.BOUNCED_SOFT: 80,
    DeliveryState.UNDELIVERED: 82,
    DeliveryState.EXPIRED: 83,
    DeliveryState.REJECTED: 84,
    DeliveryState.BLOCKED: 85,
    DeliveryState.SUPPRESSED: 88,
    DeliveryState.FAILED: 90,
    DeliveryState.BOUNCED_HARD: 95,
    DeliveryState.COMPLAINED: 98,
}
"""Rank of each state (messaging rules, section 2). UNSUBSCRIBED has none: it is a fact about consent."""

FROM_LEDGER: Mapping[LedgerState, DeliveryState] = {
    LedgerState.ACCEPTED: DeliveryState.SUBMITTED,
    LedgerState.SUPPRESSED: DeliveryState.SUPPRESSED,
    LedgerState.REFUSED: DeliveryState.FAILED,
    LedgerState.PARKED: DeliveryState.PARKED,
}


@dataclass(frozen=True, slots=True)
class Kept:
    """A receipt that waits for its ledger entry."""

    fingerprint: str
    state: str
    occurred_at: datetime
    reason: str | None = None
    detail: str | None = None
    provider_id: str | None = None


@dataclass(frozen=True, slots=True)
class TrackState:
    """Everything known about one delivery. `facts` holds the latest time of each state that was reported."""

    entry: Annotated[LedgerEntry, lenient(LedgerEntry)] | None = None
    facts: Mapping[Annotated[DeliveryState, symbol(DeliveryState, DeliveryState.UNKNOWN)], datetime] = field(
        default_factory=dict
    )
    seen: tuple[str, ...] = ()
    waiting: tuple[Kept, ...] = ()
    polls: int = 0

    @property
    def current(self) -> DeliveryState:
        """Where the delivery stands."""
        soft, delivered = self.facts.get(DeliveryState.BOUNCED_SOFT), self.facts.get(DeliveryState.DELIVERED)
        undone = soft is not None and delivered is not None and delivered >= soft
        standing = (state for state in self.facts if not (undone and state is DeliveryState.BOUNCED_SOFT))
        return max(standing, key=lambda state: RANK[state], default=DeliveryState.UNKNOWN)

    @property
    def finished(self) -> bool:
        """Nothing more is asked for; later receipts are still taken in."""
        return RANK[self.current] >= RANK[DeliveryState.DELIVERED]

    def to_bytes(self) -> bytes:
        """Compact JSON; what is empty is left out."""
        return _CODEC.dump_json(self, exclude_defaults=True)


_CODEC = TypeAdapter(TrackState)


def from_bytes(value: bytes) -> TrackState:
    """The state as `to_bytes` wrote it, of this or another version."""
    return _CODEC.validate_json(value)
