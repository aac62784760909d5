"""What the conformance suite needs to know about this connector, and the examples its own tests vary."""

from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr

from connectors.conformance import Call, Control, Profile
from connectors.contract import HttpRequest
from connectors.opentext_notifications.bodies import sms
from connectors.opentext_notifications.notify import Client
from connectors.opentext_notifications.sandbox import Config, Webhook
from connectors.opentext_notifications.sandbox.pushes import proof
from connectors.opentext_notifications.settings import Settings
from schemas.models import About, Channel, NotificationRequest, RawDelivery

_SANDBOX, _HOOK = Config(), Webhook(url="")
_ISSUER = "/oauth2/token"
_ABOUT = About(platform="bigcommerce", account="abc123", customer_ref="bigcommerce:abc123:88", order_number="SO-1001")


def settings(base_url: str, **changes: Any) -> Settings:
    """Settings for the sandbox at that URL."""
    known: dict[str, Any] = {
        "base_url": f"{base_url}/mra/v1",
        "user": _SANDBOX.user,
        "password": SecretStr(_SANDBOX.password),
        "webhook_user": _HOOK.user,
        "webhook_password": SecretStr(_HOOK.password),
        "submit_rate_per_s": 1000,
        "status_rate_per_s": 1000,
    }
    return Settings(**{**known, **changes})


def email(**changes: Any) -> NotificationRequest:
    """An order confirmation by e-mail."""
    known = {
        "delivery_id": "d" * 31 + "1",
        "communication_id": "c" * 32,
        "subject": "0123456789abcdef",
        "tenant": "demo",
        "brand": "Example Shop",
        "type": "order_confirmation",
        "message_class": "transactional",
        "channel": Channel.EMAIL,
        "rung": 0,
        "address": "ada@example.test",
        "locale": "en",
        "subject_line": "Your order SO-1001",
        "text": "Thank you, Ada.",
        "html": "<p>Thank you, Ada.</p>",
        "about": _ABOUT,
        "requested_at": datetime(2026, 3, 1, tzinfo=UTC),
    }
    return NotificationRequest.model_validate({**known, **changes})


def text_message(**changes: Any) -> NotificationRequest:
    """A shipment notice by SMS."""
    known = {
        "channel": Channel.SMS,
        "address": "+15550100001",
        "delivery_id": "d" * 31 + "2",
        "type": "shipment_notice",
    }
    return email(**{**known, "subject_line": None, "html": None, **changes})


def inbound(body: bytes, now: datetime) -> HttpRequest:
    """A status webhook as the sandbox proves it."""
    headers = {"content-type": "application/json", **proof(_HOOK, body)}
    return HttpRequest("POST", "/hooks/opentext_notifications/main", headers, body, now)


async def _poll(client: Client, control: Control) -> RawDelivery | None:
    job = await control("/_sandbox/outbound/sms", sms(text_message(), settings("http://unused.test")))
    return await client.poll(job["job_id"], "SMS")


PROFILE = Profile(
    settings=settings,
    calls=(
        Call("notify", lambda client, control: client.submit(email()), safe=False),
        Call("notify", lambda client, control: client.submit(text_message()), safe=False),
        Call("track", _poll),
    ),
    private=("ada@example.test", "15550100001", "Thank you, Ada"),
    token_path=_ISSUER,
    inbound=inbound,
    signs_body=False,
)
