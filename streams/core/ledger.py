"""The entries of the delivery ledger and the feedback that follows from them; `notify` decides which comes next.

While an outcome is unknown, `reason` holds how often that was found (`unresolved_2`): a later certain refusal of a
repeat says nothing about the first try, so the count must outlive it.
"""

from datetime import datetime
from hashlib import sha256

import orjson

from schemas.models import DeliveryState, Feedback, LedgerEntry, LedgerState, NotificationRequest
from streams.core.ids import feedback_id
from streams.core.timer import Timer, alarm

RETRY = "retry"
CHECK = "check"
CLOSED = frozenset({LedgerState.ACCEPTED, LedgerState.REFUSED, LedgerState.SUPPRESSED, LedgerState.PARKED})

_UNRESOLVED = "unresolved_"


def body_hash(request: NotificationRequest) -> str:
    """Names what is handed over; equal hashes are equal messages to equal addresses."""
    attachments = [(item.name, item.mime_type, item.sha256) for item in request.attachments]
    content = (request.channel.value, request.address, request.subject_line, request.text, request.html, attachments)
    return sha256(orjson.dumps(content)).hexdigest()


def opened(request: NotificationRequest, framed: bytes, provider: str, now: datetime) -> LedgerEntry:
    """The first entry of a delivery: planned, nothing tried."""
    return LedgerEntry(
        delivery_id=request.delivery_id,
        communication_id=request.communication_id,
        subject=request.subject,
        tenant=request.tenant,
        brand=request.brand,
        type=request.type,
        message_class=request.message_class,
        purpose=request.purpose,
        channel=request.channel,
        rung=request.rung,
        state=LedgerState.PLANNED,
        attempt=0,
        body_hash=body_hash(request),
        provider=provider,
        about=request.about,
        request=framed,
        recorded_at=now,
    )


def carrying(entry: LedgerEntry, request: NotificationRequest, framed: bytes) -> LedgerEntry:
    """The entry with the message that is about to use its key; only while none can have used it before."""
    return entry.model_copy(update={"body_hash": body_hash(request), "request": framed})


def waiting(entry: LedgerEntry, state: LedgerState, reason: str, retry_at: datetime, now: datetime) -> LedgerEntry:
    """Put off until `retry_at`; the request is kept."""
    changes = {"state": state, "reason": reason, "retry_at": retry_at, "recorded_at": now}
    return entry.model_copy(update=changes)


def intended(entry: LedgerEntry, now: datetime) -> LedgerEntry:
    """About to be submitted. An unresolved count stays, everything else about the past is settled."""
    reason = entry.reason if unresolved(entry) else None
    changes = {
        "state": LedgerState.INTENT,
        "attempt": entry.attempt + 1,
        "reason": reason,
        "retry_at": None,
        "recorded_at": now,
    }
    return entry.model_copy(update=changes)


def closed(
    entry: LedgerEntry, state: LedgerState, reason: str | None, now: datetime, provider_id: str | None = None
) -> LedgerEntry:
    """The last word of this ledger; the request is let go."""
    changes = {
        "state": state,
        "reason": reason,
        "retry_at": None,
        "request": None,
        "provider_id": provider_id or entry.provider_id,
        "recorded_at": now,
    }
    return entry.model_copy(update=changes)


def unresolved(entry: LedgerEntry) -> int:
    """How often the outcome was found to be unknown; 0 when nothing may have left."""
    prefix, mark, count = (entry.reason or "").partition(_UNRESOLVED)
    return int(count) if mark and not prefix and count.isdecimal() else 0


def unresolved_reason(count: int) -> str:
    """The reason that carries the count."""
    return f"{_UNRESOLVED}{count}"


def feedback(
    entry: LedgerEntry, state: DeliveryState, now: datetime, reason: str | None = None, detail: str | None = None
) -> Feedback:
    """What the world is told about an entry. The same state of the same delivery has one id, whoever reports it."""
    return Feedback(
        feedback_id=feedback_id(entry.delivery_id, state.value),
        delivery_id=entry.delivery_id,
        communication_id=entry.communication_id,
        subject=entry.subject,
        tenant=entry.tenant,
        brand=entry.brand,
        type=entry.type,
        message_class=entry.message_class,
        channel=entry.channel,
        rung=entry.rung,
        state=state,
        reason=reason,
        detail=detail,
        provider=entry.provider,
        provider_id=entry.provider_id,
        about=entry.about,
        occurred_at=now,
        recorded_at=now,
    )


def timer(entry: LedgerEntry, at: datetime) -> Timer:
    """The alarm that brings an open entry back."""
    purpose = CHECK if entry.state is LedgerState.AMBIGUOUS else RETRY
    return alarm((entry.subject, entry.tenant, entry.brand), purpose, entry.delivery_id, at)
