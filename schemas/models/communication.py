"""Models of the communication family. Generated from the .avsc files by `tidings schemas generate`; never edit."""

from enum import StrEnum
from typing import ClassVar

from schemas.models.commerce import Channel
from schemas.values import Int, Record, Timestamp


class About(Record):
    """The platform objects a communication is about, so that outcomes can be written back to them."""

    avro_name: ClassVar[str] = "tidings.communication.About"

    platform: str
    """Connector name of the platform to write back to."""
    account: str
    """Account, store or site on that platform."""
    customer_ref: str
    """Platform-scoped customer, Who.customer_ref."""
    order_ref: str | None = None
    """Platform-scoped order, Order.order_ref."""
    order_number: str | None = None
    """Order number as the customer knows it."""
    cart_ref: str | None = None
    """Platform-scoped cart, Cart.cart_ref."""
    shipment_ref: str | None = None
    """Platform-scoped shipment, Shipment.shipment_ref."""


class Attachment(Record):
    """A file that travels with a message."""

    avro_name: ClassVar[str] = "tidings.communication.Attachment"

    name: str
    """File name the recipient sees."""
    mime_type: str
    """Media type of content."""
    content: bytes
    """The file itself."""
    sha256: str
    """SHA-256 of content, hex."""


class PlannedDelivery(Record):
    """A hand-over that will carry a document once it is composed."""

    avro_name: ClassVar[str] = "tidings.communication.PlannedDelivery"

    delivery_id: str
    """The hand-over: 32 hex digits derived from communication, channel and rung; also the idempotency key towards
    the provider."""
    channel: Channel
    """Channel of the hand-over."""
    rung: Int
    """Position on the channel ladder, from 0; each fallback is one higher."""
    address: str
    """Where to: e-mail address, E.164 number, postal or portal reference. Never log it."""


class Outcome(StrEnum):
    """What was decided. HOLD: until a time or an event; SUPPRESS: never; SUPERSEDE: another communication takes its
    place."""

    UNKNOWN = "UNKNOWN"
    SEND = "SEND"
    HOLD = "HOLD"
    SUPPRESS = "SUPPRESS"
    SUPERSEDE = "SUPERSEDE"


class DeliveryState(StrEnum):
    """What became of a delivery. SUPPRESSED: not handed over, for a reason; SUBMITTED: the provider took
    responsibility; SENT: it left the provider; FAILED: refused for good; PARKED: outcome unknown, a person must
    look."""

    UNKNOWN = "UNKNOWN"
    SUPPRESSED = "SUPPRESSED"
    SUBMITTED = "SUBMITTED"
    DEFERRED = "DEFERRED"
    SENT = "SENT"
    DELIVERED = "DELIVERED"
    OPENED = "OPENED"
    BOUNCED_SOFT = "BOUNCED_SOFT"
    UNDELIVERED = "UNDELIVERED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"
    BLOCKED = "BLOCKED"
    CANCELLED = "CANCELLED"
    BOUNCED_HARD = "BOUNCED_HARD"
    COMPLAINED = "COMPLAINED"
    UNSUBSCRIBED = "UNSUBSCRIBED"
    FAILED = "FAILED"
    PARKED = "PARKED"


class WriteBackResult(Record):
    """What was written back to a platform about one outcome."""

    avro_name: ClassVar[str] = "tidings.communication.WriteBackResult"

    result_id: str
    """32 hex digits derived from the feedback and the target."""
    feedback_id: str
    """The outcome that was written back, Feedback.feedback_id."""
    subject: str
    """Subject key: 16 hex digits naming a person or business account within a tenant; the Kafka key of this record."""
    platform: str
    """Connector name of the platform."""
    account: str
    """Account, store or site on that platform."""
    target: str
    """What was written to, e.g. "order.metafield" or "subscriber.consents"."""
    outcome: str
    """"written", "unchanged" when it already said so, or "skipped" when there is nothing to write there."""
    detail: str | None = None
    """Why, for people; no addresses."""
    at: Timestamp
    """When the platform answered (UTC, ms)."""


class Document(Record):
    """What was composed, once, with its bytes."""

    avro_name: ClassVar[str] = "tidings.communication.Document"

    document_id: str
    """The document: 32 hex digits derived from communication, template and data hash."""
    communication_id: str
    """The communication: 32 hex digits derived from tenant, brand, type, business key, subject and step."""
    subject: str
    """Subject key: 16 hex digits naming a person or business account within a tenant; the Kafka key of this record."""
    type: str
    """Communication type: the name of a folder in streams/communications, e.g. "order_confirmation"."""
    template: str
    """Template and content version it was composed with."""
    locale: str
    """Chosen locale, BCP 47, e.g. "de-AT"."""
    queue: str
    """Output queue of the composition system that produced it."""
    name: str
    """File name for people, with extension."""
    mime_type: str
    """Media type of content, e.g. "application/pdf"."""
    content: bytes
    """The document itself."""
    sha256: str
    """SHA-256 of content, hex."""
    about: About
    """Platform objects that write-backs concern."""
    composed_at: Timestamp
    """When the composition system answered (UTC, ms)."""


