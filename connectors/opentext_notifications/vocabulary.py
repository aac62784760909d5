"""The provider's words and field names, as settings: most are not public, so a tenant corrects them without code.

A word that is not listed never changes a delivery's state; it is kept as UNKNOWN with the word as its detail.
"""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from schemas.models import DeliveryState


def _folded(words: object) -> object:
    return {str(word).casefold(): state for word, state in words.items()} if isinstance(words, dict) else words


States = Annotated[dict[str, DeliveryState], BeforeValidator(_folded)]
Paths = tuple[str, ...]


class Vocabulary(BaseModel):
    """Words are compared without case. Paths are tried in order: "$.a.b" from the event object, "name" in an event."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    attempts: States = {
        "pending": DeliveryState.SUBMITTED,
        "submitted": DeliveryState.SUBMITTED,
        "inprogress": DeliveryState.SUBMITTED,
        "inprocess": DeliveryState.SUBMITTED,
        "held": DeliveryState.DEFERRED,
        "sent": DeliveryState.SENT,
        "error": DeliveryState.FAILED,
        "cancelled": DeliveryState.CANCELLED,
        "expired": DeliveryState.EXPIRED,
    }
    job_notes: frozenset[str] = frozenset({"complete", "posted", "purged"})
    sms_events: States = {
        "confirmed": DeliveryState.DELIVERED,
        "delivered": DeliveryState.DELIVERED,
        "undelivered": DeliveryState.UNDELIVERED,
        "failed": DeliveryState.UNDELIVERED,
        "rejected": DeliveryState.REJECTED,
        "expired": DeliveryState.EXPIRED,
        "buffered": DeliveryState.DEFERRED,
    }
    gamma: dict[int, DeliveryState] = {}

    dsn_code: Paths = ("$.dsn.status", "$.dsn.code")
    dsn_class: Paths = ("$.dsn.class", "$.dsn.status_class")
    dsn_subject: Paths = ("$.dsn.subject",)
    dsn_detail: Paths = ("$.dsn.detail",)
    dsn_text: Paths = ("$.dsn.message", "$.dsn.text", "$.dsn.diagnostic")
    dsn_action: Paths = ("$.dsn.action",)
    opt_out: Paths = ("$.opt_out",)
    event_time: Paths = ("event_time", "time", "timestamp")
