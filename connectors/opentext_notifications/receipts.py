"""Reads what became of deliveries: the facts in a stored snapshot, and the current snapshot of a job."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from connectors.contract import BadRequest, Receipt
from connectors.opentext_notifications import mapping
from connectors.opentext_notifications.api import Api
from connectors.opentext_notifications.fields import text
from connectors.opentext_notifications.ingest import raw_delivery, split
from connectors.opentext_notifications.settings import Settings
from schemas.models import Channel, RawDelivery
from streams.errors import Reject, Retry


class Tracking:
    """Implements `Track`."""

    def __init__(self, settings: Settings, api: Api, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._settings, self._api, self._now = settings, api, now

    def receipts(self, raw: RawDelivery) -> Sequence[Receipt]:
        """Every fact about our deliveries. Raises Reject("bad_snapshot" | "foreign_job")."""
        return mapping.receipts(raw.body, raw.received_at, self._settings.vocabulary)

    async def poll(self, provider_id: str, channel: str) -> RawDelivery | None:
        """The snapshot as the webhook would bring it; None when the job is purged. Raises Retry, Misconfigured."""
        answer = await self._api.status(_channel(channel), provider_id)
        if answer is None:
            return None
        try:
            snapshots = split(answer.body)
        except BadRequest as unreadable:
            raise Retry("unreadable_status", f"job {provider_id}: {unreadable.code}, status {answer.status}") from None
        for snapshot in snapshots:
            if text(snapshot.get("job_id")) in (provider_id, ""):
                return raw_delivery(snapshot, self._settings.account, self._now())
        return None


def _channel(symbol: str) -> Channel:
    if symbol not in (Channel.EMAIL, Channel.SMS):
        raise Reject("channel_unsupported", f"{symbol!r}: this provider carries EMAIL and SMS")
    return Channel(symbol)
