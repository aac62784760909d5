"""Status webhooks, from the sandbox's sender through the real door: proved, whole, and complete in the end."""

import asyncio
import base64
import gzip
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors import opentext_notifications
from connectors.contract import BadRequest, HttpRequest, Unauthorized
from connectors.http import Wire
from connectors.opentext_notifications import CONNECTOR
from connectors.opentext_notifications.notify import Client
from connectors.opentext_notifications.sandbox import Config, Knobs, Webhook, app
from connectors.opentext_notifications.testing import email, inbound, settings
from schemas.models import RawDelivery

URL = "http://messaging.example.test"
HOOK = "http://ingress.example.test/hooks/opentext_notifications/main"
NOW = datetime(2026, 3, 5, tzinfo=UTC)
EVENTS = Path(opentext_notifications.__file__).parent / "fixtures" / "events"
BODY = (EVENTS / "sms_confirmed.json").read_bytes()


def client(**changes: Any) -> Client:
    """A client without a network."""
    opened: Client = CONNECTOR.open(settings(URL, **changes), Wire())
    return opened


def hook(headers: dict[str, str], body: bytes = BODY) -> HttpRequest:
    """A webhook with these headers only."""
    return HttpRequest("POST", "/hooks/opentext_notifications/main", headers, body, NOW)


def test_a_status_is_stored_under_its_subject() -> None:
    """A webhook becomes one record keyed by the subject, with the account of its path and no credentials."""
    (raw,) = client().accept(inbound(BODY, NOW))
    assert (raw.connector, raw.account, raw.kind) == ("opentext_notifications", "main", "status")
    assert (raw.key, raw.received_at) == ("0123456789abcdef", NOW)
    assert orjson.loads(raw.body) == orjson.loads(BODY)
    assert raw.headers == {"content-type": "application/json"}


def test_a_list_is_split_by_job() -> None:
    """Statuses that come together are stored apart, each under its own subject."""
    raws = client().accept(inbound((EVENTS / "several_jobs.json").read_bytes(), NOW))
    assert [raw.key for raw in raws] == ["0123456789abcdef", "fedcba9876543210"]
    assert len({raw.event_id for raw in raws}) == 2
    assert client().accept(inbound(b"[]", NOW)) == []


def test_the_same_status_has_the_same_identity_however_it_comes() -> None:
    """Alone, in a list, compressed or with its fields in another order, a repeated status is found to be one."""
    snapshot = orjson.loads(BODY)
    turned = orjson.dumps(dict(reversed(snapshot.items())))
    packed = gzip.compress(BODY)
    zipped = inbound(packed, NOW)
    zipped = HttpRequest("POST", zipped.path, {**zipped.headers, "content-encoding": "gzip"}, packed, NOW)
    requests = [inbound(BODY, NOW), inbound(orjson.dumps([snapshot]), NOW), inbound(turned, NOW), zipped]
    assert len({client().accept(request)[0].raw_id for request in requests}) == 1


def test_a_job_that_is_not_ours_is_kept_under_its_own_id() -> None:
    """Even a status nobody can place is stored before anything is judged."""
    (raw,) = client().accept(inbound(b'{"job_id": "xsi-9", "deliveries": [{"ref_base64": "Qy03Nw=="}]}', NOW))
    assert raw.key == "xsi-9"


@pytest.mark.parametrize("body", [b"", b"{", b"7", b'"x"', b'[{"job_id": "x"}, 3]', b"\xff"])
def test_what_cannot_be_parsed_is_a_bad_request(body: bytes) -> None:
    """A body that is no status is refused, so that its sender notices."""
    with pytest.raises(BadRequest):
        client().accept(inbound(body, NOW))


@pytest.mark.parametrize("packed", [b"plain", gzip.compress(BODY)[:-9], gzip.compress(b"[" + b" " * 9_000_000 + b"]")])
def test_a_compressed_body_cannot_hurt(packed: bytes) -> None:
    """Broken, cut and exploding archives are refused at bounded cost."""
    request = inbound(packed, NOW)
    with pytest.raises(BadRequest):
        client().accept(HttpRequest("POST", request.path, {**request.headers, "content-encoding": "gzip"}, packed, NOW))


