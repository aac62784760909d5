"""Tells an outcome twice in one step: to the world on communication.feedback, to the decider through the inbox."""

from schemas.codec import Codec
from schemas.models import Feedback
from streams.core.track import feedback_record
from streams.engine import Step

FEEDBACK = "communication.feedback"
INBOX = "flow.inbox"


def tell(codec: Codec, step: Step, feedback: Feedback) -> None:
    """Send `feedback` under its subject's key."""
    key = feedback.subject.encode()
    fact = codec.encode(FEEDBACK, feedback)
    step.send(FEEDBACK, key, fact)
    step.send(INBOX, key, codec.encode(INBOX, feedback_record(feedback, fact)))
