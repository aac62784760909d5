"""The JSON of a BigCommerce store: v2 with text amounts and RFC 2822 dates, v3 with numbers and ISO dates.

Absent text is empty, absent numbers are null, and everything a client might trip over is as the documentation shows it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

from connectors.bigcommerce.sandbox.config import SandboxConfig

Json = dict[str, Any]

STATUSES: Mapping[int, str] = {
    0: "Incomplete",
    1: "Pending",
    2: "Shipped",
    3: "Partially Shipped",
    4: "Refunded",
    5: "Cancelled",
    6: "Declined",
    7: "Awaiting Payment",
    8: "Awaiting Pickup",
    9: "Awaiting Shipment",
    10: "Completed",
    11: "Awaiting Fulfillment",
    12: "Manual Verification Required",
    13: "Disputed",
    14: "Partially Refunded",
}

_PAID: Mapping[int, str] = {
    0: "",
    1: "pending",
    4: "refunded",
    6: "declined",
    7: "authorized",
    14: "partially refunded",
}
_ZERO = ("handling_cost_ex_tax", "wrapping_cost_ex_tax", "discount_amount", "coupon_discount", "refunded_amount")


def v2_date(moment: datetime) -> str:
    """As v2 writes dates."""
    return format_datetime(moment.replace(microsecond=0))


def v3_date(moment: datetime) -> str:
    """As v3 writes dates."""
    return moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")


def amount(value: Decimal) -> str:
    """As v2 writes amounts."""
    return f"{value:.4f}"


def payment_status(status_id: int) -> str:
    """The payment status that goes with an order status."""
    return _PAID.get(status_id, "captured")


def product(config: SandboxConfig, order_id: int, line_id: int, line: Mapping[str, Any]) -> Json:
    """One row of /v2/orders/{id}/products. A line's price is without tax."""
    price, quantity = Decimal(str(line.get("price", "10"))), int(line.get("quantity", 1))
    tax = price * config.tax_rate
    return {
        "id": line_id,
        "order_id": order_id,
        "product_id": int(line.get("product_id", 301)),
        "variant_id": int(line.get("variant_id", 5501)),
        "order_address_id": 1,
        "name": str(line.get("name", "Product")),
        "name_customer": str(line.get("name", "Product")),
        "name_merchant": str(line.get("name", "Product")),
        "sku": str(line.get("sku", "")),
        "type": "physical",
        "base_price": amount(price),
        "price_ex_tax": amount(price),
        "price_inc_tax": amount(price + tax),
        "price_tax": amount(tax),
        "total_ex_tax": amount(price * quantity),
        "total_inc_tax": amount((price + tax) * quantity),
        "total_tax": amount(tax * quantity),
        "quantity": quantity,
        "quantity_shipped": 0,
        "quantity_refunded": 0,
        "is_refunded": False,
        "applied_discounts": [],
        "product_options": [],
    }


def order(config: SandboxConfig, order_id: int, buyer: Mapping[str, Any], rows: Sequence[Json], now: datetime) -> Json:
    """A v2 order of `buyer` with these product rows. Its status is filled in by `stamp`."""
    subtotal = sum((Decimal(row["total_ex_tax"]) for row in rows), Decimal(0))
    shipping = Decimal(5)
    tax = (subtotal + shipping) * config.tax_rate
    base = f"/orders/{order_id}"
    return {
        "id": order_id,
        "customer_id": buyer["customer_id"],
        "date_created": v2_date(now),
        "date_modified": v2_date(now),
        "date_shipped": "",
        "cart_id": buyer.get("cart_id", ""),
        "subtotal_ex_tax": amount(subtotal),
        "subtotal_inc_tax": amount(subtotal * (1 + config.tax_rate)),
        "subtotal_tax": amount(subtotal * config.tax_rate),
        "shipping_cost_ex_tax": amount(shipping),
        "shipping_cost_inc_tax": amount(shipping * (1 + config.tax_rate)),
        **dict.fromkeys(_ZERO, "0.0000"),
        "total_ex_tax": amount(subtotal + shipping),
        "total_inc_tax": amount(subtotal + shipping + tax),
        "total_tax": amount(tax),
        "items_total": sum(row["quantity"] for row in rows),
        "items_shipped": 0,
        "payment_method": "Credit Card",
        "currency_code": config.currency,
        "default_currency_code": config.currency,
        "store_default_currency_code": config.currency,
        "staff_notes": "",
        "customer_message": "",
        "customer_locale": buyer.get("locale", ""),
        "channel_id": 1,
        "is_deleted": False,
        "is_email_opt_in": bool(buyer.get("newsletter")),
        "is_tax_inclusive_pricing": False,
        "order_source": "www",
        "external_id": None,
        "external_order_id": str(buyer.get("external_order_id", "")),
        "external_source": None,
        "billing_address": billing(config, buyer),
        "products": {
            "url": f"https://api.bigcommerce.com/stores/{config.store_hash}/v2{base}/products",
            "resource": f"{base}/products",
        },
    }


