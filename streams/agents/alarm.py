"""Sets an alarm of the core on a stage's own timer topic; decide's alarms come back through the inbox instead."""

from schemas.codec import Codec
from streams.agents.ports import millis
from streams.core.timer import Timer
from streams.engine import Step
from streams.engine import Timer as EngineTimer


def schedule(codec: Codec, step: Step, topic: str, timer: Timer) -> None:
    """Bring `timer` back as a TimerDue on `topic`, under its subject's key."""
    fact = codec.encode(topic, timer.due())
    step.schedule(EngineTimer(timer.timer_id, millis(timer.due_at), topic, timer.subject.encode(), fact))
