"""A delivery to the provider's submit body. Pure; a body built again from the same request is byte for byte the same.

The delivery id goes out as `message_id`, by which the provider recognises a repeat, and with its Kafka key as `ref`, by
which every receipt finds its way home.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.opentext_notifications.mapping import reference
from connectors.opentext_notifications.settings import Settings
from schemas.models import NotificationRequest
from streams.errors import Reject

_E164 = re.compile(r"\+[1-9]\d{1,14}", re.ASCII)
_MAILBOX = re.compile(r"[^\s@<>\",;]+@[^\s@<>\",;]+")


def sms(request: NotificationRequest, settings: Settings) -> Mapping[str, Any]:
    """The body of an SMS. Raises Reject("address_invalid" | "no_text")."""
    if not _E164.fullmatch(request.address):
        raise Reject("address_invalid", f"delivery {request.delivery_id}: not an E.164 number")
    if not (request.text or "").strip():
        raise Reject("no_text", f"delivery {request.delivery_id}: an SMS needs a text")
    return {
        "options": {**_options(request), **settings.sms_options},
        "destinations": [{"ref": _ref(request), "sms": number(request.address, settings.sms_number_style)}],
        "sms_text": request.text,
    }


def email(request: NotificationRequest, settings: Settings) -> Mapping[str, Any]:
    """The body of an e-mail. Raises Reject("address_invalid" | "no_subject_line" | "no_text")."""
    if not _MAILBOX.fullmatch(request.address):
        raise Reject("address_invalid", f"delivery {request.delivery_id}: not an e-mail address")
    if not (request.subject_line or "").strip():
        raise Reject("no_subject_line", f"delivery {request.delivery_id}: an e-mail needs a subject line")
    body, files = _texts(request, settings), _files(request, settings)
    if not body:
        raise Reject("no_text", f"delivery {request.delivery_id}: an e-mail needs an HTML or text body")
    apart = settings.attachment_mode == "attachments" and bool(files)
    return {
        "options": {**_options(request), "email_options": _email_options(request, settings)},
        "destinations": [{"ref": _ref(request), "email": request.address}],
        "body": body if apart else [*body, *files],
        **({"attachments": files} if apart else {}),
    }


def number(address: str, style: str) -> str:
    """An E.164 number in the spelling the account takes."""
    digits = address.removeprefix("+")
    return {"digits": digits, "e164_plus": f"+{digits}", "double_zero": f"00{digits}"}[style]


def _ref(request: NotificationRequest) -> str:
    return reference(request.subject, request.delivery_id)


def _options(request: NotificationRequest) -> Mapping[str, Any]:
    about = request.about
    return {
        "message_id": request.delivery_id,
        "billing_code": request.type,
        "customer_reference": about.order_number or about.cart_ref or about.customer_ref,
    }


def _email_options(request: NotificationRequest, settings: Settings) -> Mapping[str, Any]:
    options = {
        # A line break in a subject line would start a header of the sender's choice.
        "subject": " ".join((request.subject_line or "").split()),
        "charset": "UTF-8",
        "from_display_name": settings.from_display_name,
        "forward_reply": settings.forward_reply,
        "html_open_tracking": settings.html_open_tracking,
        "expiration_days": settings.expiration_days,
    }
    return {name: value for name, value in options.items() if value is not None} | settings.email_options


def _texts(request: NotificationRequest, settings: Settings) -> Sequence[Mapping[str, Any]]:
    parts = [("body.html", "text/html", request.html)]
    if settings.text_alternative or not request.html:
        parts.append(("body.txt", "text/plain", request.text))
    return [
        {**_item(name, media, content.encode(), settings), "charset": "UTF-8"}
        for name, media, content in parts
        if content
    ]


def _files(request: NotificationRequest, settings: Settings) -> Sequence[Mapping[str, Any]]:
    return [_item(file.name, file.mime_type, file.content, settings) for file in request.attachments]


def _item(name: str, media: str, content: bytes, settings: Settings) -> Mapping[str, Any]:
    kind = settings.body_types.get(media) or media.rpartition("/")[2]
    return {"name": name, "type": kind, "data": base64.b64encode(content).decode()}