class NotificationRequest(Record):
    """One delivery to hand over on one channel."""

    avro_name: ClassVar[str] = "tidings.communication.NotificationRequest"

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
    address: str
    """Where to: e-mail address, E.164 number, postal or portal reference. Never log it."""
    locale: str
    """Chosen locale, BCP 47, e.g. "de-AT"."""
    subject_line: str | None = None
    """Subject line; null where the channel has none."""
    text: str | None = None
    """Plain-text body."""
    html: str | None = None
    """HTML body; null where the channel has none."""
    attachments: tuple[Attachment, ...] = ()
    """Files that go with it."""
    about: About
    """Platform objects that write-backs concern."""
    not_after: Timestamp | None = None
    """Instant after which it must not leave any more (UTC, ms); null when it never expires."""
    requested_at: Timestamp
    """When the hand-over was requested (UTC, ms)."""


class CompositionRequest(Record):
    """A document to compose, once, and the deliveries that will carry it."""

    avro_name: ClassVar[str] = "tidings.communication.CompositionRequest"

    communication_id: str
    """The communication: 32 hex digits derived from tenant, brand, type, business key, subject and step."""
    document_id: str
    """The document: 32 hex digits derived from communication, template and data hash."""
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
    template: str
    """Template and content version to compose with, as the composition system knows it."""
    locale: str
    """Chosen locale, BCP 47, e.g. "de-AT"."""
    data: str
    """Driver data as JSON text, exactly as the template receives it."""
    data_hash: str
    """SHA-256 of data, hex."""
    subject_line: str | None = None
    """Subject line of the mail that carries it."""
    text: str | None = None
    """Plain-text body of the mail that carries it."""
    deliveries: tuple[PlannedDelivery, ...] = ()
    """Hand-overs to request once it is composed."""
    not_after: Timestamp | None = None
    """Instant after which it must not leave any more (UTC, ms); null when it never expires."""
    about: About
    """Platform objects that write-backs concern."""
    requested_at: Timestamp
    """Inbox time at which it was requested (UTC, ms)."""


class Decision(Record):
    """What was decided about one communication, with everything needed to explain it later."""

    avro_name: ClassVar[str] = "tidings.communication.Decision"

    decision_id: str
    """32 hex digits derived from communication, inbox record and outcome; a replay gives the same id."""
    communication_id: str
    """The communication: 32 hex digits derived from tenant, brand, type, business key, subject and step."""
    type: str
    """Communication type: the name of a folder in streams/communications, e.g. "order_confirmation"."""
    message_class: str
    """Class that decides which rules apply: security, regulated, transactional, service or marketing."""
    subject: str
    """Subject key: 16 hex digits naming a person or business account within a tenant; the Kafka key of this record."""
    tenant: str
    """Tenant the subject belongs to."""
    brand: str
    """Brand of the tenant that is speaking."""
    business_key: str
    """What makes the effect one: e.g. the order reference; equal keys collapse into one communication."""
    record_id: str
    """The inbox record that led to the decision, InboxRecord.record_id."""
    outcome: Outcome
    """What was decided."""
    reason: str | None = None
    """Reason code from the closed list, e.g. "consent_absent"; null only for SEND."""
    until: Timestamp | None = None
    """For HOLD: when it is looked at again (UTC, ms); null when it waits for an event."""
    superseded_by: str | None = None
    """For SUPERSEDE: the communication that takes its place."""
    channels: tuple[str, ...] = ()
    """Channel symbols chosen, best first; further ones are the ladder."""
    policy_version: str
    """Version of the policy that decided."""
    facts: tuple[str, ...] = ()
    """Ids of the inbox records that decided it."""
    explanation: tuple[str, ...] = ()
    """The steps in plain sentences, in order; no addresses."""
    decided_at: Timestamp
    """Inbox time at which it was decided (UTC, ms)."""


class Feedback(Record):
    """One fact about what became of a delivery."""

    avro_name: ClassVar[str] = "tidings.communication.Feedback"

    feedback_id: str
    """32 hex digits derived from the delivery and the fact; a receipt seen twice has the same id."""
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
    channel: Channel
    """Channel of the hand-over."""
    rung: Int
    """Position on the channel ladder, from 0; each fallback is one higher."""
    state: DeliveryState
    """What became of it."""
    reason: str | None = None
    """Reason code from the closed list, or the normalised cause of a failure; null when there is none."""
    detail: str | None = None
    """The provider's words, for people; no addresses."""
    provider: str | None = None
    """Connector name of the provider; null when nothing was handed over."""
    provider_id: str | None = None
    """The provider's id of the job; opaque."""
    about: About
    """Platform objects that write-backs concern."""
    occurred_at: Timestamp
    """When it happened according to the provider (UTC, ms)."""
    recorded_at: Timestamp
    """When we learnt of it (UTC, ms)."""
