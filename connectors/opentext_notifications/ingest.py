"""Status webhooks: proved, split into one record per job, and stored under the subject they concern.

Nothing is read from a snapshot here beyond whose it is. A proof is compared in constant time, over the bytes as they
came.
"""

import base64
import binascii
import hashlib
import hmac
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from connectors.contract import BadRequest, HttpRequest, Unauthorized
from connectors.opentext_notifications.fields import text
from connectors.opentext_notifications.mapping import owner
from connectors.opentext_notifications.settings import Settings
from schemas.models import RawDelivery

_KEPT_HEADERS = ("content-type", "user-agent", "x-mra-submitid")


def accept(request: HttpRequest, settings: Settings) -> Sequence[RawDelivery]:
    """One raw delivery per job in the request. Raises Unauthorized, BadRequest."""
    _prove(request, settings)
    account = request.path.rstrip("/").rpartition("/")[2]
    headers = {name: request.headers[name] for name in _KEPT_HEADERS if name in request.headers}
    snapshots = split(_plain(request, settings.webhook_max_bytes))
    return [raw_delivery(snapshot, account, request.received_at, headers) for snapshot in snapshots]


def split(body: bytes) -> Sequence[Mapping[str, Any]]:
    """The snapshots in a body: one object or a list of them. Raises BadRequest."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadRequest("bad_json", f"{len(body)} bytes that are not JSON") from None
    snapshots = parsed if isinstance(parsed, list) else [parsed]
    if not all(isinstance(snapshot, dict) for snapshot in snapshots):
        raise BadRequest("bad_shape", "expected a status object or a list of them")
    return snapshots


def raw_delivery(
    snapshot: Mapping[str, Any], account: str, received_at: datetime, headers: Mapping[str, str] | None = None
) -> RawDelivery:
    """The record to store. Pushed or polled, the same snapshot has the same event id."""
    event_id = hashlib.sha256(orjson.dumps(snapshot, option=orjson.OPT_SORT_KEYS)).hexdigest()
    known = owner(snapshot)
    return RawDelivery(
        raw_id=hashlib.sha256(f"opentext_notifications\x1f{account}\x1f{event_id}".encode()).hexdigest()[:32],
        connector="opentext_notifications",
        account=account,
        kind="status",
        key=known[0] if known else text(snapshot.get("job_id")) or event_id[:32],
        event_id=event_id,
        received_at=received_at,
        headers=headers or {},
        body=orjson.dumps(snapshot),
    )


def _prove(request: HttpRequest, settings: Settings) -> None:
    given = request.headers.get(_header(settings), "")
    if not given:
        raise Unauthorized("unsigned", f"no {_header(settings)} header")
    if not _genuine(given, request.body, settings):
        raise Unauthorized("forged", f"the {_header(settings)} header does not match")


def _genuine(given: str, body: bytes, settings: Settings) -> bool:
    if settings.webhook_auth == "hmac":
        return _hmac(given, body, settings)
    return _bearer(given, settings) if settings.webhook_auth == "bearer" else _basic(given, settings)


def _header(settings: Settings) -> str:
    headers = {"bearer": settings.webhook_bearer_header, "hmac": settings.webhook_signature_header}
    return headers.get(settings.webhook_auth, "authorization").lower()


def _basic(given: str, settings: Settings) -> bool:
    scheme, _, value = given.partition(" ")
    try:
        proof = base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        return False
    expected = f"{settings.webhook_user}:{settings.webhook_password.get_secret_value()}".encode()
    return hmac.compare_digest(proof, expected) and scheme.lower() == "basic"


def _bearer(given: str, settings: Settings) -> bool:
    token = given[7:] if given[:7].lower() == "bearer " else given
    return hmac.compare_digest(token.strip().encode(), settings.webhook_token.get_secret_value().encode())


def _hmac(given: str, body: bytes, settings: Settings) -> bool:
    """HMAC-SHA256 of the body as sent, in hex or base64, with or without "sha256="."""
    digest = hmac.digest(settings.webhook_secret.get_secret_value().encode(), body, "sha256")
    proof = given.strip().removeprefix("sha256=").encode()
    in_hex = hmac.compare_digest(proof.lower(), digest.hex().encode())
    return in_hex | hmac.compare_digest(proof, base64.b64encode(digest))


def _plain(request: HttpRequest, limit: int) -> bytes:
    """The body without its compression; a small body that unpacks to a huge one is refused."""
    if "gzip" not in request.headers.get("content-encoding", "").lower():
        return request.body
    unpacker = zlib.decompressobj(wbits=31)
    try:
        body = unpacker.decompress(request.body, limit)
    except zlib.error:
        raise BadRequest("bad_gzip", "the body is not what its content-encoding says") from None
    if unpacker.unconsumed_tail:
        raise BadRequest("too_large", f"the body unpacks to more than {limit} bytes")
    if not unpacker.eof:
        raise BadRequest("bad_gzip", "the compressed body is cut short")
    return body
