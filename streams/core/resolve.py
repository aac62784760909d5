"""Finds the subject a fact is about and files the fact under it, so that everything about one person is one queue.

A subject is born from the normalised address and stays: a customer reference that was seen before keeps its subject
when the address changes. The record's id is derived from what the fact says, so a redelivered webhook is the same
record.
"""

from dataclasses import dataclass

from pydantic import BaseModel

from schemas.models import Cart, Consent, Customer, InboxRecord, Order, Shipment, Who
from streams.core import address
from streams.core.ids import digest, sha256_hex, subject_id
from streams.errors import Reject

Fact = Order | Shipment | Cart | Customer | Consent

KINDS: dict[str, type[Fact]] = {
    "commerce.orders": Order,
    "commerce.shipments": Shipment,
    "commerce.carts": Cart,
    "commerce.customers": Customer,
    "commerce.consents": Consent,
}


@dataclass(frozen=True, slots=True)
class Resolved:
    """`customer_ref` is to be remembered as belonging to `subject`."""

    subject: str
    record: InboxRecord
    customer_ref: str


def commerce_fact(kind: str, fact: BaseModel) -> Fact:
    """`fact` as one of the facts resolve knows. Raises Reject."""
    wanted = KINDS.get(kind)
    if wanted is None:
        raise Reject("unknown_kind", f"{kind} carries no fact about a subject; known are {', '.join(KINDS)}")
    if not isinstance(fact, Order | Shipment | Cart | Customer | Consent) or not isinstance(fact, wanted):
        raise Reject("wrong_fact", f"{kind} carries {wanted.__name__} records, this is a {type(fact).__name__}")
    return fact


def entity_ref(fact: Fact) -> str:
    """The platform object a fact is about."""
    match fact:
        case Order():
            return fact.order_ref
        case Shipment():
            return fact.shipment_ref
        case Cart():
            return fact.cart_ref
        case Customer():
            return fact.who.customer_ref
        case Consent():
            return f"{fact.who.customer_ref}:{fact.channel.value}:{fact.purpose}"


def find_subject(who: Who, known: str | None) -> str:
    """The subject already known for the customer reference, else the one born from the address."""
    return known or subject_id(who.tenant, who.brand, address.identity(who))


def resolve(kind: str, fact: BaseModel, known: str | None, fact_bytes: bytes) -> Resolved:
    """File `fact` of topic `kind`; `known` is the subject remembered for its customer_ref. Raises Reject."""
    own = commerce_fact(kind, fact)
    who, source = own.who, own.source
    subject = find_subject(who, known)
    record = InboxRecord(
        record_id=_record_id(kind, own),
        subject=subject,
        kind=kind,
        tenant=who.tenant,
        brand=who.brand,
        recorded_at=source.collected_at,
        fact=fact_bytes,
    )
    return Resolved(subject, record, who.customer_ref)


def _record_id(kind: str, fact: Fact) -> str:
    # collected_at differs between two deliveries of the same event, so it is no part of what the fact says.
    content = fact.model_dump_json(exclude={"source": {"collected_at"}}).encode()
    who = fact.who
    return digest(
        kind, who.tenant, who.platform, who.account, fact.source.event_id, entity_ref(fact), sha256_hex(content)
    )
