"""Models of the flow family. Generated from the .avsc files by `tidings schemas generate`; never edit."""

from typing import ClassVar

from schemas.models.commerce import Channel, ConsentState
from schemas.values import Record, Timestamp


class InboxRecord(Record):
    """One thing that concerns a subject, in the order in which it is decided upon."""

    avro_name: ClassVar[str] = "tidings.flow.InboxRecord"

    record_id: str
    """32 hex digits derived from the fact; a repeat of the same fact has the same id."""
    subject: str
    """Subject key: 16 hex digits naming a person or business account within a tenant; the Kafka key of this record."""
    kind: str
    """What the fact is: the topic it came from, e.g. "commerce.orders", or "timer.due", or "communication.feedback"."""
    tenant: str
    """Tenant the subject belongs to."""
    brand: str
    """Brand the fact belongs to."""
    recorded_at: Timestamp
    """When it entered the inbox (UTC, ms): the only clock decide has."""
    fact: bytes
    """The fact in Confluent framing, byte for byte as it was on its own topic."""


class Permission(Record):
    """The current decision for one channel and purpose."""

    avro_name: ClassVar[str] = "tidings.flow.Permission"

    channel: Channel
    """Channel the decision is about."""
    purpose: str
    """"marketing", "cart_reminder" or "all"."""
    state: ConsentState
    """The decision in force."""
    decided_at: Timestamp
    """When the person decided (UTC, ms)."""


class TimerDue(Record):
    """A moment that was asked for has come."""

    avro_name: ClassVar[str] = "tidings.flow.TimerDue"

    timer_id: str
    """Id given when the timer was set; setting it again replaces it."""
    subject: str
    """Subject key: 16 hex digits naming a person or business account within a tenant; the Kafka key of this record."""
    due_at: Timestamp
    """The moment asked for (UTC, ms); it is read at this time or later."""
    purpose: str
    """What to do, in the words of the stage that set it, e.g. "grace", "quiet_hours", "retry", "poll"."""
    about: str
    """What it concerns: usually a communication or delivery id."""


class Permissions(Record):
    """What a subject may be sent by one brand, for the check right before a hand-over. The latest record is the
    whole truth."""

    avro_name: ClassVar[str] = "tidings.flow.Permissions"

    subject: str
    """Subject key: 16 hex digits naming a person or business account within a tenant; the Kafka key of this record."""
    tenant: str
    """Tenant the subject belongs to."""
    brand: str
    """Brand the permissions are for."""
    entries: tuple[Permission, ...] = ()
    """Decisions in force; a pair of channel and purpose that is missing was never granted."""
    blocked: tuple[str, ...] = ()
    """Channel symbols on which nothing may be sent, whatever the class, e.g. "SMS" after STOP."""
    recorded_at: Timestamp
    """Inbox time of the record that brought this state about (UTC, ms)."""
