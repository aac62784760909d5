"""The front door: what is stored before which answer is given."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest
from starlette.applications import Starlette

from connectors.bigcommerce import testing as bigcommerce
from connectors.contract import HttpRequest
from connectors.discovery import discover
from connectors.http import Wire
from schemas.codec import Codec
from schemas.commands import publish
from schemas.models import RawDelivery
from schemas.registry import MemoryRegistry
from streams.agents.ingress import Ingress
from streams.local.topics_admin import create_topics
from streams.runtime.outbox import Outbox
from streams.topics import TABLE
from tests.agents.reading import committed

pytestmark = pytest.mark.broker
HOOK = "/hooks/bigcommerce/abc123"


@dataclass
class Door:
    """An ingress over a broker, and the answers it counted."""

    post: Callable[[HttpRequest], Awaitable[httpx.Response]]
    codec: Codec
    answers: list[tuple[str, int]]


def webhook(order: str) -> bytes:
    event = {"scope": "store/order/created", "store_id": "1001", "data": {"type": "order", "id": order}}
    return json.dumps(event | {"hash": uuid4().hex + "0" * 8, "created_at": 1, "producer": "stores/abc123"}).encode()


def now() -> datetime:
    return datetime.now(UTC)


async def opened(bootstrap: str) -> AsyncIterator[Door]:
    registry, outbox, answers = MemoryRegistry(), Outbox(bootstrap), list[tuple[str, int]]()
    publish(registry, TABLE)
    codec = Codec(registry)
    connectors = {"bigcommerce": discover()["bigcommerce"]}
    clients = {"bigcommerce": connectors["bigcommerce"].open(bigcommerce.settings("http://shop.example.test"), Wire())}
    limits = {"collect.raw": 10_000, "track.raw": 10_000}
    ingress = Ingress(codec, outbox, connectors, clients, limits, lambda name, status: answers.append((name, status)))
    transport = httpx.ASGITransport(Starlette(routes=ingress.routes))
    async with httpx.AsyncClient(transport=transport, base_url="http://ingress.example.test") as client:

        async def post(request: HttpRequest) -> httpx.Response:
            return await client.post(request.path, content=request.body, headers=dict(request.headers))

        yield Door(post, codec, answers)
    await asyncio.to_thread(outbox.close)


@pytest.fixture
async def door(kafka: str) -> AsyncIterator[Door]:
    """An ingress on the run's broker."""
    await asyncio.to_thread(create_topics, kafka, "external")
    async for one in opened(kafka):
        yield one


def signed(body: bytes, at: datetime) -> HttpRequest:
    return replace(bigcommerce.inbound(body, at), path=HOOK)


async def test_a_genuine_webhook_is_in_kafka_when_it_gets_its_answer(door: Door, kafka: str) -> None:
    """A 2xx means that the raw delivery is durable, byte for byte."""
    body = webhook(f"order-{uuid4().hex}")
    answer = await door.post(signed(body, now()))
    assert (answer.status_code, answer.content) == (200, b"")
    (stored,) = [value for value in committed(kafka, "collect.raw") if body in value]
    assert door.codec.decode_as(stored, RawDelivery).body == body


@pytest.mark.parametrize("age", [timedelta(hours=1), timedelta(hours=-1)])
async def test_a_stale_webhook_is_refused(door: Door, age: timedelta) -> None:
    """A signature from another time proves nothing: 401."""
    assert (await door.post(signed(webhook("1"), now() - age))).status_code == 401


async def test_a_forged_webhook_is_refused(door: Door) -> None:
    """A body the sender did not sign gets 401 and is counted."""
    request = replace(signed(webhook("1"), now()), body=webhook("2"))
    assert (await door.post(request)).status_code == 401
    assert door.answers == [("bigcommerce", 401)]


async def test_what_cannot_be_parsed_is_a_bad_request(door: Door) -> None:
    """Signed nonsense gets 400: coming again would not help."""
    assert (await door.post(signed(b'{"scope":', now()))).status_code == 400


async def test_a_body_that_is_too_large_is_refused(door: Door) -> None:
    """413 beyond the limit, before anything is looked at."""
    assert (await door.post(signed(b" " * 20_000, now()))).status_code == 413


async def test_an_unknown_connector_does_not_exist(door: Door) -> None:
    """A path nobody serves gets 404, and its name is not a metric label."""
    answer = await door.post(replace(signed(webhook("1"), now()), path="/hooks/nobody/abc123"))
    assert answer.status_code == 404
    assert door.answers == [("unknown", 404)]


async def test_without_a_broker_the_sender_is_asked_to_come_again() -> None:
    """When Kafka does not acknowledge, the answer is 503 and never 2xx."""
    async for one in opened("127.0.0.1:1"):
        answer = await one.post(signed(webhook("1"), now()))
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"
