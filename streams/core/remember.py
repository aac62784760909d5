"""What a fact adds to the state of its subject, before anything is decided: addresses, consents, orders.

Facts may arrive late: what is older than what is known fills gaps and changes nothing else.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from schemas.models import Cart, Channel, Consent, ConsentState, Customer, Order, Permission, Shipment
from streams.core import address, driver
from streams.core.consent import marketing_block, newer
from streams.core.resolve import Fact
from streams.core.state import Contact, OrderState, SubjectState

CHANNELS = (Channel.EMAIL, Channel.SMS)


def remembered(state: SubjectState, fact: Fact) -> SubjectState:
    """The state with what `fact` says about the person and their orders."""
    state = _with_contact(state, fact)
    match fact:
        case Consent():
            return with_consent(state, _choice(fact))
        case Order():
            return _with_order(state, fact)
        case _:
            return state


def with_consent(state: SubjectState, entry: Permission) -> SubjectState:
    """The state after one explicit decision of the person."""
    held = {(known.channel, known.purpose): known for known in state.consents}
    place = (entry.channel, entry.purpose)
    held[place] = newer(held.get(place), entry)
    return replace(state, consents=tuple(held[key] for key in sorted(held)))


def fact_time(fact: Fact) -> datetime:
    """When what the fact tells became true."""
    match fact:
        case Order() | Cart():
            return fact.changed_at
        case Shipment():
            return fact.shipped_at
        case Consent():
            return fact.decided_at
        case Customer():
            return fact.source.occurred_at


def business_key(aliases: Mapping[str, str], values: tuple[str, ...], fallback: str) -> str:
    """The key a fact goes by: the one its thing was first known by, whichever of its names came first."""
    for value in values:
        if value in aliases:
            return aliases[value]
    return values[0] if values else fallback


def addresses(state: SubjectState, channel: Channel, platform: str) -> tuple[str, ...]:
    """Everything that may be an address on `channel`: the platform's own word first, then the newest."""
    contacts = sorted(state.contacts.items(), key=lambda item: (item[0] == platform, item[1].at, item[0]), reverse=True)
    told = (contact.email if channel is Channel.EMAIL else contact.phone for _, contact in contacts)
    return tuple(dict.fromkeys(text for text in told if text))


def contact_of(state: SubjectState, platform: str) -> Contact:
    """How the person is known: the platform's own word, with gaps filled from the others, newest first."""
    contacts = sorted(state.contacts.items(), key=lambda item: (item[0] == platform, item[1].at, item[0]), reverse=True)
    known = Contact(at=datetime.min)  # noqa: DTZ901  # only ever filled, never compared
    for _, contact in contacts:
        known = _filled(known, contact)
    return known


def blocked_channels(state: SubjectState) -> tuple[str, ...]:
    """Channels on which nothing may be sent because every address is blocked, and those closed to marketing."""
    closed = []
    for channel in CHANNELS if state.blocked else ():
        known = {address.usable(channel, text) for text in addresses(state, channel, "")} - {None}
        if known and all(block_of(state, channel, text) for text in known if text):
            closed.append(channel.value)
    return (*closed, *(marketing_block(name) for name in state.complaints))


def block_of(state: SubjectState, channel: Channel, text: str) -> str | None:
    """Why an address is blocked, or None."""
    return state.blocked.get(address.fingerprint(channel, text))


def _choice(fact: Consent) -> Permission:
    decided_at = fact.decided_at
    if fact.state is ConsentState.GRANTED:
        # A grant from a clock that runs ahead must not outrank a withdrawal made after it arrived.
        decided_at = min(decided_at, fact.source.collected_at)
    return Permission(channel=fact.channel, purpose=fact.purpose, state=fact.state, decided_at=decided_at)


def _with_contact(state: SubjectState, fact: Fact) -> SubjectState:
    who, at = fact.who, fact.source.occurred_at
    told = Contact(at, who.email, who.phone, who.locale, driver.first_name(fact))
    known = state.contacts.get(who.platform)
    if known is None:
        merged = told
    else:
        merged = _filled(told, known) if at >= known.at else _filled(known, told)
    if merged == known:
        return state
    return replace(state, contacts={**state.contacts, who.platform: merged})


def _filled(first: Contact, second: Contact) -> Contact:
    return Contact(
        first.at,
        first.email or second.email,
        first.phone or second.phone,
        first.locale or second.locale,
        first.first_name or second.first_name,
    )


def _with_order(state: SubjectState, order: Order) -> SubjectState:
    names = tuple(name for name in (order.external_ref, order.order_ref) if name)
    key = business_key(state.aliases, names, order.order_ref)
    aliases = {**state.aliases, **{name: key for name in names if name not in state.aliases}}
    known = state.orders.get(key)
    if known is not None and known.changed_at > order.changed_at:
        return replace(state, aliases=aliases)
    lines = {line.line_id: line.name for line in order.lines}
    fresh = OrderState(order.changed_at, order.status.value, order.number, lines)
    return replace(state, aliases=aliases, orders={**state.orders, key: fresh})
