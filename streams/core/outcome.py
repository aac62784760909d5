"""What became of a delivery, taken in: the next rung of a ladder, the health of an address, an opt-out, a waiting
child.
"""

from collections.abc import Iterable
from dataclasses import replace

from schemas.models import Channel, ConsentState, DeliveryState, Feedback, Outcome, Permission, TimerDue
from streams.core import address
from streams.core.advance import DUE, PARK, advance, parent_missing, wake_children
from streams.core.consent import ALL
from streams.core.remember import addresses, with_consent
from streams.core.send import send
from streams.core.state import OPEN, Communication, Handed, Phase
from streams.core.timer import later
from streams.core.work import Ruling, Work

LEFT = frozenset(
    {
        DeliveryState.SUBMITTED,
        DeliveryState.DEFERRED,
        DeliveryState.SENT,
        DeliveryState.DELIVERED,
        DeliveryState.OPENED,
    }
)
DEAD = frozenset(
    {
        DeliveryState.BOUNCED_HARD,
        DeliveryState.UNDELIVERED,
        DeliveryState.EXPIRED,
        DeliveryState.REJECTED,
        DeliveryState.BLOCKED,
        DeliveryState.CANCELLED,
        DeliveryState.FAILED,
        DeliveryState.PARKED,
        DeliveryState.SUPPRESSED,
    }
)
"""A soft bounce is not among them: it may still be delivered, and two channels at once are worse than a late one."""

_ADDRESS_REASONS = frozenset({"address_invalid", "channel_blocked", "no_channel"})


def on_feedback(work: Work, fact: Feedback) -> None:
    """Take in what became of a delivery."""
    item = work.known(fact.communication_id)
    handed = item.deliveries.get(fact.delivery_id) if item is not None else None
    _person(work, fact, handed)
    if item is not None and handed is not None:
        if fact.state in LEFT:
            # SUBMITTED is the ledger's own word, which it does not take back; anything more is a receipt.
            proven = replace(handed, left=handed.left or fact.state is not DeliveryState.SUBMITTED)
            item = replace(item, deliveries={**item.deliveries, fact.delivery_id: proven})
            work.put(fact.communication_id, item)
            _left(work, fact.communication_id, item)
        elif fact.state in DEAD and not handed.failed and not (fact.state is DeliveryState.PARKED and handed.left):
            # Parked although a receipt says it left: a second channel would be a second copy.
            _failed(work, item, handed, fact)
    wake_children(work)


def on_timer(work: Work, fact: TimerDue) -> None:
    """Take in an alarm. One that was called off meanwhile says nothing."""
    item = work.known(fact.about)
    if item is None or item.phase not in OPEN or fact.timer_id not in item.timers:
        return
    work.put(fact.about, replace(item, timers=()))
    if fact.purpose == DUE:
        advance(work, fact.about)
    elif fact.purpose == PARK:
        _parked(work, fact.about, item)
    wake_children(work)


def _parked(work: Work, name: str, item: Communication) -> None:
    give_up = later(item.began_at, work.policy.parking.give_up_after_s)
    rule = work.policy.rules.get(item.type)
    if work.now >= give_up or rule is None:
        work.suppress(name, "parked_expired", ["what must leave first never did"])
    elif parent_missing(work, name, rule):
        work.set_timer(name, PARK, give_up)
        text = f"operations exception: still no {rule.parent_type} of this order"
        work.decide(name, Ruling(Outcome.HOLD, "parked_missing_parent", [text], give_up))
    else:
        advance(work, name)


def _person(work: Work, fact: Feedback, handed: Handed | None) -> None:
    if fact.state is DeliveryState.BOUNCED_HARD or (fact.state in DEAD and fact.reason == "address_invalid"):
        _block(work, [handed.address] if handed else [], "address_invalid")
    if fact.state is DeliveryState.COMPLAINED and fact.channel.value not in work.state.complaints:
        complaints = tuple(sorted((*work.state.complaints, fact.channel.value)))
        work.state = replace(work.state, complaints=complaints)
    if fact.state is DeliveryState.UNSUBSCRIBED:
        _unsubscribe(work, fact, handed)


def _unsubscribe(work: Work, fact: Feedback, handed: Handed | None) -> None:
    # Providers' clocks are off: an opt-out counts from when we learn of it, or a grant made before it could win.
    decided_at = max(fact.occurred_at, work.now)
    withdrawn = Permission(channel=fact.channel, purpose=ALL, state=ConsentState.WITHDRAWN, decided_at=decided_at)
    work.state = with_consent(work.state, withdrawn)
    if fact.channel is Channel.SMS:
        known = (address.usable(Channel.SMS, text) for text in addresses(work.state, Channel.SMS, ""))
        marks = [address.fingerprint(Channel.SMS, text) for text in known if text]
        _block(work, [handed.address] if handed else marks, "channel_blocked")


def _block(work: Work, marks: Iterable[str], reason: str) -> None:
    fresh = {name: reason for name in marks if name not in work.state.blocked}
    if fresh:
        work.state = replace(work.state, blocked={**work.state.blocked, **fresh})


def _left(work: Work, name: str, item: Communication) -> None:
    if item.phase in {Phase.SENT, Phase.FAILED}:
        work.put(name, replace(item, phase=Phase.LEFT))


def _failed(work: Work, item: Communication, handed: Handed, fact: Feedback) -> None:
    name = fact.communication_id
    deliveries = {**item.deliveries, fact.delivery_id: replace(handed, failed=True)}
    item = replace(item, deliveries=deliveries)
    work.put(name, item)
    rule = work.policy.rules.get(item.type)
    text = f"{handed.channel}, rung {handed.rung}: {fact.state.value} {fact.reason or ''}".rstrip()
    ended_here = fact.state is DeliveryState.SUPPRESSED and fact.reason not in _ADDRESS_REASONS
    more = rule is not None and rule.ladder and handed.rung + 1 < len(rule.channels)
    if rule is not None and more and item.data is not None and not ended_here:
        because = [text]
        if fact.state is DeliveryState.PARKED:
            because.append("possible_double_reach: the first one may have arrived")
        send(work, name, rule, handed.rung + 1, because)
    elif all(one.failed for one in deliveries.values()):
        work.put(name, replace(item, phase=Phase.SUPPRESSED if ended_here else Phase.FAILED, data=None))
        reason = fact.reason if ended_here and fact.reason else "no_channel"
        work.decide(name, Ruling(Outcome.SUPPRESS, reason, [text, "no other channel is left"]))
