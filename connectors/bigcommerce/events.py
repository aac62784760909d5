"""Reads a webhook's envelope whatever spelling its family uses, and says which object it is about. Pure.

BigCommerce writes the order's id as data.id, order_id, orderId or resource_id, as number or text, sometimes inside a
list, and repeats every scope per channel. All of that ends here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from connectors.values import ref
from streams.errors import Reject

PLATFORM = "bigcommerce"

_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_CHANNEL = re.compile(r"^store/channel/[^/]+/(?=(order|cart|shipment|customer|subscriber)/)")
_ORDER = ("order_id", "orderId", "resource_id", "id")
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "order": _ORDER,
    "cart": ("cart_id", "cartId", "id"),
    "customer": ("customer_id", "id"),
}


@dataclass(frozen=True, slots=True)
class Event:
    """One webhook. `kind` is the scope without its channel; `store` the store hash, when the envelope names it."""

    kind: str
    store: str | None
    occurred_at: datetime | None
    data: Mapping[str, Any]

    @property
    def family(self) -> str:
        """The second word of the scope: order, cart, customer, ..."""
        parts = self.kind.split("/")
        return parts[1] if len(parts) > 1 else ""

    @property
    def object_id(self) -> str | None:
        """Id of the family's object: an order's metafield is about the order, an address about the customer."""
        address = self.data.get("address")
        if self.family == "customer" and isinstance(address, Mapping):
            return _first(address, ("customer_id",))
        return _first(self.data, _FIELDS.get(self.family, ("id", "resource_id", f"{self.family}_id")))

    @property
    def order_id(self) -> str | None:
        """Id of the order it concerns, for events that are not about an order themselves."""
        return self.object_id if self.family == "order" else _first(self.data, _ORDER[:2])

    def key(self, account: str) -> str:
        """Kafka key: all events of one order, its shipments included, share one; a cart's conversion is the cart's."""
        if self.family in ("order", "shipment") and self.order_id:
            return ref(PLATFORM, account, "order", self.order_id)
        return ref(PLATFORM, account, self.family or "-", self.object_id or "-")


def parse(body: bytes) -> Event:
    """Raises Reject("bad_json" | "bad_envelope")."""
    try:
        envelope = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Reject("bad_json", "the webhook's body is not JSON") from None
    scope = envelope.get("scope") if isinstance(envelope, dict) else None
    if not isinstance(scope, str) or not scope:
        raise Reject("bad_envelope", "the webhook's body is no object with a scope")
    data = envelope.get("data")
    if isinstance(data, list):
        data = next((item for item in data if isinstance(item, dict)), None)
    return Event(
        kind=_CHANNEL.sub("store/", scope),
        store=_store(envelope.get("producer")),
        occurred_at=_moment(envelope.get("created_at")),
        data=data if isinstance(data, dict) else {},
    )


def _first(data: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    for name in names:
        value = data.get(name)
        if isinstance(value, int | str) and not isinstance(value, bool) and _ID.fullmatch(str(value)):
            return str(value)
    return None


def _store(producer: object) -> str | None:
    return producer.removeprefix("stores/") if isinstance(producer, str) else None


def _moment(seconds: object) -> datetime | None:
    if not isinstance(seconds, int) or not 0 < seconds < 10**11:
        return None
    return datetime.fromtimestamp(seconds, UTC)
