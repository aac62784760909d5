"""Examples the tests of the core start from."""

from dataclasses import dataclass
from datetime import datetime

from schemas.models import (
    About,
    Attachment,
    Channel,
    CompositionRequest,
    Document,
    NotificationRequest,
    Permission,
    Permissions,
    PlannedDelivery,
)
from schemas.models import ConsentState as Consent
from streams.core.ids import communication_id, delivery_id, document_id, sha256_hex
from streams.core.samples import START, WHO
from streams.core.timer import later

SUBJECT = "0123456789abcdef"
ABOUT = About(platform=WHO.platform, account=WHO.account, customer_ref=WHO.customer_ref, order_ref="o-1")
COMMUNICATION = communication_id("demo", "example", "order_confirmation", "SO-1001", SUBJECT)


def at(seconds: float) -> datetime:
    """`seconds` after the start of the examples."""
    return later(START, seconds)


@dataclass(frozen=True)
class Promise:
    """A sink's promise."""

    idempotency: str = "key"
    status: str = "none"


@dataclass(frozen=True)
class Job:
    """A sink's acceptance."""

    provider_id: str = "job-1"


def request(
    message_class: str = "transactional",
    purpose: str | None = None,
    not_after: datetime | None = None,
    text: str = "hello",
    channel: Channel = Channel.EMAIL,
    address: str = "ada@example.test",
) -> NotificationRequest:
    """A delivery to hand over."""
    return NotificationRequest(
        delivery_id=delivery_id(COMMUNICATION, channel, 0),
        communication_id=COMMUNICATION,
        subject=SUBJECT,
        tenant="demo",
        brand="example",
        type="order_confirmation",
        message_class=message_class,
        purpose=purpose,
        channel=channel,
        rung=0,
        address=address,
        locale="en",
        text=text,
        attachments=(Attachment(name="a.pdf", mime_type="application/pdf", content=b"x", sha256=sha256_hex(b"x")),),
        about=ABOUT,
        not_after=not_after,
        requested_at=START,
    )


def composition() -> CompositionRequest:
    """A document to compose for one mail."""
    data = '{"order":{}}'
    data_hash = sha256_hex(data.encode())
    return CompositionRequest(
        communication_id=COMMUNICATION,
        document_id=document_id(COMMUNICATION, "order_confirmation", data_hash),
        subject=SUBJECT,
        tenant="demo",
        brand="example",
        type="order_confirmation",
        message_class="transactional",
        template="order_confirmation",
        locale="en",
        data=data,
        data_hash=data_hash,
        subject_line="Your order",
        text="Hello",
        deliveries=(
            PlannedDelivery(
                delivery_id=delivery_id(COMMUNICATION, Channel.EMAIL, 0),
                channel=Channel.EMAIL,
                rung=0,
                address="ada@example.test",
            ),
        ),
        about=ABOUT,
        requested_at=START,
    )


def document(mime_type: str, content: bytes, queue: str = "OUT", name: str = "confirmation") -> Document:
    """One output of composing `composition()`."""
    asked = composition()
    return Document(
        document_id=asked.document_id,
        communication_id=asked.communication_id,
        subject=asked.subject,
        type=asked.type,
        template=asked.template,
        locale=asked.locale,
        queue=queue,
        name=name,
        mime_type=mime_type,
        content=content,
        sha256=sha256_hex(content),
        about=asked.about,
        composed_at=START,
    )


def choice(
    state: Consent, seconds: float, purpose: str = "cart_reminder", channel: Channel = Channel.EMAIL
) -> Permission:
    """One explicit decision of a person."""
    return Permission(channel=channel, purpose=purpose, state=state, decided_at=at(seconds))


def permissions(*entries: Permission, blocked: tuple[str, ...] = ()) -> Permissions:
    """What the example subject allows."""
    return Permissions(
        subject=SUBJECT, tenant="demo", brand="example", entries=entries, blocked=blocked, recorded_at=START
    )
