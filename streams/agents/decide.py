"""decide: the subject's state, one record of its inbox and the policy give decisions with reasons, and what follows.

Time enters only as records, so the same inbox under the same policy gives the same bytes again.
"""

from collections.abc import Iterable, Sequence

from pydantic import BaseModel

from schemas.models import Decision, InboxRecord
from streams.agents.ports import Ports, millis
from streams.core import state as states
from streams.core.decide import decide
from streams.core.work import Decided
from streams.engine import Record, Stage, Step, Timer, each

INBOX = "flow.inbox"


def stage(ports: Ports) -> Stage:
    """flow.inbox -> communication.decisions, composition.requests, notification.requests, flow.permissions."""
    codec = ports.codec

    def handle(record: Record, step: Step) -> None:
        inbox = codec.decode_as(record.value or b"", InboxRecord)
        known = step.get(record.key)
        state = states.from_bytes(known) if known else states.SubjectState()
        decided = decide(ports.policy, state, inbox, codec.decode(inbox.fact))
        step.put(record.key, decided.state.to_bytes())
        for topic, models in _outputs(decided):
            for model in models:
                step.send(topic, record.key, codec.encode(topic, model))
        for gone in decided.cancelled:
            step.cancel(gone)
        for timer in decided.timers:
            due = codec.encode(INBOX, timer.record(codec.encode("track.timers", timer.due())))
            step.schedule(Timer(timer.timer_id, millis(timer.due_at), INBOX, record.key, due))
        for decision in decided.decisions:
            step.note(decision)

    def committed(decisions: Sequence[Decision]) -> None:
        for decision in decisions:
            ports.decided(decision.type, decision.outcome.value, decision.reason)

    return Stage(
        name="decide",
        sources=(INBOX,),
        changelog="decide.changelog",
        dead_letters="decide.dlq",
        dead_letter=ports.dead_letter,
        handle=each(handle),
        committed=committed,
    )


def _outputs(decided: Decided) -> Iterable[tuple[str, Iterable[BaseModel]]]:
    yield "communication.decisions", decided.decisions
    yield "flow.permissions", (decided.permissions,) if decided.permissions else ()
    yield "composition.requests", decided.compositions
    yield "notification.requests", decided.notifications
