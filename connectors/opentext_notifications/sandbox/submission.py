"""Reads a submission as strictly as the contract allows and turns it into a job. Pure."""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from connectors.opentext_notifications.sandbox.life import Job, outcome

_NUMBER = re.compile(r"(\+|00)?[1-9]\d{6,14}", re.ASCII)
_MAILBOX = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


class Refused(Exception):
    """Ends a submission with 400."""


def message_id(body: Any) -> str:
    """The caller's id, which must be ASCII and at most 80 characters."""
    given = _dict(_dict(body, "body").get("options"), "options").get("message_id")
    if not isinstance(given, str) or not given.isascii() or not 0 < len(given) <= 80:
        raise Refused("options.message_id must be 1 to 80 ASCII characters")
    return given


def read(body: Mapping[str, Any], channel: Literal["EMAIL", "SMS"], job_id: str, at: datetime) -> Job:
    """The job to accept. Raises Refused."""
    options, destination = _dict(body.get("options"), "options"), _destination(body)
    mail = channel == "EMAIL"
    address = str(destination.get("email" if mail else "sms") or "")
    if not (_MAILBOX if mail else _NUMBER).fullmatch(address):
        raise Refused("destinations[0] has no valid address for this channel")
    mail_options = _dict(options.get("email_options"), "options.email_options") if mail else {}
    parts = _parts(body) if mail else {"text": str(body.get("sms_text") or "")}
    files = _files(body) if mail else []
    if not any(parts.values()):
        raise Refused("there is nothing to send")
    return Job(
        job_id=job_id,
        message_id=message_id(body),
        channel=channel,
        ref=str(destination.get("ref") or ""),
        customer_reference=str(options.get("customer_reference") or ""),
        billing_code=str(options.get("billing_code") or ""),
        address=address,
        subject_line=str(mail_options.get("subject") or ""),
        html=parts.get("html", ""),
        text=parts.get("text", ""),
        accepted_at=at,
        outcome=outcome(address),
        attachments=files,
    )


def _destination(body: Mapping[str, Any]) -> Mapping[str, Any]:
    destinations = body.get("destinations")
    if not isinstance(destinations, list) or len(destinations) != 1:
        raise Refused("this stand-in takes one destination per job")
    return _dict(destinations[0], "destinations[0]")


def _parts(body: Mapping[str, Any]) -> Mapping[str, str]:
    return {
        item["type"]: _content(item).decode(errors="replace")
        for item in _items(body, "body")
        if item.get("type") in ("html", "text")
    }


def _files(body: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    others = [item for item in _items(body, "body") if item.get("type") not in ("html", "text")]
    return [_file(item) for item in [*others, *_items(body, "attachments")]]


def _file(item: Mapping[str, Any]) -> Mapping[str, Any]:
    content = _content(item)
    return {
        "name": str(item.get("name") or ""),
        "type": str(item.get("type") or ""),
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "data": base64.b64encode(content).decode(),
    }


def _items(body: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    items = body.get(name, [])
    if not isinstance(items, list):
        raise Refused(f"{name} must be a list")
    return [_dict(item, f"{name}[]") for item in items]


def _content(item: Mapping[str, Any]) -> bytes:
    try:
        return base64.b64decode(str(item.get("data") or ""), validate=True)
    except (binascii.Error, ValueError):
        raise Refused("data must be base64") from None


def _dict(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Refused(f"{name} must be an object")
    return value
