"""A status snapshot to receipts. Pure; the same facts have the same fingerprints, whether pushed, polled or replayed.

A snapshot tells everything so far, in no reliable order, so each fact is identified by what it says and the reader
keeps what is new. Times are the provider's, known to be an hour ahead at times: none is later than our receipt.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from connectors.contract import Receipt
from connectors.opentext_notifications.facts import Fact, facts
from connectors.opentext_notifications.fields import instant, objects, text
from connectors.opentext_notifications.vocabulary import Vocabulary
from schemas.models import Channel
from streams.errors import Reject

_REFERENCE = re.compile(r"([\w-]{1,64})\.([\w-]{1,64})", re.ASCII)


def reference(subject: str, delivery_id: str) -> str:
    """What goes out as the destination's `ref`, so that a receipt carries its Kafka key."""
    return f"{subject}.{delivery_id}"


def owner(snapshot: Mapping[str, Any]) -> tuple[str, str] | None:
    """Subject and delivery id of the first destination that is ours, or None."""
    return next(filter(None, map(_ours, objects(snapshot, "deliveries"))), None)


def receipts(body: bytes, received_at: datetime, vocabulary: Vocabulary) -> Sequence[Receipt]:
    """Every fact about our deliveries, in the snapshot's order. Raises Reject("bad_snapshot" | "foreign_job")."""
    snapshot = _parsed(body)
    if snapshot.get("deliveries") and owner(snapshot) is None:
        advice = "let the webhook report the jobs of this account only"
        raise Reject("foreign_job", f"no destination of the job carries a reference of ours; {advice}")
    return [
        _receipt(snapshot, delivery, ours, fact, received_at)
        for delivery in objects(snapshot, "deliveries")
        if (ours := _ours(delivery))
        for fact in facts(snapshot, delivery, vocabulary)
    ]


def _receipt(
    snapshot: Mapping[str, Any], delivery: Mapping[str, Any], ours: tuple[str, str], fact: Fact, received_at: datetime
) -> Receipt:
    job, channel = text(snapshot.get("job_id")), Channel.SMS if "sms" in delivery else Channel.EMAIL
    # Only an attempt may borrow the job's entry time; every other fact is later than that by an unknown stretch.
    at = instant(fact.at) or (instant(snapshot.get("entry_time")) if fact.kind == "attempt" else None)
    when = at.isoformat() if at else text(fact.at)
    said = (job, reference(*ours), channel, fact.kind, fact.word.casefold(), when, text(fact.gamma))
    return Receipt(
        delivery_id=ours[1],
        subject=ours[0],
        fingerprint=hashlib.sha256("\x1f".join(said).encode()).hexdigest(),
        state=fact.state,
        occurred_at=min(at or received_at, received_at),
        reason=fact.reason,
        detail=fact.detail,
        provider_id=job or None,
    )


def _parsed(body: bytes) -> Mapping[str, Any]:
    try:
        snapshot = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Reject("bad_snapshot", f"{len(body)} bytes that are not JSON") from None
    if not isinstance(snapshot, dict):
        raise Reject("bad_snapshot", "a status snapshot must be a JSON object")
    return snapshot


def _ours(delivery: Mapping[str, Any]) -> tuple[str, str] | None:
    try:
        given = base64.b64decode(text(delivery.get("ref_base64")), validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    found = _REFERENCE.fullmatch(given)
    return (found[1], found[2]) if found else None
