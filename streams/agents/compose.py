"""compose: one document composed once, however many deliveries carry it.

A document that cannot be composed is a dead letter *and* a FAILED outcome, so that the communication moves on to its
next rung instead of ending in silence.
"""

from schemas.models import CompositionRequest
from streams.agents.outcome import tell
from streams.agents.ports import Ports, moment
from streams.core.compose import failures, hand_overs
from streams.engine import Record, Stage, Step
from streams.errors import Reject


def stage(ports: Ports) -> Stage:
    """composition.requests -> communication.documents, notification.requests."""
    encode = ports.codec.encode

    async def act(record: Record, step: Step) -> None:
        request = ports.codec.decode_as(record.value or b"", CompositionRequest)
        try:
            documents = await ports.client(ports.composer).compose(request)
        except Reject as error:
            step.send("compose.dlq", record.key, ports.dead_letter("compose", record, error, step.now), here=True)
            for feedback in failures(request, error.code, moment(step.now)):
                tell(ports.codec, step, feedback)
            return
        for document in documents:
            step.send("communication.documents", record.key, encode("communication.documents", document))
        for notification in hand_overs(request, documents):
            step.send("notification.requests", record.key, encode("notification.requests", notification))

    return Stage(
        name="compose",
        sources=("composition.requests",),
        changelog="compose.changelog",
        dead_letters="compose.dlq",
        dead_letter=ports.dead_letter,
        act=act,
        retry="requeue",
        attempts=8,
        batch_max=64,
    )
