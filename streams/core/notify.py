"""The ledger of one hand-over: what may be done next, given what is known to have happened.

    PLANNED -> SUPPRESSED | INTENT -> ACCEPTED | REFUSED | PLANNED (certainly not done) | AMBIGUOUS
    AMBIGUOUS -> INTENT (same key, same body) | ACCEPTED | PLANNED (certainly not there) | PARKED

Promises: an INTENT follows another one only after a certain refusal, or as a repeat under the same key and body at a
sink that takes those for one; an INTENT found on arrival is an unknown outcome, never a fresh start; consent, blocks
and expiry are checked before every INTENT. The caller makes `step.entry` durable before it acts on the step.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from schemas.models import DeliveryState, Feedback, LedgerEntry, LedgerState, NotificationRequest, Permissions
from streams.core import ledger
from streams.core.consent import hand_over_refusal
from streams.core.timer import Timer, later
from streams.errors import Ambiguous, Misconfigured, Reject, Retry


class Promise(Protocol):
    """What a sink guarantees when an outcome is unknown."""

    @property
    def idempotency(self) -> str:
        """With "key" or "natural" a repeat of the same key is the same hand-over, with "none" another one."""

    @property
    def status(self) -> str:
        """What it can be asked about: "by_key" our id, "by_provider_id" only its own, "none" nothing."""


class Acceptance(Protocol):
    """The sink took responsibility."""

    @property
    def provider_id(self) -> str:
        """The sink's own id of the job."""


@dataclass(frozen=True, slots=True)
class Retries:
    """Seconds to wait.

    A certain refusal is repeated along `delays_s`, the last one again and again, up to `max_attempts`; an unknown
    outcome is looked into along `unresolved_s` and then left to a person.
    """

    delays_s: tuple[float, ...] = (5, 30, 120, 300)
    max_attempts: int = 300
    unresolved_s: tuple[float, ...] = (60, 300, 900)
    misconfigured_s: float = 300


@dataclass(frozen=True, slots=True)
class Sink:
    """Where a delivery is handed over: the connector's name, its promise and how patient we are with it."""

    name: str
    promise: Promise
    retries: Retries = field(default_factory=Retries)


@dataclass(frozen=True, slots=True)
class Intend:
    """Submit now, then `settle`."""

    entry: LedgerEntry


