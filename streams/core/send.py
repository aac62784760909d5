"""Sends a communication that may leave, on the channels that are open to it now; or says why none is.

Address, blocks and consent are looked at here and once more right before the hand-over.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from schemas.models import Channel, CompositionRequest, NotificationRequest, Outcome, PlannedDelivery
from streams.core import address, driver, ids, templates
from streams.core.consent import MARKETING, refusal
from streams.core.remember import addresses, block_of, business_key, contact_of
from streams.core.rules import Rule
from streams.core.state import Communication, Handed, Phase
from streams.core.work import Ruling, Work
from streams.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Route:
    """A channel that is open: where to, and which rung of the ladder it is."""

    channel: Channel
    rung: int
    address: str


def send(work: Work, name: str, rule: Rule, first_rung: int = 0, because: Sequence[str] = ()) -> bool:
    """Send communication `name`, on a ladder from `first_rung` on. False when it is suppressed instead."""
    item = work.communications[name]
    explanation = list(because)
    routes, reason = _routes(work, item, rule, first_rung, explanation)
    if not routes:
        work.suppress(name, reason, explanation)
        return False
    if item.not_after is not None and work.now > item.not_after:
        work.suppress(name, "expired", [*explanation, f"it was to leave by {item.not_after.isoformat()}"])
        return False
    try:
        message = _message(work, item, rule, [route.channel for route in routes], explanation)
    except Misconfigured as error:
        work.suppress(name, "ineligible", [*explanation, f"the template cannot be filled: {error.detail}"])
        return False
    deliveries = dict(item.deliveries)
    for route in routes:
        delivery = ids.delivery_id(name, route.channel, route.rung)
        deliveries[delivery] = Handed(
            route.channel.value, route.rung, address.fingerprint(route.channel, route.address)
        )
        _hand_over(work, name, item, rule, message, route, delivery)
    last = not rule.ladder or routes[-1].rung == len(rule.channels) - 1
    phase = Phase.LEFT if item.phase is Phase.LEFT else Phase.SENT
    data = None if last else item.data
    work.put(name, replace(item, phase=phase, rung=routes[-1].rung, data=data, deliveries=deliveries))
    chosen = rule.channels[routes[0].rung :] if rule.ladder else [route.channel for route in routes]
    channels = [channel.value for channel in chosen]
    work.decide(name, Ruling(Outcome.SEND, explanation=explanation, channels=channels))
    return True


@dataclass(frozen=True, slots=True)
class _Message:
    locale: str
    data: str
    texts: templates.Rendered


def _routes(
    work: Work, item: Communication, rule: Rule, first_rung: int, explanation: list[str]
) -> tuple[list[Route], str]:
    open_routes: list[Route] = []
    reasons: list[str] = []
    for rung, channel in enumerate(rule.channels):
        if rule.ladder and rung < first_rung:
            continue
        found, reason = _address(work, item, rule, channel)
        if found is None:
            explanation.append(f"{channel.value}: {reason}")
            reasons.append(reason)
            continue
        explanation.append(f"{channel.value}: open")
        open_routes.append(Route(channel, rung if rule.ladder else 0, found))
        if rule.ladder:
            break
    # That there is no address says least; any other reason says more.
    return open_routes, next((reason for reason in reasons if reason != "no_channel"), "no_channel")


def _address(work: Work, item: Communication, rule: Rule, channel: Channel) -> tuple[str | None, str]:
    reason = "no_channel"
    for text in addresses(work.state, channel, item.about.platform):
        usable = address.usable(channel, text)
        block = "address_invalid" if usable is None else block_of(work.state, channel, usable)
        if block is None:
            refused = _refused(work, rule, channel)
            return (None, refused) if refused else (usable, "")
        reason = block if reason == "no_channel" else reason
    return None, reason


def _refused(work: Work, rule: Rule, channel: Channel) -> str | None:
    if rule.message_class != MARKETING:
        return None
    if channel.value in work.state.complaints:
        return "channel_blocked"
    return refusal(work.state.consents, channel, rule.purpose)


def _message(
    work: Work, item: Communication, rule: Rule, channels: Sequence[Channel], explanation: list[str]
) -> _Message:
    person = contact_of(work.state, item.about.platform)
    default = work.policy.brand(work.record.brand).locale
    locale, steps = templates.choose(person.locale, rule.texts.locales, default)
    explanation += steps
    key = business_key(work.state.aliases, (item.about.order_ref or "",), "")
    order = work.state.orders.get(key)
    data = driver.complete(item.data or {}, person.first_name, locale, order.lines if order else None)
    names = [name for channel in channels for name in templates.TEXTS[channel]]
    return _Message(locale, driver.as_json(data), rule.texts.render(locale, data, names))


def _hand_over(
    work: Work, name: str, item: Communication, rule: Rule, message: _Message, route: Route, delivery: str
) -> None:
    if route.channel is Channel.EMAIL:
        work.compositions.append(_composition(work, name, item, rule, message, route, delivery))
    else:
        work.notifications.append(_notification(work, name, item, rule, message, route, delivery))


def _composition(
    work: Work, name: str, item: Communication, rule: Rule, message: _Message, route: Route, delivery: str
) -> CompositionRequest:
    subject, tenant, brand = work.owner
    data_hash = ids.sha256_hex(message.data.encode())
    return CompositionRequest(
        communication_id=name,
        document_id=ids.document_id(name, rule.template, data_hash),
        subject=subject,
        tenant=tenant,
        brand=brand,
        type=rule.type,
        message_class=rule.message_class,
        purpose=rule.purpose,
        template=rule.template,
        locale=message.locale,
        data=message.data,
        data_hash=data_hash,
        subject_line=message.texts.subject,
        text=message.texts.text,
        deliveries=(
            PlannedDelivery(delivery_id=delivery, channel=route.channel, rung=route.rung, address=route.address),
        ),
        not_after=item.not_after,
        about=item.about,
        requested_at=work.now,
    )


def _notification(
    work: Work, name: str, item: Communication, rule: Rule, message: _Message, route: Route, delivery: str
) -> NotificationRequest:
    subject, tenant, brand = work.owner
    return NotificationRequest(
        delivery_id=delivery,
        communication_id=name,
        subject=subject,
        tenant=tenant,
        brand=brand,
        type=rule.type,
        message_class=rule.message_class,
        purpose=rule.purpose,
        channel=route.channel,
        rung=route.rung,
        address=route.address,
        locale=message.locale,
        text=message.texts.sms,
        about=item.about,
        not_after=item.not_after,
        requested_at=work.now,
    )
