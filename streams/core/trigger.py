"""What a commerce fact starts, calls off or replaces. For every type whose trigger matches, exactly one decision
follows.
"""

from dataclasses import replace

from schemas.models import About, Cart, Order, Outcome, Shipment
from streams.core import driver
from streams.core.advance import advance, wake_children
from streams.core.remember import business_key, fact_time, remembered
from streams.core.resolve import Fact, entity_ref
from streams.core.rules import Cancel, Rule
from streams.core.state import OPEN, Communication, Phase, mark
from streams.core.work import KEPT_FACTS, Ruling, Work


def on_fact(work: Work, fact: Fact) -> None:
    """Take in a new commerce fact."""
    work.state = remembered(work.state, fact)
    started = [rule for rule in work.policy.triggered_by(work.record.kind) if rule.matches(fact)]
    for rule, cancel in work.policy.cancelled_by(work.record.kind):
        # What starts a communication does not call it off, whatever a rule says: one fact, one decision.
        if rule not in started and cancel.matches(fact):
            _call_off(work, rule, cancel, fact)
    for rule in started:
        _start(work, rule, fact)
    wake_children(work)


def on_duplicate(work: Work, fact: Fact) -> None:
    """Take in a record that was handled before: said once more, done never again."""
    for rule in work.policy.triggered_by(work.record.kind):
        if rule.matches(fact):
            key = _key(work, rule, fact)
            name = work.communication_id(rule.type, key)
            ruling = Ruling(Outcome.SUPPRESS, "duplicate_event", ["this record was handled before"])
            work.write(name, (rule.type, key), ruling)


def _key(work: Work, rule: Rule, fact: Fact) -> str:
    return business_key(work.state.aliases, rule.key_values(fact), entity_ref(fact))


def _start(work: Work, rule: Rule, fact: Fact) -> None:
    key = _key(work, rule, fact)
    name = work.communication_id(rule.type, key)
    held = work.known(name)
    if mark(name) in work.state.closed or (held is not None and held.phase is not Phase.CANCELLED):
        _again(work, name, rule, fact, key)
        return
    if held is not None and fact_time(fact) < held.fact_at:
        ruling = Ruling(Outcome.SUPPRESS, "superseded_by_event", ["what called it off is newer than this fact"])
        work.write(name, (rule.type, key), ruling)
        return
    work.put(name, _new(work, rule, fact, key))
    if _superseded(work, name, rule, key) or _ended(work, name, rule, fact):
        return
    for kind in rule.supersedes:
        _supersede(work, kind, key, name)
    advance(work, name)


def _new(work: Work, rule: Rule, fact: Fact, key: str) -> Communication:
    due = rule.due_at(fact, work.now)
    return Communication(
        type=rule.type,
        key=key,
        phase=Phase.PENDING,
        about=_about(fact),
        began_at=work.now,
        fact_at=fact_time(fact),
        due_at=due,
        not_after=rule.not_after(fact, due),
        parent=rule.parent_key(fact) if rule.parent_key else None,
        data=driver.of(fact),
        facts=(work.record.record_id,),
    )


def _again(work: Work, name: str, rule: Rule, fact: Fact, key: str) -> None:
    held = work.known(name)
    if held is not None and held.phase in OPEN:
        facts = (*held.facts, work.record.record_id)[-KEPT_FACTS:]
        if fact_time(fact) >= held.fact_at:
            held = replace(held, data=driver.of(fact), fact_at=fact_time(fact))
        work.put(name, replace(held, facts=facts))
    stands = held.phase.value if held is not None else "closed"
    ruling = Ruling(Outcome.SUPPRESS, "duplicate_effect", [f"the same effect is under way or done ({stands})"])
    work.write(name, (rule.type, key), ruling)


def _superseded(work: Work, name: str, rule: Rule, key: str) -> bool:
    for kind in work.policy.superseders(rule.type):
        other = work.communication_id(kind, key)
        if work.known(other) is not None or mark(other) in work.state.closed:
            _replace(work, name, other, f"{kind} came before it")
            return True
    return False


def _supersede(work: Work, kind: str, key: str, by: str) -> None:
    name = work.communication_id(kind, key)
    held = work.known(name)
    if held is not None and held.phase in OPEN:
        _replace(work, name, by, "it had not left yet")


def _replace(work: Work, name: str, by: str, text: str) -> None:
    item = replace(work.communications[name], phase=Phase.SUPERSEDED, data=None)
    work.put(name, item)
    work.decide(name, Ruling(Outcome.SUPERSEDE, "superseded_by_event", [text], superseded_by=by))


def _ended(work: Work, name: str, rule: Rule, fact: Fact) -> bool:
    since = work.state.ended.get(rule.type)
    if mark(name) not in work.state.ended and (since is None or fact_time(fact) > since):
        return False
    work.suppress(name, "superseded_by_event", ["what calls it off was known before"])
    return True


def _call_off(work: Work, rule: Rule, cancel: Cancel, fact: Fact) -> None:
    if cancel.since is not None:
        _call_off_all(work, rule, cancel, fact)
        return
    name = work.communication_id(rule.type, _key(work, rule, fact))
    held = work.known(name)
    open_item = held if held is not None and held.phase in OPEN else None
    if cancel.final:
        _end(work, mark(name), fact)
        if open_item is not None:
            work.suppress(name, "superseded_by_event", [f"{work.record.kind} says there is nothing left to say"])
    elif open_item is not None and fact_time(fact) > open_item.fact_at:
        work.suppress(name, "superseded_by_event", [f"{work.record.kind} called it off for now"])
        cancelled = replace(work.communications[name], phase=Phase.CANCELLED, fact_at=fact_time(fact))
        work.put(name, cancelled)


def _call_off_all(work: Work, rule: Rule, cancel: Cancel, fact: Fact) -> None:
    since = cancel.since(fact) if cancel.since else None
    if since is None:
        return
    known = work.state.ended.get(rule.type)
    if known is None or since > known:
        work.state = replace(work.state, ended={**work.state.ended, rule.type: since})
    for name, item in list(work.communications.items()):
        if item.type == rule.type and item.phase in OPEN and item.fact_at <= since:
            work.suppress(name, "superseded_by_event", [f"{work.record.kind} made it pointless"])


def _end(work: Work, name: str, fact: Fact) -> None:
    if name not in work.state.ended:
        work.state = replace(work.state, ended={**work.state.ended, name: fact_time(fact)})


def _about(fact: Fact) -> About:
    who = fact.who
    order_ref = fact.order_ref if isinstance(fact, Order | Shipment) else None
    number = fact.number if isinstance(fact, Order) else fact.order_number if isinstance(fact, Shipment) else None
    return About(
        platform=who.platform,
        account=who.account,
        customer_ref=who.customer_ref,
        order_ref=order_ref,
        order_number=number,
        cart_ref=fact.cart_ref if isinstance(fact, Cart) else None,
        shipment_ref=fact.shipment_ref if isinstance(fact, Shipment) else None,
    )
