"""BigCommerce's JSON to canonical records: amounts, dates, people, consents."""

import copy
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import connectors.bigcommerce
from connectors.bigcommerce import mapping
from connectors.bigcommerce.store import Store
from schemas.models import CartStatus, Channel, ConsentState, OrderStatus, Source
from streams.errors import Reject

FIXTURES = Path(connectors.bigcommerce.__file__).parent / "fixtures"
STORE = Store("acme", "example", "abc123", "en", None)
AT = datetime(2026, 11, 20, 9, 20, tzinfo=UTC)
SOURCE = Source(event="store/order/created", event_id="e1", occurred_at=AT, collected_at=AT)


def fixture(name: str, **changes: Any) -> Any:
    """A payload, changed at its top level."""
    found = json.loads((FIXTURES / f"{name}.json").read_text())
    return {**found, **changes} if isinstance(found, dict) else found


def test_an_order_keeps_its_amounts_to_the_cent() -> None:
    """Text amounts arrive exactly, in the currency that was paid, and add up to the total."""
    order = mapping.order(STORE, SOURCE, fixture("order"), fixture("order_products"))
    assert order.currency == "EUR"
    assert (order.subtotal, order.shipping) == (Decimal("90.0000"), Decimal("6.0000"))
    assert (order.tax, order.discount, order.total) == (Decimal("18.0500"), Decimal("5.5000"), Decimal("108.5500"))
    assert order.subtotal + order.shipping + order.tax - order.discount == order.total
    assert sum(line.total for line in order.lines) == order.subtotal


def test_an_order_says_who_when_and_what() -> None:
    """References, dates, language, phone and lines come out in the canonical spelling."""
    order = mapping.order(STORE, SOURCE, fixture("order"), fixture("order_products"))
    assert (order.order_ref, order.external_ref, order.number) == ("bigcommerce:abc123:4711", "ERP-77", "4711")
    assert order.placed_at == datetime(2026, 11, 20, 9, 15, tzinfo=UTC)
    assert order.changed_at == datetime(2026, 11, 20, 9, 16, 10, tzinfo=UTC)
    who = order.who
    assert (who.customer_ref, who.email, who.name) == ("bigcommerce:abc123:88", "Ada@example.test", "Ada Example")
    assert (who.phone, who.locale) == ("+4922100000", "de-AT")
    (line,) = order.lines
    assert (line.line_id, line.product_ref, line.name, line.quantity) == ("140", "bigcommerce:abc123:301", "Tasse", 2)


def test_a_guest_is_known_by_the_address() -> None:
    """A guest's reference is the normalised e-mail address, so that two guest orders are one person."""
    guest = mapping.order(STORE, SOURCE, fixture("order_guest"), [])
    assert guest.who.customer_ref == "bigcommerce:abc123:guest:bob@example.test"
    assert (guest.who.phone, guest.who.locale, guest.status) == (None, "en", OrderStatus.INCOMPLETE)
    assert guest.changed_at == guest.placed_at
    profile = mapping.guest(STORE, SOURCE, fixture("order_guest"))
    assert (profile.first_name, profile.company, profile.country) == ("Bob", "Example Ltd", "AT")


def test_guests_without_an_address_are_not_one_person() -> None:
    """Two orders without any address keep apart."""
    nobody = {**fixture("order_guest")["billing_address"], "email": ""}
    refs = {
        mapping.order_who(STORE, fixture("order_guest", id=number, billing_address=nobody)).customer_ref
        for number in (1, 2)
    }
    assert refs == {"bigcommerce:abc123:guest:order-1", "bigcommerce:abc123:guest:order-2"}


@pytest.mark.parametrize(
    ("status_id", "status"),
    [
        (0, "INCOMPLETE"),
        (1, "PLACED"),
        (2, "SHIPPED"),
        (3, "PARTIALLY_SHIPPED"),
        (4, "REFUNDED"),
        (5, "CANCELLED"),
        (6, "DECLINED"),
        (7, "AWAITING_PAYMENT"),
        (8, "PROCESSING"),
        (9, "PROCESSING"),
        (10, "COMPLETED"),
        (11, "PROCESSING"),
        (12, "ON_HOLD"),
        (13, "DISPUTED"),
        (14, "PARTIALLY_REFUNDED"),
        (99, "UNKNOWN"),
    ],
)
def test_a_status_goes_by_its_id(status_id: int, status: str) -> None:
    """Merchants rename their statuses; ours follow the number, and a new number is UNKNOWN, not an error."""
    order = mapping.order(STORE, SOURCE, fixture("order", status_id=status_id, status="In the oven"), [])
    assert order.status == OrderStatus(status)


@pytest.mark.parametrize(
    ("phone", "country", "default", "e164"),
    [
        ("0221 00000", "DE", None, "+4922100000"),
        ("+43 1 234567", "DE", None, "+431234567"),
        ("0221 00000", "", "DE", "+4922100000"),
        ("0221 00000", "", None, None),
        ("call me", "DE", None, None),
        ("", "DE", None, None),
    ],
)
def test_a_phone_number_is_normalised_by_its_country_or_left_out(
    phone: str, country: str, default: str | None, e164: str | None
) -> None:
    """A national number needs a country; without one it is absent, never guessed."""
    address = {**fixture("order")["billing_address"], "phone": phone, "country_iso2": country}
    store = Store("acme", "example", "abc123", "en", default)
    assert mapping.order_who(store, fixture("order", billing_address=address)).phone == e164


