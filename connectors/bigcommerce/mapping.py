"""BigCommerce's JSON to canonical records. Pure: the same payload gives the same records, byte for byte.

Amounts exclude tax in lines, subtotal and shipping, so that subtotal + shipping + tax - discount is the total whichever
way the storefront shows prices. Statuses go by id, because merchants rename their labels. `is_email_opt_in` of an order
is no consent: the subscriber resource is.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.bigcommerce.store import Person, Store
from connectors.values import locale, moment, money, normal_email, reading, text
from schemas.models import (
    Cart,
    CartLine,
    CartStatus,
    Channel,
    Consent,
    ConsentState,
    Customer,
    Order,
    OrderLine,
    OrderStatus,
    Shipment,
    ShipmentItem,
    Source,
    Who,
)

Json = Mapping[str, Any]

STATUS: Mapping[int, OrderStatus] = {
    0: OrderStatus.INCOMPLETE,
    1: OrderStatus.PLACED,
    2: OrderStatus.SHIPPED,
    3: OrderStatus.PARTIALLY_SHIPPED,
    4: OrderStatus.REFUNDED,
    5: OrderStatus.CANCELLED,
    6: OrderStatus.DECLINED,
    7: OrderStatus.AWAITING_PAYMENT,
    8: OrderStatus.PROCESSING,
    9: OrderStatus.PROCESSING,
    10: OrderStatus.COMPLETED,
    11: OrderStatus.PROCESSING,
    12: OrderStatus.ON_HOLD,
    13: OrderStatus.DISPUTED,
    14: OrderStatus.PARTIALLY_REFUNDED,
}

PURPOSES: Mapping[str, str] = {"marketing_newsletter": "marketing", "abandoned_cart": "cart_reminder"}
"""A subscriber's consents and the purposes they grant."""


def order(store: Store, source: Source, payload: Json, products: Iterable[Json]) -> Order:
    """A v2 order with its products. Raises Reject."""
    with reading(f"order {payload.get('id')}"):
        shipping = ("shipping_cost_ex_tax", "handling_cost_ex_tax", "wrapping_cost_ex_tax")
        return Order(
            order_ref=store.ref(payload["id"]),
            external_ref=text(payload.get("external_order_id")) or text(payload.get("external_id")),
            number=str(payload["id"]),
            who=order_who(store, payload),
            source=source,
            status=STATUS.get(int(payload["status_id"]), OrderStatus.UNKNOWN),
            payment_status=text(payload.get("payment_status")) or "",
            currency=text(payload.get("default_currency_code")) or str(payload["currency_code"]),
            subtotal=money(payload["subtotal_ex_tax"]),
            shipping=sum(map(money, map(payload.get, shipping)), money(0)),
            tax=money(payload["total_tax"]),
            discount=money(payload.get("discount_amount")) + money(payload.get("coupon_discount")),
            total=money(payload["total_inc_tax"]),
            lines=tuple(_order_line(store, product) for product in products),
            placed_at=moment(payload["date_created"]),
            changed_at=moment(payload.get("date_modified") or payload["date_created"]),
        )


def _order_line(store: Store, product: Json) -> OrderLine:
    return OrderLine(
        line_id=str(product["id"]),
        product_ref=store.ref(product["product_id"]),
        sku=text(product.get("sku")) or "",
        name=text(product.get("name_customer")) or str(product["name"]),
        quantity=int(product["quantity"]),
        unit_price=money(product["price_ex_tax"]),
        total=money(product["total_ex_tax"]),
    )


def order_who(store: Store, payload: Json) -> Who:
    """Whom an order is for: its address is the billing address, because an order has no e-mail of its own."""
    with reading(f"order {payload.get('id')}"):
        person = _billed(store, payload)
        customer_ref = store.customer_ref(payload["customer_id"], person.email, f"order-{payload['id']}")
        return store.who(customer_ref, person)


def _billed(store: Store, payload: Json) -> Person:
    address = payload["billing_address"]
    return Person(
        email=text(address.get("email")),
        phone=text(address.get("phone")),
        country=text(address.get("country_iso2")),
        locale=locale(payload.get("customer_locale")) or store.locale,
        first=text(address.get("first_name")),
        last=text(address.get("last_name")),
    )


def guest(store: Store, source: Source, payload: Json) -> Customer:
    """Who a guest is, as far as the order tells."""
    with reading(f"order {payload.get('id')}"):
        address, person = payload["billing_address"], _billed(store, payload)
        return Customer(
            who=order_who(store, payload),
            source=source,
            first_name=person.first or "",
            last_name=person.last or "",
            company=text(address.get("company")),
            country=person.country,
        )


