"""What the conformance suite needs to know about this connector, and the examples its own tests vary."""

import hashlib
from datetime import UTC, datetime
from typing import Any

import orjson
from pydantic import SecretStr

from connectors.conformance import Call, Profile
from connectors.exstream.sandbox import Config
from connectors.exstream.sandbox.state import GENERIC
from connectors.exstream.settings import ANY, Settings, Template
from schemas.models import About, Channel, CompositionRequest, PlannedDelivery

_SANDBOX = Config()
_ISSUER = "/oauth2/token"
ORDER: dict[str, Any] = {
    "order": {
        "number": "SO-1001",
        "currency": "EUR",
        "lines": [
            {"sku": "MUG-1", "name": "Blue mug", "quantity": 2, "unit_price": "20.00", "total": "40.00"},
            {"sku": "TEA-9", "name": "Green tea", "quantity": 1, "unit_price": "15.00", "total": "15.00"},
        ],
        "shipping": "4.90",
        "total": "59.90",
    },
    "customer": {"name": "Ada"},
}


def settings(base_url: str, **changes: Any) -> Settings:
    """Settings for the sandbox at that URL."""
    known: dict[str, Any] = {
        "base_url": base_url,
        "domain": _SANDBOX.domain,
        "token_url": f"{base_url}/otdsws/otdstenant/demo/oauth2/token",
        "client_id": _SANDBOX.client_id,
        "client_secret": SecretStr(_SANDBOX.client_secret),
        "templates": {ANY: Template(communication_id=GENERIC)},
        "rate_per_s": 1000,
    }
    return Settings(**{**known, **changes})


def request(data: Any = None, **changes: Any) -> CompositionRequest:
    """An order confirmation to compose for an e-mail."""
    text = orjson.dumps(ORDER if data is None else data).decode()
    delivery = PlannedDelivery(delivery_id="d" * 32, channel=Channel.EMAIL, rung=0, address="ada@example.test")
    known = {
        "communication_id": "c" * 32,
        "document_id": "e" * 32,
        "subject": "0123456789abcdef",
        "tenant": "demo",
        "brand": "Example Shop",
        "type": "order_confirmation",
        "message_class": "transactional",
        "template": "order_confirmation@1",
        "locale": "en",
        "data": text,
        "data_hash": hashlib.sha256(text.encode()).hexdigest(),
        "deliveries": [delivery],
        "about": About(
            platform="bigcommerce", account="abc123", customer_ref="bigcommerce:abc123:88", order_number="SO-1001"
        ),
        "requested_at": datetime(2026, 3, 1, tzinfo=UTC),
    }
    return CompositionRequest.model_validate({**known, **changes})


PROFILE = Profile(
    settings=settings,
    calls=(Call("compose", lambda client, control: client.compose(request())),),
    private=("ada@example.test", "Blue mug", "SO-1001"),
    token_path=_ISSUER,
)