def test_a_shipment_belongs_to_its_order_and_its_buyer() -> None:
    """A parcel names carrier, number and link, whichever field holds them."""
    who = mapping.order_who(STORE, fixture("order"))
    parcel = mapping.shipment(STORE, SOURCE, who, fixture("shipment"))
    assert (parcel.shipment_ref, parcel.order_ref) == ("bigcommerce:abc123:36", "bigcommerce:abc123:4711")
    assert (parcel.carrier, parcel.tracking_number) == ("FedEx", "JD0001")
    assert parcel.tracking_url == "https://track.example.test/JD0001"
    assert [(item.line_id, item.quantity) for item in parcel.items] == [("140", 2)]
    own = mapping.shipment(STORE, SOURCE, who, fixture("shipment", tracking_link="https://own.example.test"))
    assert own.tracking_url == "https://own.example.test"


def test_a_customer_brings_phone_and_country_of_the_address() -> None:
    """A profile without a phone takes the one of its address; its language is the one of the order at hand."""
    customer = mapping.customer(STORE, SOURCE, fixture("customer"), "de-AT")
    assert (customer.who.customer_ref, customer.who.phone, customer.country) == (
        "bigcommerce:abc123:88",
        "+4922100000",
        "DE",
    )
    assert (customer.who.locale, customer.created_at) == ("de-AT", datetime(2026, 1, 2, 10, 0, tzinfo=UTC))
    assert mapping.customer(STORE, SOURCE, fixture("customer")).who.locale is None


@pytest.mark.parametrize(
    ("given", "granted"),
    [
        (["marketing_newsletter"], {"marketing"}),
        (["abandoned_cart"], {"cart_reminder"}),
        (["marketing_newsletter", "abandoned_cart"], {"marketing", "cart_reminder"}),
        ([], set()),
    ],
)
def test_a_subscriber_decides_on_both_purposes(given: list[str], granted: set[str]) -> None:
    """What a subscriber does not list is withdrawn, since the last change, with the subscriber as evidence."""
    payload = fixture("subscriber", consents=given)
    consents = mapping.consents(SOURCE, mapping.subscriber_who(STORE, payload), payload)
    assert {c.purpose for c in consents if c.state is ConsentState.GRANTED} == granted
    assert {c.purpose for c in consents} == {"marketing", "cart_reminder"}
    assert {(c.channel, c.decided_at) for c in consents} == {(Channel.EMAIL, datetime(2026, 11, 20, 9, 30, tzinfo=UTC))}
    assert all("15" in c.evidence and "@" not in c.evidence for c in consents)


def test_an_opt_in_at_checkout_is_no_consent() -> None:
    """The flag on an order grants nothing; only the subscriber does."""
    text = mapping.order(STORE, SOURCE, fixture("order", is_email_opt_in=True), []).model_dump_json()
    assert text == mapping.order(STORE, SOURCE, fixture("order", is_email_opt_in=False), []).model_dump_json()


def test_a_cart_is_abandoned_until_somebody_touches_it() -> None:
    """An abandonment that arrives after the cart was used again does not call it abandoned."""
    who = mapping.cart_who(STORE, fixture("cart"))
    assert who is not None
    assert who.customer_ref == "bigcommerce:abc123:guest:bob@example.test"
    cart = mapping.cart(SOURCE, who, STORE, fixture("cart"), abandoned=True)
    assert (cart.status, cart.total) == (CartStatus.ABANDONED, Decimal("59.9800"))
    assert cart.recover_url == "https://shop.example.test/checkout"
    assert [(line.name, line.quantity, line.total) for line in cart.lines] == [
        ("Mug", 3, Decimal("49.9800")),
        ("Gift card", 1, Decimal("10.0000")),
    ]
    used = fixture("cart", updated_time="2026-11-20T09:30:00+00:00")
    assert mapping.cart(SOURCE, who, STORE, used, abandoned=True).status is CartStatus.ACTIVE


@pytest.mark.parametrize("email", [None, "", "not an address"])
def test_a_cart_without_an_address_is_nobodys(email: str | None) -> None:
    """A guest's cart belongs to somebody only once there is an address."""
    assert mapping.cart_who(STORE, fixture("cart", email=email)) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"date_created": "yesterday"},
        {"date_created": None},
        {"status_id": "new"},
        {"total_inc_tax": "much"},
        {"total_inc_tax": "99999999999999999"},
        {"billing_address": None},
        {"billing_address": []},
    ],
)
def test_an_unreadable_order_is_rejected_without_quoting_it(changes: dict[str, Any]) -> None:
    """A payload of another shape is refused for good, naming the order and never a value."""
    with pytest.raises(Reject) as caught:
        mapping.order(STORE, SOURCE, fixture("order", **changes), fixture("order_products"))
    assert caught.value.code == "unreadable"
    assert "order 4711" in str(caught.value)
    assert not [word for word in ("ada@", "yesterday", "much", "99999") if word in str(caught.value).lower()]


@pytest.mark.parametrize("name", ["customer_id", "status_id", "total_inc_tax", "date_created", "billing_address"])
def test_a_missing_field_is_named(name: str) -> None:
    """Whoever reads the dead letter learns which field was missing."""
    payload = fixture("order")
    del payload[name]
    with pytest.raises(Reject, match=name):
        mapping.order(STORE, SOURCE, payload, [])


def test_the_same_payload_gives_the_same_record_and_stays_as_it_was() -> None:
    """A mapping has no memory and no side effect."""
    payload = fixture("order")
    before = copy.deepcopy(payload)
    first, second = (mapping.order(STORE, SOURCE, payload, fixture("order_products")) for _ in range(2))
    assert first.model_dump_json() == second.model_dump_json()
    assert payload == before
