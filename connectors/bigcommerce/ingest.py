"""Accepts a webhook only when BigCommerce signed it lately for this store, and keeps it as it came. Pure.

The scheme is Standard Webhooks, except that the key is the client secret's own bytes and not base64. The signature
covers the exact bytes received, so it is checked before anything is read from them.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator

from connectors.bigcommerce.events import PLATFORM, parse
from connectors.bigcommerce.settings import Settings
from connectors.contract import BadRequest, HttpRequest, Unauthorized
from schemas.models import RawDelivery
from streams.errors import Reject

# Never the signature or the custom header.
_KEPT = ("content-type", "user-agent", "webhook-id", "webhook-timestamp")


def accept(request: HttpRequest, settings: Settings) -> tuple[RawDelivery, ...]:
    """The one delivery of a webhook, of whatever scope. Raises Unauthorized, BadRequest."""
    event_id = _verify(request, settings)
    try:
        event = parse(request.body)
    except Reject as unreadable:
        raise BadRequest(unreadable.code, unreadable.detail) from None
    if event.store not in (None, settings.account):
        raise BadRequest(
            "wrong_store", f"signed for another store than {settings.account}; check the hook's destination"
        )
    raw = RawDelivery(
        raw_id=hashlib.sha256("\0".join((PLATFORM, settings.account, event_id)).encode()).hexdigest()[:32],
        connector=PLATFORM,
        account=settings.account,
        kind=event.kind,
        key=event.key(settings.account),
        event_id=event_id,
        received_at=request.received_at,
        headers={name: request.headers[name] for name in _KEPT if name in request.headers},
        body=request.body,
    )
    return (raw,)


def _verify(request: HttpRequest, settings: Settings) -> str:
    """The webhook's id. Nothing an unsigned request claims about its time or id is looked at before its signature."""
    headers = request.headers
    event_id, timestamp, signatures = (headers.get(f"webhook-{name}") for name in ("id", "timestamp", "signature"))
    if not event_id or not timestamp or not signatures:
        raise Unauthorized("missing_signature", "webhook-id, webhook-timestamp and webhook-signature are needed")
    signed = b".".join((event_id.encode(), timestamp.encode(), request.body))
    given = [signature.encode() for signature in signatures.split()]
    if not any(hmac.compare_digest(good, one) for good in _signatures(signed, settings) for one in given):
        raise Unauthorized("bad_signature", "signed with another client secret, or changed on its way")
    if not timestamp.isdecimal() or abs(request.received_at.timestamp() - int(timestamp)) > settings.tolerance_s:
        raise Unauthorized("stale", f"signed more than {settings.tolerance_s} s from our time; check both clocks")
    second = settings.hook_header_value
    shown = headers.get(settings.hook_header_name.lower(), "")
    if second is not None and not hmac.compare_digest(second.get_secret_value().encode(), shown.encode()):
        raise Unauthorized("wrong_secret_header", f"the header {settings.hook_header_name} is missing or wrong")
    return event_id


def _signatures(signed: bytes, settings: Settings) -> Iterator[bytes]:
    for secret in (settings.client_secret, settings.previous_client_secret):
        if secret is not None:
            digest = hmac.new(secret.get_secret_value().encode(), signed, hashlib.sha256).digest()
            yield b"v1," + base64.b64encode(digest)
