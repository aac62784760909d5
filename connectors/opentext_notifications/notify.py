"""Hands deliveries over to OpenText SMS & Email Notifications and gives access to their receipts.

What is certain is said: a refusal rejects the record, a connection that never was is retried. Whatever may have been
accepted is Ambiguous, because the only cure for a guess is a second message to a person.
"""

from collections.abc import Sequence
from typing import Any

from connectors.contract import Accepted, HttpRequest, SinkPromise
from connectors.http import Response, Wire
from connectors.opentext_notifications import bodies, ingest
from connectors.opentext_notifications.api import Api, connect
from connectors.opentext_notifications.fields import first, text
from connectors.opentext_notifications.receipts import Tracking
from connectors.opentext_notifications.settings import Settings
from schemas.models import Channel, NotificationRequest, RawDelivery
from streams.errors import Ambiguous, Misconfigured, Reject

_CODES = {413: "too_large"}


class Client(Tracking):
    """Implements `Notify`, `Ingest` and `Track`."""

    def __init__(self, settings: Settings, api: Api) -> None:
        super().__init__(settings, api)
        self.promise = SinkPromise("key" if settings.deduplicates else "none", "by_provider_id")

    async def submit(self, request: NotificationRequest) -> Accepted:
        """Accepted once per delivery id. Raises Retry, Reject, Ambiguous, Misconfigured."""
        if request.channel is Channel.SMS:
            body = bodies.sms(request, self._settings)
        elif request.channel is Channel.EMAIL:
            body = bodies.email(request, self._settings)
        else:
            raise Reject(
                "channel_unsupported", f"delivery {request.delivery_id}: this provider has no {request.channel}"
            )
        answer = await self._api.submit(request.channel, request.delivery_id, body)
        return _accepted(request, answer)

    def accept(self, request: HttpRequest) -> Sequence[RawDelivery]:
        """One raw delivery per job snapshot. Raises Unauthorized, BadRequest."""
        return ingest.accept(request, self._settings)


def open_client(settings: Settings, wire: Wire) -> Client:
    """The client of one account."""
    return Client(settings, connect(settings, wire))


def _accepted(request: NotificationRequest, answer: Response) -> Accepted:
    said = _said(answer)
    job_id, where = text(said.get("job_id")), f"delivery {request.delivery_id}: submit answered {answer.status}"
    if 200 <= answer.status < 300 or answer.status == 409:
        if job_id:
            return Accepted(job_id)
        raise Ambiguous("no_job_id", f"{where} without a job id; it may have been accepted")
    if answer.status in (404, 405):
        raise Misconfigured("not_found", f"{where}; check the base URL and paths")
    code = text(first(("code", "error_code"), said))
    known = f", code {code}" if code.replace("_", "").replace("-", "").isalnum() and len(code) <= 40 else ""
    raise Reject(_CODES.get(answer.status, "refused"), f"{where}{known}")


def _said(answer: Response) -> dict[str, Any]:
    try:
        parsed = answer.json()
    except Reject:
        return {}
    return parsed if isinstance(parsed, dict) else {}