def basic(pair: str) -> str:
    """An authorization value."""
    return "Basic " + base64.b64encode(pair.encode()).decode()


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"authorization": ""},
        {"authorization": "Basic"},
        {"authorization": "Basic !!!"},
        {"authorization": basic("opentext:wrong")},
        {"authorization": basic("wrong:sandbox-hook")},
        {"authorization": basic("opentext:sandbox-hook").replace("Basic", "Bearer")},
    ],
)
def test_a_forged_webhook_is_not_stored(given: dict[str, str]) -> None:
    """Without the right user and password nothing gets in."""
    with pytest.raises(Unauthorized):
        client().accept(hook(given))


def test_a_bearer_token_may_come_in_any_header() -> None:
    """A static token is accepted where the account was told to put it, and nowhere else."""
    known = client(webhook_auth="bearer", webhook_token=SecretStr("t-123"), webhook_bearer_header="X-Token")
    assert len(known.accept(hook({"x-token": "t-123"}))) == 1
    assert len(known.accept(hook({"x-token": "Bearer t-123"}))) == 1
    for wrong in (hook({"x-token": "t-124"}), hook({"authorization": "Bearer t-123"}), hook({"x-token": ""})):
        with pytest.raises(Unauthorized):
            known.accept(wrong)


def test_a_signature_covers_the_bytes() -> None:
    """A signed body is accepted in hex and base64, and one changed byte makes it a forgery."""
    known = client(webhook_auth="hmac", webhook_secret=SecretStr("k-123"))
    digest = hmac.new(b"k-123", BODY, hashlib.sha256).digest()
    for value in (digest.hex(), f"sha256={digest.hex()}", base64.b64encode(digest).decode()):
        assert len(known.accept(hook({"x-signature": value}))) == 1
        with pytest.raises(Unauthorized):
            known.accept(hook({"x-signature": value}, BODY + b" "))


class Receiver:
    """The ingress: the real client at the door, and a list for Kafka."""

    def __init__(self, door: Client) -> None:
        self.stored: list[RawDelivery] = []
        self.answers: list[int] = []
        self.down = 0
        self._door = door
        self.app = Starlette(routes=[Route("/hooks/opentext_notifications/main", self.receive, methods=["POST"])])

    async def receive(self, request: Request) -> Response:
        """Accepts a webhook unless it is down."""
        if self.down:
            self.down -= 1
            return Response(status_code=503)
        given = HttpRequest("POST", request.url.path, dict(request.headers), await request.body(), datetime.now(UTC))
        try:
            self.stored += self._door.accept(given)
        except Unauthorized:
            self.answers.append(401)
            return Response(status_code=401)
        self.answers.append(200)
        return Response(status_code=200)

    def states(self, delivery_id: str) -> set[str]:
        """Everything the stored records say about a delivery."""
        found = [receipt for raw in self.stored for receipt in self._door.receipts(raw)]
        return {receipt.state for receipt in found if receipt.delivery_id == delivery_id}


