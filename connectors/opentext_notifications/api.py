"""The calls this connector makes to the messaging service, typed, and nothing else."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from connectors.http import Auth, Basic, ClientCredentials, Http, Limits, Response, Wire
from connectors.opentext_notifications.settings import Settings
from schemas.models import Channel

# Certainly not accepted, and the body may say why; the HTTP client judges everything else.
_REFUSED = frozenset({400, 404, 405, 409, 413, 422})
_GONE = 404


class Api:
    """Submission and status, each with its own pace, so that polling never slows down or breaks the hand-over."""

    def __init__(self, settings: Settings, submit: Http, status: Http) -> None:
        self._settings, self._submit, self._status = settings, submit, status

    async def submit(self, channel: Channel, message_id: str, body: Mapping[str, Any]) -> Response:
        """The answer to a submission, accepted or refused. Raises Retry, Ambiguous, Misconfigured."""
        return await self._submit.send(
            f"submit_{channel.lower()}",
            "POST",
            self._settings.sms_path if channel is Channel.SMS else self._settings.email_path,
            json=body,
            headers={self._settings.submit_id_header: message_id},
            safe=False,
            expect=_REFUSED | set(range(200, 300)),
        )

    async def status(self, channel: Channel, job_id: str) -> Response | None:
        """The current snapshot, or None when the job is purged or unknown. Raises Retry, Misconfigured."""
        paths = self._settings.sms_status_path if channel is Channel.SMS else self._settings.email_status_path
        path = paths.format(job_id=quote(job_id, safe=""))
        expected = {_GONE, *range(200, 300)}
        answer = await self._status.send(f"status_{channel.lower()}", "GET", path, safe=True, expect=expected)
        return None if answer.status == _GONE else answer


def connect(settings: Settings, wire: Wire) -> Api:
    """The API over `wire`; both paces share one proof of identity."""
    auth: Auth = Basic(settings.user, settings.password)
    if settings.auth == "oauth2":
        auth = ClientCredentials(
            settings.token_url, settings.client_id, settings.client_secret, settings.scope, settings.client_auth
        )

    def client(rate: float) -> Http:
        limits = Limits(rate, settings.timeout_s, settings.connect_timeout_s, settings.attempts)
        return wire.client("opentext_notifications", settings.base_url, auth, limits)

    return Api(settings, client(settings.submit_rate_per_s), client(settings.status_rate_per_s))