def shipment(store: Store, source: Source, who: Who, payload: Json) -> Shipment:
    """A v2 shipment. `who` is its order's. Raises Reject."""
    with reading(f"shipment {payload.get('id')}"):
        names = ("shipping_provider_display_name", "tracking_carrier", "shipping_provider")
        links = ("tracking_link", "generated_tracking_link")
        return Shipment(
            shipment_ref=store.ref(payload["id"]),
            order_ref=store.ref(payload["order_id"]),
            order_number=str(payload["order_id"]),
            who=who,
            source=source,
            carrier=_first(payload, names) or "",
            tracking_number=text(payload.get("tracking_number")) or "",
            tracking_url=_first(payload, links),
            shipped_at=moment(payload["date_created"]),
            items=tuple(
                ShipmentItem(line_id=str(item["order_product_id"]), quantity=int(item["quantity"]))
                for item in payload.get("items") or ()
            ),
        )


def customer(store: Store, source: Source, payload: Json, spoken: str | None = None) -> Customer:
    """A v3 customer. `spoken` is the language of the order or cart at hand, as customers have none. Raises Reject."""
    with reading(f"customer {payload.get('id')}"):
        address: Json = next(iter(payload.get("addresses") or ()), {})
        person = Person(
            email=text(payload["email"]),
            phone=text(payload.get("phone")) or text(address.get("phone")),
            country=text(address.get("country_code")),
            locale=spoken,
            first=text(payload.get("first_name")),
            last=text(payload.get("last_name")),
        )
        return Customer(
            who=store.who(store.ref(payload["id"]), person),
            source=source,
            first_name=person.first or "",
            last_name=person.last or "",
            company=text(payload.get("company")),
            country=person.country,
            created_at=moment(payload["date_created"]) if payload.get("date_created") else None,
        )


def subscriber_who(store: Store, payload: Json) -> Who:
    """A subscriber that is no customer: a guest known by the address. Raises Reject."""
    with reading(f"subscriber {payload.get('id')}"):
        person = Person(
            email=text(payload["email"]), first=text(payload.get("first_name")), last=text(payload.get("last_name"))
        )
        return store.who(store.customer_ref(0, person.email, f"subscriber-{payload['id']}"), person)


def consents(source: Source, who: Who, payload: Json) -> list[Consent]:
    """What a subscriber allows: one decision per purpose, since an absent consent is a withdrawn one. Raises Reject."""
    with reading(f"subscriber {payload.get('id')}"):
        given = set(payload["consents"])
        return [
            Consent(
                who=who,
                source=source,
                channel=Channel.EMAIL,
                purpose=purpose,
                state=ConsentState.GRANTED if word in given else ConsentState.WITHDRAWN,
                decided_at=moment(payload["date_modified"]),
                evidence=f"newsletter subscriber {payload['id']}, source {text(payload.get('source')) or 'not given'}",
            )
            for word, purpose in PURPOSES.items()
        ]


def cart_who(store: Store, payload: Json) -> Who | None:
    """Whom a guest's cart belongs to; None while nobody is known."""
    with reading("cart"):
        address = normal_email(text(payload.get("email")))
        if address is None:
            return None
        person = Person(email=text(payload["email"]), locale=cart_locale(store, payload))
        return store.who(store.customer_ref(0, address, ""), person)


def cart_locale(store: Store, payload: Json) -> str:
    """The language of a cart."""
    return locale(payload.get("locale")) or store.locale


def cart(source: Source, who: Who, store: Store, payload: Json, abandoned: bool) -> Cart:
    """A v3 cart. One that was touched after it was declared abandoned is in use again. Raises Reject."""
    with reading(f"cart {payload.get('id')}"):
        changed_at = moment(payload.get("updated_time") or payload["created_time"])
        left = abandoned and changed_at <= source.occurred_at
        urls = payload.get("redirect_urls")
        return Cart(
            cart_ref=store.ref(payload["id"]),
            who=who,
            source=source,
            status=CartStatus.ABANDONED if left else CartStatus.ACTIVE,
            currency=str(payload["currency"]["code"]),
            total=money(payload["cart_amount"]),
            lines=tuple(_cart_lines(payload["line_items"])),
            recover_url=_first(urls, ("checkout_url", "cart_url")) if isinstance(urls, Mapping) else None,
            changed_at=changed_at,
        )


def _cart_lines(items: Mapping[str, Sequence[Json]]) -> Iterable[CartLine]:
    for group in ("physical_items", "digital_items", "custom_items", "gift_certificates"):
        for item in items.get(group) or ():
            amounts = ("extended_sale_price", "extended_list_price", "amount")
            yield CartLine(
                sku=text(item.get("sku")) or "",
                name=str(item["name"]),
                quantity=int(item.get("quantity") or 1),
                total=money(next((item[name] for name in amounts if item.get(name) is not None), 0)),
            )


def converted(store: Store, source: Source, cart_id: str, placed: Order, at: datetime) -> Cart:
    """A cart that became `placed`; the platform has deleted it by then, so the order is what tells about it."""
    return Cart(
        cart_ref=store.ref(cart_id),
        who=placed.who,
        source=source,
        status=CartStatus.CONVERTED,
        currency=placed.currency,
        total=placed.total,
        lines=tuple(
            CartLine(sku=line.sku, name=line.name, quantity=line.quantity, total=line.total) for line in placed.lines
        ),
        changed_at=at,
    )


def _first(payload: Json, names: Iterable[str]) -> str | None:
    return next((found for name in names if (found := text(payload.get(name)))), None)