class Place:
    """A sandbox that pushes to a receiver."""

    def __init__(self, hook: Webhook, door: dict[str, Any] | None = None, **knobs: Any) -> None:
        self.receiver = Receiver(client(**(door or {})))
        wire = Wire(transport=httpx.ASGITransport(self.receiver.app))
        transport = httpx.ASGITransport(app(Config(knobs=Knobs(life_s=0.05, **knobs), webhook=hook, wire=wire)))
        self.http = httpx.AsyncClient(transport=transport, base_url=URL)
        self.client: Client = CONNECTOR.open(settings(URL), Wire(transport=transport))

    async def webhooks(self) -> Any:
        """The sender's counts."""
        return (await self.http.get("/_sandbox/journal")).json()["webhooks"]

    async def quiet(self) -> Any:
        """Waits until nothing is left to push."""

        async def done() -> bool:
            return bool((await self.webhooks())["pending"] == 0)

        await until(done)
        return await self.webhooks()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Waits for a condition, at most ten seconds."""
    async with asyncio.timeout(10):
        while not await condition():  # noqa: ASYNC110 - the sandbox can only be asked
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("auth", "door"),
    [
        ("basic", {}),
        ("bearer", {"webhook_auth": "bearer", "webhook_token": SecretStr("sandbox-hook")}),
        ("hmac", {"webhook_auth": "hmac", "webhook_secret": SecretStr("sandbox-hook")}),
    ],
)
async def test_every_outcome_is_pushed_in_each_way_of_proving(auth: str, door: dict[str, Any]) -> None:
    """Doubled, batched, compressed and overtaking pushes end in the same facts."""
    rates = {"duplicate_rate": 0.5, "shuffle_rate": 0.5, "batch_rate": 0.5, "gzip_rate": 0.5}
    place = Place(Webhook(url=HOOK, auth=auth), door, **rates)
    expected = {
        "ok": "DELIVERED",
        "hard": "BOUNCED_HARD",
        "soft": "BOUNCED_SOFT",
        "optout": "UNSUBSCRIBED",
        "open": "OPENED",
    }
    for number, word in enumerate(expected):
        await place.client.submit(email(address=f"{word}.ada@example.test", delivery_id=f"d{number}"))
    counts = await place.quiet()
    for number, state in enumerate(expected.values()):
        assert state in place.receiver.states(f"d{number}")
    assert counts["delivered"] == len(place.receiver.answers)
    assert counts["doubled"] > 0


async def test_a_receiver_that_was_down_gets_everything_in_the_end() -> None:
    """A refused push is sent again."""
    place = Place(Webhook(url=HOOK), duplicate_rate=0)
    place.receiver.down = 3
    await place.client.submit(email())
    counts = await place.quiet()
    assert counts["refused"] == 3
    assert place.receiver.states(email().delivery_id) == {"SENT", "DELIVERED"}


async def test_a_wrong_password_of_the_sender_is_noticed() -> None:
    """A webhook set up with the wrong password is refused and stores nothing."""
    place = Place(Webhook(url=HOOK, password="wrong"), push_attempts=1)
    await place.client.submit(email())
    await place.quiet()
    assert place.receiver.stored == []
    assert set(place.receiver.answers) == {401}


async def test_an_outcome_that_was_never_pushed_is_found_by_polling() -> None:
    """Lost webhooks do not lose outcomes."""
    place = Place(Webhook(url=HOOK), webhook_rate=0)
    accepted = await place.client.submit(email(address="hard@example.test"))
    assert (await place.quiet())["lost"] == 2
    await place.http.post("/_sandbox/clock", json={"advance_s": 5})
    raw = await place.client.poll(accepted.provider_id, "EMAIL")
    assert raw is not None
    assert "BOUNCED_HARD" in {receipt.state for receipt in place.client.receipts(raw)}
    assert place.receiver.stored == []


async def test_the_receiver_and_the_knobs_can_be_changed_while_it_runs() -> None:
    """A demo registers its receiver and turns rates without a restart; nonsense is refused."""
    place = Place(Webhook(url=HOOK))
    assert (await place.http.delete("/_sandbox/webhook")).status_code == 200
    await place.client.submit(email())
    assert await place.webhooks() == {"pending": 0}
    assert (await place.http.post("/_sandbox/webhook", json={"url": HOOK, "auth": "basic"})).status_code == 200
    assert (await place.http.post("/_sandbox/knobs", json={"life_s": 0.01})).json()["life_s"] == 0.01
    assert (await place.http.post("/_sandbox/knobs", json={"speed": 1})).status_code == 400
    assert (await place.http.post("/_sandbox/webhook", json={"auth": "x"})).status_code == 400
    await place.client.submit(email(delivery_id="second"))
    await place.quiet()
    assert place.receiver.states("second") == {"SENT", "DELIVERED"}
