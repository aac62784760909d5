"""The data a template receives, built from facts only: strings and lists, no clock, so equal facts give equal
documents.

Amounts are exact decimal text with at least the currency's own number of digits; nothing is rounded. A name that is
not known is an empty string, so that every name a template may use is always there.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from schemas.models import Cart, Customer, Order, Shipment
from streams.core.resolve import Fact

Data = Mapping[str, Any]

_DIGITS = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "ISK": 0, "BHD": 3, "KWD": 3, "OMR": 3, "TND": 3, "JOD": 3}


def of(fact: Fact) -> dict[str, Any]:
    """What a fact contributes; the person is added by `complete` when it is known in which words to speak."""
    match fact:
        case Order():
            return {"order": _order(fact)}
        case Shipment():
            return {"shipment": _shipment(fact), "order": {"number": fact.order_number}}
        case Cart():
            return {"cart": _cart(fact)}
        case _:
            return {}


def complete(
    data: Data, first_name: str | None, locale: str, line_names: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The driver data for one recipient. `line_names` gives a shipment's items the names they had in the order."""
    done = dict(data)
    shipment = done.get("shipment")
    if shipment is not None:
        names = line_names or {}
        items = [{**item, "name": names.get(item["lineId"], "")} for item in shipment["items"]]
        done["shipment"] = {**shipment, "items": items}
    done["customer"] = {"firstName": first_name or "", "locale": locale}
    return done


def as_json(data: Data) -> str:
    """The text that is sent and hashed: keys sorted, so that equal data is equal text."""
    return orjson.dumps(data, option=orjson.OPT_SORT_KEYS).decode()


def amount(value: Decimal, currency: str) -> str:
    """`value` without needless zeros, but with the digits people expect of the currency."""
    digits = _DIGITS.get(currency, 2)
    plain = f"{value:f}"
    whole, _, fraction = plain.partition(".")
    fraction = fraction.rstrip("0").ljust(digits, "0")
    return f"{whole}.{fraction}" if fraction else whole


def first_name(fact: Fact) -> str | None:
    """How to address the person, as far as a fact tells."""
    if isinstance(fact, Customer) and fact.first_name:
        return fact.first_name
    words = (fact.who.name or "").split()
    return words[0] if words and "," not in words[0] else None


def _order(order: Order) -> dict[str, Any]:
    def money(value: Decimal) -> str:
        return amount(value, order.currency)

    return {
        "number": order.number,
        "placedAt": _day(order.placed_at),
        "currency": order.currency,
        "subtotal": money(order.subtotal),
        "shipping": money(order.shipping),
        "tax": money(order.tax),
        "discount": money(order.discount),
        "total": money(order.total),
        "lines": [
            {
                "sku": line.sku,
                "name": line.name,
                "quantity": str(line.quantity),
                "unitPrice": money(line.unit_price),
                "total": money(line.total),
            }
            for line in order.lines
        ],
    }


def _shipment(shipment: Shipment) -> dict[str, Any]:
    return {
        "carrier": shipment.carrier,
        "trackingNumber": shipment.tracking_number,
        "trackingUrl": shipment.tracking_url or "",
        "shippedAt": _day(shipment.shipped_at),
        "items": [{"lineId": item.line_id, "quantity": str(item.quantity)} for item in shipment.items],
    }


def _cart(cart: Cart) -> dict[str, Any]:
    return {
        "currency": cart.currency,
        "total": amount(cart.total, cart.currency),
        "recoverUrl": cart.recover_url or "",
        "lines": [
            {
                "sku": line.sku,
                "name": line.name,
                "quantity": str(line.quantity),
                "total": amount(line.total, cart.currency),
            }
            for line in cart.lines
        ],
    }


def _day(instant: datetime) -> str:
    return instant.date().isoformat()