@dataclass(frozen=True, slots=True)
class Query:
    """Ask the sink what became of it, then `answer`. Nothing is submitted."""

    entry: LedgerEntry


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before `timer`."""

    entry: LedgerEntry
    timer: Timer


@dataclass(frozen=True, slots=True)
class Suppress:
    """It never leaves; `entry.reason` says why."""

    entry: LedgerEntry
    feedback: Feedback


@dataclass(frozen=True, slots=True)
class Park:
    """It may have left and nothing can tell: a person must look."""

    entry: LedgerEntry
    feedback: Feedback


@dataclass(frozen=True, slots=True)
class AlreadyDone:
    """The last word was spoken before."""

    entry: LedgerEntry


Step = Intend | Query | Wait | Suppress | Park | AlreadyDone
Outcome = Acceptance | Retry | Reject | Ambiguous | Misconfigured


@dataclass(frozen=True, slots=True)
class Settled:
    """What a call to the sink led to. `timer` is set while the entry is open."""

    entry: LedgerEntry
    feedback: Feedback | None = None
    timer: Timer | None = None


# Everything a hand-over depends on, side by side: there is no smaller set.
def plan(
    entry: LedgerEntry | None,
    request: NotificationRequest,
    framed: bytes,
    permissions: Permissions | None,
    sink: Sink,
    now: datetime,
) -> Step:
    """The next step of a delivery. `request` is the stored one whenever `entry` has one; `framed` is its encoding."""
    if entry is None:
        entry = ledger.opened(request, framed, sink.name, now)
    if entry.state in ledger.CLOSED:
        return AlreadyDone(entry)
    if entry.state in {LedgerState.INTENT, LedgerState.UNKNOWN}:
        return _as_step(_unknown(entry, sink, now))
    if entry.retry_at is not None and entry.retry_at > now:
        return Wait(entry, ledger.timer(entry, entry.retry_at))
    refusal = _refusal(request, permissions, now)
    if ledger.unresolved(entry):
        if not refusal and entry.body_hash != ledger.body_hash(request):
            # The key may stand for the other body already, and nobody can tell whether it does.
            refusal = "body_changed"
        return _resolve(entry, refusal, sink, now)
    if refusal:
        gone = ledger.closed(entry, LedgerState.SUPPRESSED, refusal, now)
        return Suppress(gone, ledger.feedback(gone, DeliveryState.SUPPRESSED, now, refusal))
    return Intend(ledger.intended(ledger.carrying(entry, request, framed), now))


def settle(entry: LedgerEntry, outcome: Outcome, sink: Sink, now: datetime) -> Settled:
    """What the answer to the submission of `entry` (an INTENT) means."""
    match outcome:
        case Retry():
            return _not_done(entry, outcome, sink, now)
        case Misconfigured():
            return _put_off(entry, outcome.code, sink.retries.misconfigured_s, now)
        case Ambiguous():
            return _unknown(entry, sink, now)
        case Reject():
            refused = ledger.closed(entry, LedgerState.REFUSED, outcome.code, now)
            told = ledger.feedback(refused, DeliveryState.FAILED, now, outcome.code, outcome.detail or None)
            return Settled(refused, told)
        case _:
            return _accepted(entry, outcome.provider_id, now)


def answer(entry: LedgerEntry, found: Acceptance | Retry | Misconfigured | None, sink: Sink, now: datetime) -> Settled:
    """What the answer to a status query means. None: the sink certainly does not know the delivery."""
    if isinstance(found, Misconfigured):
        return _put_off(entry, found.code, sink.retries.misconfigured_s, now)
    if isinstance(found, Retry):
        return _unknown(entry, sink, now)
    if found is not None:
        return _accepted(entry, found.provider_id, now)
    planned = ledger.waiting(entry, LedgerState.PLANNED, "not_there", now, now)
    return Settled(planned, timer=ledger.timer(planned, now))


def _refusal(request: NotificationRequest, permissions: Permissions | None, now: datetime) -> str | None:
    if not request.address:
        return "address_invalid"
    blocked = hand_over_refusal(permissions, request.message_class, request.purpose, request.channel)
    if blocked:
        return blocked
    return "expired" if request.not_after is not None and now > request.not_after else None


def _resolve(entry: LedgerEntry, refusal: str | None, sink: Sink, now: datetime) -> Step:
    promise = sink.promise
    if not refusal and promise.idempotency in {"key", "natural"}:
        return Intend(ledger.intended(entry, now))
    if promise.status == "by_key" or (promise.status == "by_provider_id" and entry.provider_id):
        return Query(entry)
    parked = ledger.closed(entry, LedgerState.PARKED, refusal or "unknown_outcome", now)
    return Park(parked, ledger.feedback(parked, DeliveryState.PARKED, now, parked.reason))


def _accepted(entry: LedgerEntry, provider_id: str, now: datetime) -> Settled:
    done = ledger.closed(entry, LedgerState.ACCEPTED, None, now, provider_id)
    return Settled(done, ledger.feedback(done, DeliveryState.SUBMITTED, now))


def _not_done(entry: LedgerEntry, refused: Retry, sink: Sink, now: datetime) -> Settled:
    retries = sink.retries
    if entry.attempt >= retries.max_attempts:
        return _parked(entry, "sink_unavailable", now)
    delay = retries.delays_s[min(entry.attempt, len(retries.delays_s)) - 1]
    return _put_off(entry, refused.code, max(delay, refused.after or 0), now)


def _put_off(entry: LedgerEntry, reason: str, seconds: float, now: datetime) -> Settled:
    at = later(now, seconds)
    if ledger.unresolved(entry):
        open_entry = ledger.waiting(entry, LedgerState.AMBIGUOUS, entry.reason or reason, at, now)
    else:
        open_entry = ledger.waiting(entry, LedgerState.PLANNED, reason, at, now)
    return Settled(open_entry, timer=ledger.timer(open_entry, at))


def _unknown(entry: LedgerEntry, sink: Sink, now: datetime) -> Settled:
    count = ledger.unresolved(entry) + 1
    schedule = sink.retries.unresolved_s
    if count > len(schedule) or entry.attempt >= sink.retries.max_attempts:
        return _parked(entry, "unknown_outcome", now)
    at = later(now, schedule[count - 1])
    open_entry = ledger.waiting(entry, LedgerState.AMBIGUOUS, ledger.unresolved_reason(count), at, now)
    return Settled(open_entry, timer=ledger.timer(open_entry, at))


def _parked(entry: LedgerEntry, reason: str, now: datetime) -> Settled:
    parked = ledger.closed(entry, LedgerState.PARKED, reason, now)
    return Settled(parked, ledger.feedback(parked, DeliveryState.PARKED, now, reason))


def _as_step(settled: Settled) -> Step:
    if settled.timer is not None:
        return Wait(settled.entry, settled.timer)
    if settled.feedback is not None:
        return Park(settled.entry, settled.feedback)
    return AlreadyDone(settled.entry)
