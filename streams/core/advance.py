"""Moves one communication as far as it may go now: grace first, then its parent, then the channels.

Each step either holds it, with the reason and what it waits for, or passes it on. Further gates belong in between.
"""

from dataclasses import replace

from schemas.models import Outcome
from streams.core.rules import Rule
from streams.core.send import send
from streams.core.state import OPEN, Phase, mark
from streams.core.timer import later
from streams.core.work import Ruling, Work

DUE = "due"
PARK = "park"

_NOT_YET = OPEN | {Phase.SENT}


def advance(work: Work, name: str) -> None:
    """Take communication `name` on; exactly one decision follows."""
    item = work.communications[name]
    rule = work.policy.rules.get(item.type)
    if rule is None:
        work.suppress(name, "ineligible", [f"the policy no longer has the type {item.type}"])
    elif work.now < item.due_at:
        work.put(name, replace(item, phase=Phase.PENDING))
        work.set_timer(name, DUE, item.due_at)
        work.decide(name, Ruling(Outcome.HOLD, "grace", [f"may leave from {item.due_at.isoformat()}"], item.due_at))
    elif not _parent_ready(work, name, rule):
        _wait_for_parent(work, name, rule)
    else:
        send(work, name, rule)


def wake_children(work: Work) -> None:
    """Look again at everything that waits for a communication that moved."""
    while work.parents_moved:
        moved, work.parents_moved = frozenset(work.parents_moved), []
        _wake_children_of(work, moved)


def _wake_children_of(work: Work, moved: frozenset[str]) -> None:
    decided = {decision.communication_id for decision in work.decisions}
    for name, item in list(work.communications.items()):
        rule = work.policy.rules.get(item.type)
        if item.phase is not Phase.WAITING or rule is None or name in decided:
            continue
        parent = work.parent_of(item, rule)
        held = work.before.communications.get(parent or "")
        if parent in moved and (held is None or _parent_ready(work, name, rule)):
            advance(work, name)


def parent_missing(work: Work, name: str, rule: Rule) -> bool:
    """True while nothing is known of the communication that must leave first."""
    parent = work.parent_of(work.communications[name], rule)
    return parent is not None and work.known(parent) is None and mark(parent) not in work.state.closed


def _parent_ready(work: Work, name: str, rule: Rule) -> bool:
    parent = work.parent_of(work.communications[name], rule)
    if parent is None:
        return True
    held = work.known(parent)
    if held is None:
        return mark(parent) in work.state.closed
    return held.phase not in _NOT_YET


def _wait_for_parent(work: Work, name: str, rule: Rule) -> None:
    item = replace(work.communications[name], phase=Phase.WAITING)
    work.put(name, item)
    parking = work.policy.parking
    if parent_missing(work, name, rule):
        give_notice = later(item.began_at, parking.exception_after_s)
        work.set_timer(name, PARK, give_notice)
        text = f"no {rule.parent_type} of this order is known"
        work.decide(name, Ruling(Outcome.HOLD, "parked_missing_parent", [text], give_notice))
        return
    work.set_timer(name, PARK, later(item.began_at, parking.give_up_after_s))
    held = work.known(work.parent_of(item, rule) or "")
    until = held.due_at if held is not None and held.phase is Phase.PENDING else None
    work.decide(name, Ruling(Outcome.HOLD, "grace", [f"waits until {rule.parent_type} left"], until))
