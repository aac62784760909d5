"""What became of each delivery: receipts in any order, repeated or late, always lead to the same state.

Receipts that overtake the ledger wait for it. Only a change of state, or an opt-out, is news.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from schemas.models import DeliveryState, Feedback, InboxRecord, LedgerEntry, LedgerState
from streams.core import ledger
from streams.core.ids import digest, feedback_id
from streams.core.timer import Timer, alarm, later
from streams.core.track_state import FROM_LEDGER, RANK, Kept, TrackState

KIND = "communication.feedback"
POLL = "poll"
KEPT_FINGERPRINTS = 64
KEPT_WAITING = 32

# notify reports these too; sharing the id makes the two reports one fact.
_SHARED = frozenset(FROM_LEDGER.values())


class ReceiptLike(Protocol):
    """One fact about one delivery, as a messaging connector tells it; `state` is a DeliveryState symbol."""

    @property
    def fingerprint(self) -> str:
        """Names the fact, whatever way it came."""

    @property
    def state(self) -> str:
        """A DeliveryState symbol."""

    @property
    def occurred_at(self) -> datetime:
        """According to the provider."""

    @property
    def reason(self) -> str | None:
        """The normalised cause."""

    @property
    def detail(self) -> str | None:
        """The provider's words."""

    @property
    def provider_id(self) -> str | None:
        """The provider's job."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """The new state, what is news, and the alarm for the first status poll when the sink just accepted."""

    state: TrackState
    feedbacks: tuple[Feedback, ...] = ()
    timer: Timer | None = None


@dataclass(frozen=True, slots=True)
class Polling:
    """When to ask for a status nobody pushed: along `schedule_s`, then every `then_every_s`, until `stop_after_s`."""

    schedule_s: tuple[float, ...] = (60, 300, 900, 3600)
    then_every_s: float = 3600
    stop_after_s: float = 72 * 3600


def apply(
    known: TrackState | None,
    entry: LedgerEntry | None,
    receipts: Sequence[ReceiptLike],
    now: datetime,
    polling: Polling | None = None,
) -> Tracked:
    """Take in a ledger entry, receipts, or both, about one delivery."""
    state = known or TrackState()
    timer = None
    if entry is not None:
        starts = entry.state is LedgerState.ACCEPTED and DeliveryState.SUBMITTED not in state.facts
        state = _with_entry(state, entry)
        timer = _next_timer(state, now, polling or Polling()) if starts else None
    fresh = _unseen(state, [*state.waiting, *receipts])
    context = state.entry
    if context is None:
        return Tracked(replace(state, waiting=tuple(_keep(receipt) for receipt in fresh)[-KEPT_WAITING:]))
    state = replace(state, waiting=())
    news = []
    for receipt in sorted(fresh, key=_natural_order):
        before, state = state.current, _with_receipt(state, receipt)
        if receipt.state == DeliveryState.UNSUBSCRIBED or state.current is not before:
            news.append(_feedback(context, receipt, now))
    return Tracked(state, tuple(news), timer)


def polled(state: TrackState, now: datetime, polling: Polling | None = None) -> tuple[TrackState, Timer | None]:
    """After a status poll: the state that counts it and the alarm for the next, or None when polling is over."""
    state = replace(state, polls=state.polls + 1)
    return state, _next_timer(state, now, polling or Polling())


def next_poll(attempts: int, polling: Polling) -> float | None:
    """Seconds from poll number `attempts` (0: the hand-over) to the next one, or None when it is not worth asking."""
    past = sum(polling.schedule_s[:attempts]) + max(0, attempts - len(polling.schedule_s)) * polling.then_every_s
    if past >= polling.stop_after_s:
        return None
    return polling.schedule_s[attempts] if attempts < len(polling.schedule_s) else polling.then_every_s


def feedback_record(feedback: Feedback, fact: bytes) -> InboxRecord:
    """The inbox record around `fact`, the encoded feedback."""
    return InboxRecord(
        record_id=feedback.feedback_id,
        subject=feedback.subject,
        kind=KIND,
        tenant=feedback.tenant,
        brand=feedback.brand,
        recorded_at=feedback.recorded_at,
        fact=fact,
    )


def _next_timer(state: TrackState, now: datetime, polling: Polling) -> Timer | None:
    entry = state.entry
    seconds = next_poll(state.polls, polling)
    if entry is None or entry.provider_id is None or state.finished or seconds is None:
        return None
    return alarm((entry.subject, entry.tenant, entry.brand), POLL, entry.delivery_id, later(now, seconds))


def _with_entry(state: TrackState, entry: LedgerEntry) -> TrackState:
    if state.entry is not None and state.entry.state in ledger.CLOSED and entry.state not in ledger.CLOSED:
        return state
    facts = dict(state.facts)
    told = FROM_LEDGER.get(entry.state)
    if told is not None:
        facts[told] = max(facts.get(told, entry.recorded_at), entry.recorded_at)
    return replace(state, entry=entry.model_copy(update={"request": None}), facts=facts)


def _unseen(state: TrackState, receipts: Iterable[ReceiptLike]) -> list[ReceiptLike]:
    fresh: dict[str, ReceiptLike] = {}
    for receipt in receipts:
        mark = digest(receipt.fingerprint, length=16)
        if mark not in state.seen:
            fresh.setdefault(mark, receipt)
    return list(fresh.values())


def _keep(receipt: ReceiptLike) -> Kept:
    return Kept(
        receipt.fingerprint, receipt.state, receipt.occurred_at, receipt.reason, receipt.detail, receipt.provider_id
    )


def _known_state(word: str) -> DeliveryState:
    try:
        return DeliveryState(word)
    except ValueError:
        return DeliveryState.UNKNOWN


def _natural_order(receipt: ReceiptLike) -> tuple[int, datetime, str]:
    # Ranks first: clocks of providers disagree, the life of a delivery does not.
    return RANK.get(_known_state(receipt.state), 0), receipt.occurred_at, receipt.fingerprint


def _with_receipt(state: TrackState, receipt: ReceiptLike) -> TrackState:
    seen = (*state.seen, digest(receipt.fingerprint, length=16))[-KEPT_FINGERPRINTS:]
    fact = _known_state(receipt.state)
    if fact not in RANK or fact is DeliveryState.UNKNOWN:
        return replace(state, seen=seen)
    latest = max(state.facts.get(fact, receipt.occurred_at), receipt.occurred_at)
    return replace(state, seen=seen, facts={**state.facts, fact: latest})


def _feedback(entry: LedgerEntry, receipt: ReceiptLike, now: datetime) -> Feedback:
    state = _known_state(receipt.state)
    fingerprint = "" if state in _SHARED else receipt.fingerprint
    told = ledger.feedback(entry, state, now, receipt.reason, receipt.detail)
    return told.model_copy(
        update={
            "feedback_id": feedback_id(entry.delivery_id, state.value, fingerprint),
            "occurred_at": receipt.occurred_at,
            "provider_id": receipt.provider_id or entry.provider_id,
        }
    )
