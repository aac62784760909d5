"""What the conformance suite needs to know about this connector; see connectors/conformance.py."""

import re
from datetime import UTC, datetime
from typing import Any

import orjson
from pydantic import SecretStr
from standardwebhooks import Webhook

from connectors.bigcommerce.sandbox.config import SandboxConfig
from connectors.bigcommerce.settings import Settings
from connectors.conformance import Call, Control, Profile
from connectors.contract import HttpRequest
from schemas.models import About, Channel, DeliveryState, Feedback

SANDBOX = SandboxConfig()
PERSON = {"email": "ada@example.test", "phone": "+4922100000", "first_name": "Adaline", "last_name": "Examplewoman"}
AT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


def settings(base_url: str) -> Settings:
    """The sandbox's store."""
    return Settings(
        account=SANDBOX.store_hash,
        base_url=base_url,
        access_token=SecretStr(SANDBOX.token),
        client_secret=SecretStr(SANDBOX.client_secret),
        tenant="acme",
        brand="example",
        rate_per_s=1000,
    )


def inbound(body: bytes, now: datetime) -> HttpRequest:
    """A webhook signed as the platform signs it."""
    found = re.search(rb'"hash": *"([0-9a-f]{40})"', body)
    event_id = found[1].decode() if found else "0" * 40
    headers = {
        "content-type": "application/json",
        "webhook-id": event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SANDBOX.client_secret.encode()).sign(event_id, now, body.decode()),
    }
    return HttpRequest("POST", f"/hooks/bigcommerce/{SANDBOX.store_hash}", headers, body, now)


def feedback(**changes: Any) -> Feedback:
    """An outcome about order 1001, the first one of a sandbox."""
    about = About(
        platform="bigcommerce",
        account=SANDBOX.store_hash,
        customer_ref=f"bigcommerce:{SANDBOX.store_hash}:88",
        order_ref=f"bigcommerce:{SANDBOX.store_hash}:1001",
        order_number="1001",
    )
    told = Feedback(
        feedback_id="f" * 32,
        delivery_id="d" * 32,
        communication_id="c" * 32,
        subject="5" * 16,
        tenant="acme",
        brand="example",
        type="order_confirmation",
        message_class="transactional",
        channel=Channel.EMAIL,
        rung=0,
        state=DeliveryState.DELIVERED,
        about=about,
        occurred_at=AT,
        recorded_at=AT,
    )
    return told.model_copy(update=changes)


def event(scope: str, data: dict[str, Any]) -> bytes:
    """The body of a webhook."""
    envelope = {"scope": scope, "store_id": "1001", "data": data, "hash": "a" * 40, "created_at": int(AT.timestamp())}
    return orjson.dumps({**envelope, "producer": f"stores/{SANDBOX.store_hash}"})


async def _order(control: Control) -> Any:
    return await control("/_sandbox/orders", {"customer": {**PERSON, "newsletter": True, "abandoned_cart": True}})


async def _hydrate(client: Any, _control: Control) -> Any:
    body = event("store/order/created", {"type": "order", "id": 1001})
    return await client.hydrate(client.accept(inbound(body, AT))[0])


async def _status(client: Any, _control: Control) -> Any:
    return await client.write_back(feedback())


async def _opt_out(client: Any, _control: Control) -> Any:
    return await client.write_back(feedback(state=DeliveryState.UNSUBSCRIBED))


PROFILE = Profile(
    settings=settings,
    calls=(
        Call("hydrate", _hydrate, prepare=_order),
        Call("write_back", _status, prepare=_order),
        Call("write_back", _opt_out, prepare=_order),
    ),
    private=(*PERSON.values(), "%40example.test"),
    inbound=inbound,
    tolerance_s=300,
)
