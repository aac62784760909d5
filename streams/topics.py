"""Every topic in one table: who owns it, what it carries, how it is keyed and kept.

This table is the only place that names a topic's properties; topic creation, schema publication, AsyncAPI, the workers'
start-up check and the metrics' bounded labels are all derived from it. Every topic has the same number of partitions,
because a stage's lane owns the same partition number of everything it reads and writes.
"""

from dataclasses import dataclass
from typing import Literal

Stage = Literal["collect", "resolve", "decide", "compose", "notify", "track", "report"]
STAGES: tuple[Stage, ...] = ("collect", "resolve", "decide", "compose", "notify", "track", "report")

DAY_MS = 86_400_000
MESSAGE_MAX_BYTES = 8_388_608
"""Of a record on any topic; a dead letter may wrap one, so those topics take twice as much."""
FOREVER = -1


@dataclass(frozen=True, slots=True)
class Topic:
    """`schema` is the full name of the record it carries, or None for the engine's own bytes.

    `public` topics are contracts with other teams; the rest may change between releases.
    """

    name: str
    owner: Stage
    key: str
    schema: str | None
    about: str
    public: bool = False
    compacted: bool = False
    retention_ms: int = 14 * DAY_MS

    @property
    def config(self) -> dict[str, str]:
        """Broker-side configuration entries."""
        wraps = self.schema == "tidings.delivery.DeadLetter"
        size = {"max.message.bytes": str(MESSAGE_MAX_BYTES * (2 if wraps else 1))}
        if self.compacted:
            return {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.1", **size}
        return {"cleanup.policy": "delete", "retention.ms": str(self.retention_ms), **size}


def _commerce(name: str, record: str, about: str) -> Topic:
    return Topic(
        f"commerce.{name}", "collect", "customer_ref", f"tidings.commerce.{record}", about, True, retention_ms=90 * DAY_MS
    )


def _changelog(stage: Stage) -> Topic:
    about = f"State, timers and position of the {stage} lanes."
    return Topic(f"{stage}.changelog", stage, "state key", None, about, compacted=True)


def _dead(stage: Stage) -> Topic:
    about = f"What {stage} could not handle, with the original bytes and the reason."
    return Topic(f"{stage}.dlq", stage, "as received", "tidings.delivery.DeadLetter", about, retention_ms=FOREVER)


TABLE: tuple[Topic, ...] = (
    Topic("collect.raw", "collect", "platform object", "tidings.delivery.RawDelivery", "Webhooks as received, before anything is read from them."),
    _commerce("orders", "Order", "The state of an order after something happened to it."),
    _commerce("shipments", "Shipment", "A parcel that left."),
    _commerce("carts", "Cart", "A cart after something happened to it."),
    _commerce("customers", "Customer", "Who a customer is."),
    _commerce("consents", "Consent", "A grant or withdrawal for one channel and purpose."),
    Topic("flow.inbox", "resolve", "subject", "tidings.flow.InboxRecord", "The total order of everything that concerns a subject.", retention_ms=90 * DAY_MS),
    Topic("flow.permissions", "decide", "subject", "tidings.flow.Permissions", "What a subject may be sent, for the check right before hand-over.", compacted=True),
    Topic("communication.decisions", "decide", "subject", "tidings.communication.Decision", "Every decision with its reasons.", True, retention_ms=FOREVER),
    Topic("composition.requests", "decide", "subject", "tidings.communication.CompositionRequest", "Documents to compose."),
    Topic("communication.documents", "compose", "subject", "tidings.communication.Document", "What was composed, once.", True),
    Topic("notification.requests", "compose", "subject", "tidings.communication.NotificationRequest", "Deliveries to hand over."),
    Topic("notification.timers", "notify", "subject", "tidings.flow.TimerDue", "Retries and status queries that came due."),
    Topic("delivery.ledger", "notify", "delivery_id", "tidings.delivery.LedgerEntry", "The truth about each hand-over.", compacted=True),
    Topic("track.raw", "track", "subject", "tidings.delivery.RawDelivery", "Receipts as received."),
    Topic("track.timers", "track", "subject", "tidings.flow.TimerDue", "Status polls that came due."),
    Topic("communication.feedback", "track", "subject", "tidings.communication.Feedback", "What became of each delivery.", True, retention_ms=FOREVER),
    Topic("report.results", "report", "subject", "tidings.communication.WriteBackResult", "What was written back where.", True),
    *(_changelog(stage) for stage in STAGES),
    *(_dead(stage) for stage in STAGES),
)

BY_NAME: dict[str, Topic] = {topic.name: topic for topic in TABLE}
BY_SCHEMA: dict[str, str] = {t.schema: t.name for t in TABLE if t.schema and t.name.startswith("commerce.")}
