"""The loop on real Kafka between sandboxes that misbehave: what the other side saw is the judge."""

import asyncio
import base64
import io
import os
import re
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from confluent_kafka import Producer
from pypdf import PdfReader
from rich.console import Console

from connectors.http import Limits, Wire
from schemas.codec import Codec
from schemas.models import RawDelivery
from schemas.registry import ConfluentRegistry
from streams.agents.deadletters import Letter, letters
from streams.console.terminal import Terminal
from streams.demo.acts import Person, Place, Scene
from streams.demo.theatre import Theatre, opened
from streams.topics import Stage

pytestmark = [pytest.mark.broker, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
PATIENCE_S = 120
SHOP, COMPOSER, MESSENGER = "bigcommerce", "exstream", "opentext_notifications"


@dataclass
class Loop:
    """A running loop and the means to disturb and to look at it."""

    theatre: Theatre
    codec: Codec
    http: Any

    async def place(self, local: str, phone: str | None = None) -> str:
        """An order; its number."""
        key = f"{local}-{time.monotonic_ns()}"
        await self.theatre.play.scene(Scene("a test", (Place(key, Person(local, "Ada", phone=phone)),)))
        return self.theatre.play.things[key].number

    async def fault(self, name: str, **fault: Any) -> None:
        """Have a sandbox fail."""
        await self.http.send("fault", "POST", f"{name}/_sandbox/faults", json=fault, safe=False)

    async def messages(self, number: str) -> list[dict[str, Any]]:
        """What the messenger accepted about an order."""
        journal = (await self.http.send("journal", "GET", f"{MESSENGER}/_sandbox/journal", safe=True)).json()
        return [row for row in journal["accepted"] if row["customer_reference"] == number]

    async def one_message(self, number: str) -> dict[str, Any]:
        """The only message about an order, once it is there and its outcome is known to the shop."""
        await self.until(lambda: self.told(number))
        (message,) = await self.messages(number)
        return message

    async def told(self, number: str) -> bool:
        """Whether the shop knows that the order's confirmation was delivered."""
        journal = (await self.http.send("journal", "GET", f"{SHOP}/_sandbox/journal", safe=True)).json()
        values = [field["value"] for field in journal["metafields"] if str(field["resource_id"]) == number]
        return any('"status":"delivered"' in value for value in values)

    async def tidings(self, *arguments: str) -> str:
        """What the command says."""
        own = {**os.environ, **self.theatre.where.environment()}
        argv = [sys.executable, "-m", "streams.cli", *arguments]
        done = await asyncio.to_thread(subprocess.run, argv, env=own, capture_output=True, text=True, check=True)
        return done.stdout

    async def letter(self, stage: Stage, wanted: Callable[[Letter], bool]) -> Letter:
        """A dead letter, once it is there."""
        found: list[Letter] = []

        async def there() -> bool:
            read = await asyncio.to_thread(lambda: list(letters(self.theatre.where.bootstrap, self.codec, [stage])))
            found[:] = [one for one in read if wanted(one)]
            return bool(found)

        await self.until(there)
        return found[0]

    async def until(self, reached: Callable[[], Awaitable[bool]]) -> None:
        """Until a condition holds."""
        deadline = time.monotonic() + PATIENCE_S
        while not await reached():
            assert time.monotonic() < deadline, "it never came"
            await asyncio.sleep(0.3)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def loop(broker_kind: str) -> AsyncIterator[Loop]:
    """Broker, registry, sandboxes, ingress and one worker."""
    async with opened(broker_kind, 1, Terminal(Console(file=io.StringIO()))) as theatre:
        registry, wire = ConfluentRegistry(theatre.where.registry), Wire()
        yield Loop(
            theatre, Codec(registry), wire.client("test", theatre.where.sandboxes, None, Limits(rate_per_s=1000))
        )
        await wire.aclose()
        registry.close()


async def test_an_order_becomes_one_mail_with_a_pdf_that_names_it(loop: Loop) -> None:
    """A signed webhook ends in one e-mail whose PDF holds the order number, and in the order's metafield."""
    number = await loop.place("plain")
    message = await loop.one_message(number)
    assert (message["channel"], message["billing_code"]) == ("EMAIL", "order_confirmation")
    sent = (await loop.http.send("m", "GET", f"{MESSENGER}/_sandbox/messages/{message['job_id']}", safe=True)).body
    assert number in _pdf_text(sent)


async def test_a_platform_in_trouble_costs_time_and_nothing_else(loop: Loop) -> None:
    """500 and 429 while an order is fetched are waited out; the order is confirmed once."""
    await loop.fault(SHOP, path="/v2/orders/", status=500, times=4)
    await loop.fault(SHOP, path="/v3/customers", status=429, times=2, headers=False)
    message = await loop.one_message(await loop.place("patient"))
    assert message["billing_code"] == "order_confirmation"


async def test_what_cannot_be_fetched_is_kept_and_comes_back_by_replay(loop: Loop) -> None:
    """An order that stays invisible ends as a dead letter with the webhook's bytes; replayed, it is confirmed once."""
    await loop.fault(SHOP, path="/v2/orders/", status=404, times=60)
    number = await loop.place("invisible")
    found = await loop.letter("collect", lambda one: number.encode() in (one.letter.value or b""))
    assert (found.letter.family, found.letter.reason) == ("Retry", "not_yet_visible")
    webhook = loop.codec.decode_as(found.letter.value or b"", RawDelivery)
    assert re.search(rb'"id": ?%s\b' % number.encode(), webhook.body)
    await loop.http.send("calm", "DELETE", f"{SHOP}/_sandbox/faults", safe=True)
    assert found.place in await loop.tidings("dlq", "list", "--stage", "collect")
    assert '"reason": "not_yet_visible"' in await loop.tidings("dlq", "show", found.place)
    assert await loop.tidings("dlq", "replay", found.place) == "put back 1\n"
    assert (await loop.one_message(number))["billing_code"] == "order_confirmation"


@pytest.mark.parametrize(
    "body",
    [
        {"timestamp": 1, "status": 400, "message": "Bad Request", "details": "driver", "path": "/generate"},
        {"status": "error", "data": [{"errorMessage": "driver", "statusCode": "400", "engineOutputContext": {}}]},
    ],
    ids=["service error", "composition error"],
)
async def test_a_document_that_cannot_be_composed_moves_on_to_the_next_channel(loop: Loop, body: Any) -> None:
    """Exstream's refusal is a dead letter, and the customer is told by SMS instead."""
    await loop.fault(COMPOSER, path="/generate", status=400, times=1, body=body)
    number = await loop.place("paperless", phone="+4915112340001")
    assert (await loop.one_message(number))["channel"] == "SMS"
    await loop.letter("compose", lambda one: number.encode() in (one.letter.value or b""))


@pytest.mark.parametrize("kind", ["after", "cut"])
async def test_a_message_that_was_accepted_behind_an_error_is_not_sent_twice(loop: Loop, kind: str) -> None:
    """When the sink accepts and then answers 500, or breaks the line, the same key finds the message again."""
    await loop.fault(MESSENGER, path="/outbound/emails", kind=kind, status=500, times=1)
    message = await loop.one_message(await loop.place("trapped"))
    assert message["channel"] == "EMAIL"


async def test_an_outcome_nobody_pushes_is_polled(loop: Loop) -> None:
    """When the provider's webhooks are lost, polling finds out what became of a message."""
    await loop.http.send("mute", "POST", f"{MESSENGER}/_sandbox/knobs", json={"webhook_rate": 0.0}, safe=False)
    await loop.one_message(await loop.place("unheard"))
    await loop.http.send("unmute", "POST", f"{MESSENGER}/_sandbox/knobs", json={"webhook_rate": 1.0}, safe=False)


async def test_an_unknown_schema_is_kept_with_its_bytes(loop: Loop) -> None:
    """A record of a schema nobody knows is a dead letter, and the lane goes on."""
    foreign = b"\0" + struct.pack(">I", 987_654) + b"whatever"
    producer = Producer({"bootstrap.servers": loop.theatre.where.bootstrap})
    producer.produce("commerce.orders", foreign, b"somebody")
    producer.flush()
    found = await loop.letter("resolve", lambda one: one.letter.value == foreign)
    assert (found.letter.reason, found.letter.key) == ("unknown_schema", b"somebody")
    await loop.one_message(await loop.place("after"))


def _pdf_text(message: bytes) -> str:
    found = max(re.findall(rb'"([A-Za-z0-9+/=]{200,})"', message), key=len)
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(base64.b64decode(found))).pages)
