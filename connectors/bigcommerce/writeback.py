"""Writes what became of a communication to where the merchant looks: a metafield of the order, else of the customer.

One key per communication type holds the latest state. A repeat writes nothing, and an old feedback never replaces a
newer one. An opt-out from e-mail is no status but a decision: it takes both consents off the subscriber, who stays.
"""

import hashlib
from datetime import UTC, datetime
from typing import Any

import orjson

from connectors.bigcommerce.api import Api, Json, Owner
from connectors.bigcommerce.events import PLATFORM
from connectors.bigcommerce.mapping import PURPOSES
from connectors.values import normal_email, reading, text
from schemas.models import Channel, DeliveryState, Feedback, WriteBackResult
from streams.errors import Reject, Retry, Skip

# From least to most telling; of one delivery a later word never gives way to an earlier one.
_ORDER = (
    "unknown",
    "parked",
    "submitted",
    "deferred",
    "sent",
    "delivered",
    "opened",
    "cancelled",
    "bounced_soft",
    "undelivered",
    "expired",
    "rejected",
    "blocked",
    "suppressed",
    "failed",
    "bounced_hard",
    "complained",
    "unsubscribed",
)
_UNDONE_BY_DELIVERY = ("bounced_soft", "deferred")


async def write_back(api: Api, account: str, feedback: Feedback) -> WriteBackResult:
    """Raises Retry, Reject, Skip, Misconfigured."""
    if (feedback.about.platform, feedback.about.account) != (PLATFORM, account):
        raise Reject("wrong_account", f"about another account than {PLATFORM} {account}")
    if feedback.state is DeliveryState.UNSUBSCRIBED and feedback.channel is Channel.EMAIL:
        return _result(feedback, "subscriber.consents", await _opt_out(api, feedback))
    owner, owner_id = _owner(feedback)
    outcome = await _upsert(api, owner, owner_id, feedback)
    return _result(feedback, f"{owner.removesuffix('s')}.metafield", outcome)


async def _opt_out(api: Api, feedback: Feedback) -> str:
    address = await _address(api, feedback.about.customer_ref)
    known = await api.subscriber_by_email(address) if address else None
    if known is None:
        raise Skip("nothing_to_write", "the newsletter does not know this person")
    with reading("subscriber"):
        subscriber_id, given = int(known["id"]), list(known["consents"])
        left = [consent for consent in given if consent not in PURPOSES]
    if left == given:
        return "unchanged"
    if not await api.set_consents(str(subscriber_id), left):
        raise Skip("target_gone", f"subscriber {subscriber_id} was deleted meanwhile")
    return "written"


async def _address(api: Api, customer_ref: str) -> str | None:
    scope, _, guest = customer_ref.partition(":guest:")
    if guest:
        return normal_email(guest)
    customer = await api.customer(_last(scope)) if _last(scope).isdecimal() else None
    return normal_email(text(customer.get("email"))) if customer else None


def _owner(feedback: Feedback) -> tuple[Owner, str]:
    if feedback.about.order_ref:
        return "orders", _last(feedback.about.order_ref)
    customer_id = _last(feedback.about.customer_ref)
    if customer_id.isdecimal() and ":guest:" not in feedback.about.customer_ref:
        return "customers", customer_id
    raise Skip("nothing_to_write", "neither an order nor a customer account is concerned")


async def _upsert(api: Api, owner: Owner, owner_id: str, feedback: Feedback) -> str:
    key, value = f"notification.{feedback.type}"[:64], _value(feedback)
    # A second round only when another writer made or deleted the key in between.
    for _ in range(2):
        existing = await api.metafield(owner, owner_id, key)
        if existing is None:
            status = await api.create_metafield(owner, owner_id, key, value)
            if status == 404:
                raise Skip("target_gone", f"{owner} {owner_id} does not exist any more")
        elif existing.get("value") == value or _outranks(existing, feedback):
            return "unchanged"
        else:
            with reading("metafield"):
                metafield_id = int(existing["id"])
            status = await api.update_metafield(owner, owner_id, metafield_id, value)
        if status == 200:
            return "written"
    raise Retry("write_conflict", f"another writer keeps changing {key} of {owner} {owner_id}")


def _outranks(existing: Json, feedback: Feedback) -> bool:
    """Whether what is there says more than the feedback, or is newer when it is about another delivery."""
    try:
        there: Any = orjson.loads(existing["value"])
        status, delivery_id, recorded_at = there["status"], there["delivery_id"], there["recorded_at"]
        if delivery_id != feedback.delivery_id:
            return datetime.fromisoformat(recorded_at) > feedback.recorded_at
        said, says = _ORDER.index(status), _ORDER.index(_word(feedback.state))
    except (KeyError, TypeError, ValueError):
        # Somebody edited it by hand; ours is the truth.
        return False
    undone = status in _UNDONE_BY_DELIVERY and says >= _ORDER.index("delivered")
    return said > says and not undone


def _value(feedback: Feedback) -> str:
    value = {
        "status": _word(feedback.state),
        "channel": _word(feedback.channel),
        "at": feedback.occurred_at.isoformat(),
        "recorded_at": feedback.recorded_at.isoformat(),
        "delivery_id": feedback.delivery_id,
        "reason": feedback.reason,
    }
    return orjson.dumps(value).decode()


def _word(symbol: DeliveryState | Channel) -> str:
    return symbol.value.lower()


def _last(reference: str) -> str:
    return reference.rpartition(":")[2]


def _result(feedback: Feedback, target: str, outcome: str) -> WriteBackResult:
    return WriteBackResult(
        result_id=hashlib.sha256(f"{feedback.feedback_id}\0{target}".encode()).hexdigest()[:32],
        feedback_id=feedback.feedback_id,
        subject=feedback.subject,
        platform=feedback.about.platform,
        account=feedback.about.account,
        target=target,
        outcome=outcome,
        at=datetime.now(UTC),
    )
