"""compose: one document composed once, however many deliveries carry it.

A document that cannot be composed is a dead letter *and* a FAILED outcome, so that the communication moves on to its
next rung instead of ending in silence.
"""

from collections.abc import Sequence

from schemas.models import CompositionRequest, Document
from streams.agents.outcome import tell
from streams.agents.ports import Ports, moment
from streams.core.compose import failures, hand_overs
from streams.engine import RECORD_MAX, Record, Stage, Step
from streams.errors import Ambiguous, Failure, Reject, Retry, Skip

GIVEN_UP = b"given up"


class Compose:
    """`act` composes one request, or gives it up in the same step in which it says so."""

    def __init__(self, ports: Ports) -> None:
        self._ports, self._encode = ports, ports.codec.encode

    async def act(self, record: Record, step: Step) -> None:
        """One request to its documents and hand-overs."""
        request = self._ports.codec.decode_as(record.value or b"", CompositionRequest)
        if step.get(request.document_id.encode()) == GIVEN_UP:
            # Its communication has moved on to the next channel: composing it now would reach the person twice.
            raise Skip("given_up")
        try:
            documents = await self._ports.client(self._ports.composer).compose(request)
            outs = self._outs(request, documents)
        except (Retry, Ambiguous) as error:
            if record.attempt + 1 < self._ports.attempts:
                raise
            self._give_up(request, record, step, error)
        except Reject as error:
            self._give_up(request, record, step, error)
        else:
            for topic, value in outs:
                step.send(topic, record.key, value)

    def _outs(self, request: CompositionRequest, documents: Sequence[Document]) -> list[tuple[str, bytes]]:
        made = [("communication.documents", document) for document in documents]
        handed = [("notification.requests", one) for one in hand_overs(request, documents)]
        outs = [(topic, self._encode(topic, model)) for topic, model in (*made, *handed)]
        if large := [len(value) for _, value in outs if len(value) > RECORD_MAX]:
            raise Reject("too_large", f"document {request.document_id} makes a record of {large[0]} bytes")
        return outs

    def _give_up(self, request: CompositionRequest, record: Record, step: Step, error: Failure) -> None:
        step.send("compose.dlq", record.key, self._ports.dead_letter("compose", record, error, step.now), here=True)
        step.put(request.document_id.encode(), GIVEN_UP)
        for feedback in failures(request, error.code, moment(step.now)):
            tell(self._ports.codec, step, feedback)


def stage(ports: Ports) -> Stage:
    """composition.requests -> communication.documents, notification.requests."""
    return Stage(
        name="compose",
        sources=("composition.requests",),
        changelog="compose.changelog",
        dead_letters="compose.dlq",
        dead_letter=ports.dead_letter,
        act=Compose(ports).act,
        retry="requeue",
        attempts=ports.attempts,
        batch_max=64,
    )
