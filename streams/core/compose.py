"""Turns composed documents into the hand-overs that were planned for them.

The first HTML document is the body of the mail, everything else is attached in a fixed order: the same documents
always make the same message, because a repeat under the same key must have the same body.
"""

from collections.abc import Sequence
from datetime import datetime

from schemas.models import (
    Attachment,
    CompositionRequest,
    DeliveryState,
    Document,
    Feedback,
    NotificationRequest,
    PlannedDelivery,
)
from streams.core.ids import feedback_id
from streams.errors import Reject

HTML = "text/html"
_EXTENSIONS = {"application/pdf": ".pdf", HTML: ".html", "text/plain": ".txt", "application/json": ".json"}


def hand_overs(request: CompositionRequest, documents: Sequence[Document]) -> tuple[NotificationRequest, ...]:
    """One request per planned delivery. Raises Reject when the documents cannot make a message."""
    for document in documents:
        if document.document_id != request.document_id:
            detail = f"document {document.document_id} was composed for another request than {request.document_id}"
            raise Reject("foreign_document", detail)
    if not documents:
        raise Reject("no_documents", f"template {request.template} gave no output for document {request.document_id}")
    ordered = sorted(documents, key=lambda document: (document.queue, document.name, document.sha256))
    body = next((document for document in ordered if _is_html(document)), None)
    attachments = tuple(_attachment(document) for document in ordered if document is not body)
    html = _text(body) if body else None
    return tuple(_hand_over(request, delivery, html, attachments) for delivery in request.deliveries)


def failures(request: CompositionRequest, reason: str, now: datetime) -> tuple[Feedback, ...]:
    """What the world is told when nothing can be composed: each planned delivery failed, so a ladder moves on."""
    return tuple(_failure(request, delivery, reason, now) for delivery in request.deliveries)


def _failure(request: CompositionRequest, delivery: PlannedDelivery, reason: str, now: datetime) -> Feedback:
    state = DeliveryState.FAILED
    return Feedback(
        feedback_id=feedback_id(delivery.delivery_id, state.value),
        delivery_id=delivery.delivery_id,
        communication_id=request.communication_id,
        subject=request.subject,
        tenant=request.tenant,
        brand=request.brand,
        type=request.type,
        message_class=request.message_class,
        channel=delivery.channel,
        rung=delivery.rung,
        state=state,
        reason=reason,
        about=request.about,
        occurred_at=now,
        recorded_at=now,
    )


def _hand_over(
    request: CompositionRequest, delivery: PlannedDelivery, html: str | None, attachments: tuple[Attachment, ...]
) -> NotificationRequest:
    return NotificationRequest(
        delivery_id=delivery.delivery_id,
        communication_id=request.communication_id,
        subject=request.subject,
        tenant=request.tenant,
        brand=request.brand,
        type=request.type,
        message_class=request.message_class,
        purpose=request.purpose,
        channel=delivery.channel,
        rung=delivery.rung,
        address=delivery.address,
        locale=request.locale,
        subject_line=request.subject_line,
        text=request.text,
        html=html,
        attachments=attachments,
        about=request.about,
        not_after=request.not_after,
        requested_at=request.requested_at,
    )


def _is_html(document: Document) -> bool:
    return document.mime_type.partition(";")[0].strip().lower() == HTML


def _text(document: Document) -> str:
    try:
        return document.content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Reject("bad_html", f"document {document.document_id}, output {document.name}, is not UTF-8") from None


def _attachment(document: Document) -> Attachment:
    mime_type = document.mime_type.partition(";")[0].strip().lower()
    extension = _EXTENSIONS.get(mime_type, "")
    name = document.name if document.name.lower().endswith(extension) else document.name + extension
    return Attachment(name=name, mime_type=mime_type, content=document.content, sha256=document.sha256)