def stamp(found: Json, status_id: int, now: datetime) -> None:
    """Puts an order into a status."""
    found |= {"status_id": status_id, "status": STATUSES[status_id], "payment_status": payment_status(status_id)}
    found["date_modified"] = v2_date(now)


def billing(config: SandboxConfig, buyer: Mapping[str, Any]) -> Json:
    """The address an order goes by."""
    return {
        "first_name": buyer.get("first_name", ""),
        "last_name": buyer.get("last_name", ""),
        "company": buyer.get("company", ""),
        "street_1": "Example Street 1",
        "street_2": "",
        "city": "Exampletown",
        "state": "",
        "zip": "00000",
        "country": "",
        "country_iso2": buyer.get("country") or config.country,
        "phone": buyer.get("phone", ""),
        "email": buyer.get("email", ""),
        "form_fields": [],
    }


def customer(config: SandboxConfig, customer_id: int, person: Mapping[str, Any], now: datetime) -> Json:
    """A v3 customer."""
    country = person.get("country") or config.country
    return {
        "id": customer_id,
        "email": person["email"],
        "first_name": person.get("first_name", ""),
        "last_name": person.get("last_name", ""),
        "company": person.get("company", ""),
        "phone": person.get("phone", ""),
        "notes": "",
        "customer_group_id": 0,
        "date_created": v3_date(now),
        "date_modified": v3_date(now),
        "accepts_product_review_abandoned_cart_emails": True,
        "origin_channel_id": 1,
        "channel_ids": [1],
        "addresses": [{"id": customer_id + 600, "customer_id": customer_id, "country_code": country, "phone": ""}],
    }


def subscriber(subscriber_id: int, email: str, consents: Sequence[str], now: datetime, **more: Any) -> Json:
    """A v3 newsletter subscriber."""
    return {
        "id": subscriber_id,
        "email": email,
        "first_name": more.get("first_name", ""),
        "last_name": more.get("last_name", ""),
        "source": more.get("source", "storefront"),
        "order_id": None,
        "channel_id": 1,
        "consents": list(consents),
        "date_created": v3_date(now),
        "date_modified": v3_date(now),
    }


def cart(
    config: SandboxConfig, cart_id: str, buyer: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], now: datetime
) -> Json:
    """A v3 cart; amounts are JSON numbers here."""
    items = [_cart_item(config, f"{cart_id[:-4]}{number:04x}", line) for number, line in enumerate(lines)]
    total = sum(item["extended_sale_price"] for item in items)
    return {
        "id": cart_id,
        "customer_id": buyer["customer_id"],
        "channel_id": 1,
        "email": buyer.get("email") or None,
        "currency": {"code": config.currency},
        "tax_included": False,
        "base_amount": total,
        "discount_amount": 0,
        "cart_amount": total,
        "coupons": [],
        "discounts": [],
        "line_items": {"physical_items": items, "digital_items": [], "gift_certificates": [], "custom_items": []},
        "created_time": v3_date(now),
        "updated_time": v3_date(now),
        "locale": buyer.get("locale") or config.language,
        "version": 1,
    }


def _cart_item(config: SandboxConfig, item_id: str, line: Mapping[str, Any]) -> Json:
    price, quantity = float(line.get("price", 10)), int(line.get("quantity", 1))
    return {
        "id": item_id,
        "product_id": int(line.get("product_id", 301)),
        "variant_id": int(line.get("variant_id", 5501)),
        "sku": str(line.get("sku", "")),
        "name": str(line.get("name", "Product")),
        "url": f"{config.shop_url}/products/{line.get('sku', 'product')}",
        "quantity": quantity,
        "image_url": "",
        "list_price": price,
        "sale_price": price,
        "extended_list_price": round(price * quantity, 4),
        "extended_sale_price": round(price * quantity, 4),
    }


def shipment(shipment_id: int, found: Json, items: Sequence[Json], told: Mapping[str, Any], now: datetime) -> Json:
    """A v2 shipment of an order."""
    carrier = str(told.get("carrier", "fedex"))
    return {
        "id": shipment_id,
        "order_id": found["id"],
        "customer_id": found["customer_id"],
        "order_address_id": 1,
        "date_created": v2_date(now),
        "tracking_number": str(told.get("tracking_number", f"JD{shipment_id:010d}")),
        "merchant_shipping_cost": "0.0000",
        "shipping_method": "Standard",
        "shipping_provider": carrier,
        "tracking_carrier": carrier,
        "tracking_link": str(told.get("tracking_link", "")),
        "comments": "",
        "billing_address": found["billing_address"],
        "shipping_address": {},
        "items": list(items),
        "shipping_provider_display_name": str(told.get("carrier_name", carrier)),
        "generated_tracking_link": str(
            told.get("generated_tracking_link", f"https://track.example.test/{shipment_id}")
        ),
    }
