"""The join: state of a subject x inbox record x policy -> decisions with their reasons, and everything that follows.

A pure, total function: the same history under the same policy version gives the same bytes, and no valid record
makes it fail. Time comes from the record alone.
"""

from pydantic import BaseModel

from schemas.models import Cart, Consent, Customer, Feedback, InboxRecord, Order, Shipment, TimerDue
from streams.core.outcome import on_feedback, on_timer
from streams.core.policy import Policy
from streams.core.resolve import KINDS
from streams.core.state import SubjectState, mark
from streams.core.timer import KIND as TIMER_KIND
from streams.core.track import KIND as FEEDBACK_KIND
from streams.core.trigger import on_duplicate, on_fact
from streams.core.work import Decided, Work


def decide(policy: Policy, state: SubjectState, record: InboxRecord, fact: BaseModel) -> Decided:
    """What `record`, which carries `fact`, leads to."""
    work = Work(policy, state, record)
    again = mark(record.record_id) in state.recent
    match fact:
        case Order() | Shipment() | Cart() | Customer() | Consent() if isinstance(fact, KINDS.get(record.kind, ())):
            if again:
                on_duplicate(work, fact)
                return Decided(state, tuple(work.decisions))
            on_fact(work, fact)
        case TimerDue() if record.kind == TIMER_KIND and not again:
            on_timer(work, fact)
        case Feedback() if record.kind == FEEDBACK_KIND and not again:
            on_feedback(work, fact)
        case _:
            return Decided(state)
    return work.finished()
