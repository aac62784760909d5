"""Examples of the records a console reads, with everything a test does not care about filled in."""

from datetime import UTC, datetime

from schemas.models import (
    About,
    Channel,
    DeadLetter,
    Decision,
    DeliveryState,
    Document,
    Feedback,
    InboxRecord,
    Order,
    OrderStatus,
    Outcome,
    RawDelivery,
    Source,
    Who,
    WriteBackResult,
)

NOW = datetime(2026, 11, 20, 9, 15, tzinfo=UTC)
ADDRESS = "ada@example.test"
REF = "bigcommerce:abc123"


def about(order: str | None = "100234", cart: str | None = None) -> About:
    return About(
        platform="bigcommerce",
        account="abc123",
        customer_ref=f"{REF}:guest:{ADDRESS}",
        order_ref=f"{REF}:{order}" if order else None,
        order_number=order,
        cart_ref=f"{REF}:{cart}" if cart else None,
    )


def raw(ident: str, kind: str = "store/order/created") -> RawDelivery:
    return RawDelivery(
        raw_id=ident,
        connector="bigcommerce",
        account="abc123",
        kind=kind,
        key="order:1",
        event_id=ident,
        received_at=NOW,
        body=b"{}",
    )


def order(number: str, status: OrderStatus = OrderStatus.PLACED) -> Order:
    who = Who(
        tenant="example",
        brand="example",
        platform="bigcommerce",
        account="abc123",
        customer_ref=f"{REF}:guest:{ADDRESS}",
        email=ADDRESS,
        name="Ada",
    )
    source = Source(event="store/order/created", event_id=number, occurred_at=NOW, collected_at=NOW)
    return Order.model_validate(
        {
            "order_ref": f"{REF}:{number}",
            "number": number,
            "who": who,
            "source": source,
            "status": status,
            "payment_status": "captured",
            "currency": "EUR",
            **dict.fromkeys(("subtotal", "shipping", "tax", "discount", "total"), "1.0000"),
            "placed_at": NOW,
            "changed_at": NOW,
        }
    )


def inbox(ident: str, kind: str = "commerce.orders", subject: str = "0123456789abcdef") -> InboxRecord:
    return InboxRecord(
        record_id=ident, subject=subject, kind=kind, tenant="example", brand="example", recorded_at=NOW, fact=b""
    )


def decision(
    ident: str,
    outcome: Outcome = Outcome.SEND,
    reason: str | None = None,
    communication: str = "c1",
    kind: str = "order_confirmation",
    key: str = f"{REF}:100234",
) -> Decision:
    return Decision(
        decision_id=ident,
        communication_id=communication,
        type=kind,
        message_class="transactional",
        subject="0123456789abcdef",
        tenant="example",
        brand="example",
        business_key=key,
        record_id="r1",
        outcome=outcome,
        reason=reason,
        channels=("EMAIL", "SMS"),
        policy_version="1",
        decided_at=NOW,
    )


def document(ident: str, queue: str = "PDF_OUT") -> Document:
    return Document(
        document_id=ident,
        communication_id="c1",
        subject="0123456789abcdef",
        type="order_confirmation",
        template="order_confirmation",
        locale="de",
        queue=queue,
        name="Order_confirmation_100234.pdf",
        mime_type="application/pdf",
        content=b"%PDF-",
        sha256="0" * 64,
        about=about(),
        composed_at=NOW,
    )


def feedback(  # noqa: PLR0917 - a builder takes what an example may vary
    ident: str,
    state: DeliveryState,
    delivery: str = "d1",
    channel: Channel = Channel.EMAIL,
    rung: int = 0,
    reason: str | None = None,
    communication: str = "c1",
    kind: str = "order_confirmation",
) -> Feedback:
    return Feedback(
        feedback_id=ident,
        delivery_id=delivery,
        communication_id=communication,
        subject="0123456789abcdef",
        tenant="example",
        brand="example",
        type=kind,
        message_class="transactional",
        channel=channel,
        rung=rung,
        state=state,
        reason=reason,
        about=about(),
        occurred_at=NOW,
        recorded_at=NOW,
    )


def result(ident: str, feedback_id: str, outcome: str = "written", target: str = "order.metafield") -> WriteBackResult:
    return WriteBackResult(
        result_id=ident,
        feedback_id=feedback_id,
        subject="0123456789abcdef",
        platform="bigcommerce",
        account="abc123",
        target=target,
        outcome=outcome,
        at=NOW,
    )


def dead_letter(ident: str, stage: str = "decide") -> DeadLetter:
    return DeadLetter(
        dead_letter_id=ident,
        stage=stage,
        topic="flow.inbox",
        partition=0,
        offset=7,
        family="Reject",
        reason="bad_avro",
        detail="byte 3",
        failed_at=NOW,
    )
