"""The sandbox's messages from hand-over to outcome, as polls and the mapping tell it."""

from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from connectors.contract import Receipt
from connectors.http import Wire
from connectors.opentext_notifications import CONNECTOR
from connectors.opentext_notifications.notify import Client
from connectors.opentext_notifications.sandbox import Config, Knobs, app
from connectors.opentext_notifications.testing import email, settings, text_message
from schemas.models import RawDelivery
from streams.errors import Misconfigured, Retry

URL = "http://messaging.example.test"


def states(found: Sequence[Receipt]) -> list[str]:
    """The states in order."""
    return [receipt.state for receipt in found]


class Place:
    """A sandbox with its own time and a client of it."""

    def __init__(self, **knobs: Any) -> None:
        served = app(Config(knobs=Knobs(**knobs)))
        transport = httpx.ASGITransport(served)
        self.client: Client = CONNECTOR.open(settings(URL), Wire(transport=transport))
        self.http = httpx.AsyncClient(transport=transport, base_url=URL)

    async def later(self, seconds: float) -> None:
        """Lets time pass in the sandbox."""
        assert (await self.http.post("/_sandbox/clock", json={"advance_s": seconds})).status_code == 200

    async def told(self, job_id: str, channel: str) -> list[str]:
        """The states a poll brings."""
        raw = await self.client.poll(job_id, channel)
        assert raw is not None
        return states(self.client.receipts(raw))


@pytest.mark.parametrize(
    ("word", "digits", "by_email", "by_sms"),
    [
        ("ok", "0001", ["SENT", "DELIVERED"], ["SENT", "DELIVERED"]),
        ("hard", "0002", ["SENT", "BOUNCED_HARD"], ["SENT", "BOUNCED_HARD"]),
        (
            "soft",
            "0003",
            ["SENT", "BOUNCED_SOFT", "BOUNCED_SOFT", "DELIVERED"],
            ["SENT", "DEFERRED", "DEFERRED", "DELIVERED"],
        ),
        ("expired", "0004", ["EXPIRED"], ["EXPIRED"]),
        ("gamma", "0005", ["FAILED"], ["FAILED"]),
        ("late", "0006", ["SENT", "DELIVERED", "BOUNCED_HARD"], ["SENT", "DELIVERED", "BOUNCED_HARD"]),
        ("optout", "0007", ["SENT", "DELIVERED", "UNSUBSCRIBED"], ["SENT", "UNSUBSCRIBED", "DELIVERED"]),
        ("open", "0008", ["SENT", "DELIVERED", "OPENED", "OPENED", "OPENED"], ["SENT", "DELIVERED"]),
        ("silent", "0009", ["SENT"], ["SENT"]),
        ("held", "0010", ["DEFERRED"], ["DEFERRED"]),
    ],
)
async def test_the_recipient_decides_what_becomes_of_a_message(
    word: str, digits: str, by_email: list[str], by_sms: list[str]
) -> None:
    """Each magic recipient ends as promised, on both channels, as poll and mapping tell it."""
    place = Place()
    first = await place.client.submit(email(address=f"{word}@example.test"))
    second = await place.client.submit(email(address=f"{word}+7@example.test", delivery_id="d" * 31 + "3"))
    third = await place.client.submit(text_message(address=f"+1555010{digits}"))
    await place.later(2)
    assert await place.told(first.provider_id, "EMAIL") == by_email
    assert await place.told(second.provider_id, "EMAIL") == by_email
    assert await place.told(third.provider_id, "SMS") == by_sms


async def test_a_message_grows_older_step_by_step() -> None:
    """A poll right after the hand-over shows an open delivery, a later one its outcome."""
    place = Place(life_s=1000)
    job = (await place.client.submit(email())).provider_id
    assert await place.told(job, "EMAIL") == ["SUBMITTED"]
    await place.later(350)
    assert await place.told(job, "EMAIL") == ["SENT"]
    await place.later(350)
    assert await place.told(job, "EMAIL") == ["SENT", "DELIVERED"]


async def test_a_purged_job_is_gone() -> None:
    """What the provider no longer knows is told as nothing, not as a failure."""
    place = Place(purge_after_s=60)
    job = (await place.client.submit(email())).provider_id
    assert await place.client.poll(job, "EMAIL") is not None
    assert await place.client.poll(job, "SMS") is None
    await place.later(100)
    assert await place.client.poll(job, "EMAIL") is None


async def test_a_poll_brings_what_a_webhook_would() -> None:
    """The polled record is keyed by the subject and has the identity of its content."""
    place = Place()
    job = (await place.client.submit(email())).provider_id
    await place.later(5)
    first, second = await place.client.poll(job, "EMAIL"), await place.client.poll(job, "EMAIL")
    assert isinstance(first, RawDelivery)
    assert isinstance(second, RawDelivery)
    assert (first.kind, first.key, first.connector) == ("status", "0123456789abcdef", "opentext_notifications")
    assert (first.event_id, first.raw_id) == (second.event_id, second.raw_id)


@pytest.mark.parametrize(
    ("fault", "family"),
    [
        ({"status": 500, "times": 9}, Retry),
        ({"kind": "html", "status": 200}, Retry),
        ({"status": 429}, Retry),
        ({"status": 401, "times": 2}, Misconfigured),
    ],
)
async def test_a_poll_that_fails_says_what_to_do(fault: dict[str, Any], family: type[Exception]) -> None:
    """A status that cannot be had now is asked for again; wrong credentials are a person's to correct."""
    place = Place()
    job = (await place.client.submit(email())).provider_id
    await place.http.post("/_sandbox/faults", json={"path": "/status", **fault})
    with pytest.raises(family):
        await place.client.poll(job, "EMAIL")
