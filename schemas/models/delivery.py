"""Models of the delivery family. Generated from the .avsc files by `tidings schemas generate`; never edit."""

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from schemas.models.commerce import Channel
from schemas.models.communication import About
from schemas.values import Int, Long, Record, Strings, Timestamp


class DeadLetter(Record):
    """A record a stage could not handle, complete enough to be put back."""

    avro_name: ClassVar[str] = "tidings.delivery.DeadLetter"

    dead_letter_id: str
    """32 hex digits derived from topic, partition and offset."""
    stage: str
    """Stage that gave it up."""
    topic: str
    """Topic it was read from."""
    partition: Int
    """Partition it was read from."""
    offset: Long
    """Offset it was read at."""
    key: bytes | None = None
    """Its Kafka key, byte for byte."""
    value: bytes | None = None
    """Its value, byte for byte; null for a tombstone."""
    headers: Strings = Field(default_factory=dict)
    """Its Kafka headers as text."""
    family: str
    """Error family by recovery, e.g. "Reject"."""
    reason: str
    """Code of the error, snake_case, from a bounded set."""
    detail: str
    """What is wrong, where, and what to do; no addresses."""
    failed_at: Timestamp
    """When it was given up (UTC, ms)."""


class LedgerState(StrEnum):
    """Where a hand-over stands. INTENT is acknowledged by Kafka before the provider is called; AMBIGUOUS: the
    provider may or may not have taken it; PARKED: a person must look."""

    UNKNOWN = "UNKNOWN"
    PLANNED = "PLANNED"
    SUPPRESSED = "SUPPRESSED"
    INTENT = "INTENT"
    AMBIGUOUS = "AMBIGUOUS"
    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"
    PARKED = "PARKED"


class RawDelivery(Record):
    """A webhook or poll answer as received, before anything is read from it."""

    avro_name: ClassVar[str] = "tidings.delivery.RawDelivery"

    raw_id: str
    """32 hex digits derived from connector, account and content; equal for a redelivery."""
    connector: str
    """Name of the connector that accepted it."""
    account: str
    """Account of that connector it came in for."""
    kind: str
    """The platform's event word, e.g. "store/order/created", or "status" for a delivery receipt."""
    key: str
    """Kafka key it is stored under: the platform object, or the subject for a receipt."""
    event_id: str
    """The sender's event id, for finding duplicates; derived from the content where it gives none."""
    received_at: Timestamp
    """When it was received (UTC, ms)."""
    headers: Strings = Field(default_factory=dict)
    """HTTP headers kept for later, names in lower case; never credentials or signatures."""
    body: bytes
    """The exact bytes received."""


class LedgerEntry(Record):
    """The truth about one hand-over. The latest record of a delivery is the whole truth."""

    avro_name: ClassVar[str] = "tidings.delivery.LedgerEntry"

    delivery_id: str
    """The hand-over: 32 hex digits derived from communication, channel and rung; also the idempotency key towards
    the provider."""
    communication_id: str
    """The communication: 32 hex digits derived from tenant, brand, type, business key, subject and step."""
    subject: str
    """Subject key: 16 hex digits naming a person or business account within a tenant; the Kafka key of this record."""
    tenant: str
    """Tenant the subject belongs to."""
    brand: str
    """Brand of the tenant that is speaking."""
    type: str
    """Communication type: the name of a folder in streams/communications, e.g. "order_confirmation"."""
    message_class: str
    """Class that decides which rules apply: security, regulated, transactional, service or marketing."""
    purpose: str | None = None
    """Consent purpose that must be granted at hand-over; null when the class needs no consent."""
    channel: Channel
    """Channel of the hand-over."""
    rung: Int
    """Position on the channel ladder, from 0; each fallback is one higher."""
    state: LedgerState
    """Where the hand-over stands."""
    attempt: Int
    """Calls to the provider begun so far; 0 before the first."""
    body_hash: str
    """SHA-256 of what is handed over, hex; a repeat with the same key must have the same hash."""
    provider: str | None = None
    """Connector name of the provider; null while none was chosen."""
    provider_id: str | None = None
    """The provider's id of the job once accepted; opaque."""
    reason: str | None = None
    """Why it was suppressed, refused, parked or put off."""
    retry_at: Timestamp | None = None
    """When the next attempt or status query is due (UTC, ms)."""
    about: About
    """Platform objects that write-backs concern."""
    request: bytes | None = None
    """The NotificationRequest in Confluent framing while the entry is open; null once it is closed."""
    recorded_at: Timestamp
    """When this state was recorded (UTC, ms)."""
