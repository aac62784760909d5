"""From a thin webhook to facts, against the sandbox as the wire."""

from collections.abc import Sequence
from typing import Any

import pytest
from pydantic import BaseModel

from connectors.bigcommerce.testing import AT, event, inbound
from schemas.models import Cart, CartStatus, Consent, ConsentState, Customer, Order, OrderStatus, Shipment
from streams.errors import Failure, Reject, Retry, Skip
from tests.connectors.bigcommerce.shop import ADA, BOB, Shop


async def hydrated(shop: Shop, scope: str, **data: Any) -> Sequence[BaseModel]:
    """The facts behind one event."""
    (raw,) = shop.client.accept(inbound(event(scope, data), AT))
    return await shop.client.hydrate(raw)


def states(facts: Sequence[BaseModel]) -> dict[str, ConsentState]:
    """The consents among the facts."""
    return {fact.purpose: fact.state for fact in facts if isinstance(fact, Consent)}


async def test_an_order_brings_its_buyer_and_what_they_allow() -> None:
    """One event gives order, profile and consents, all for the same reference and from the same source."""
    shop = Shop()
    placed = await shop.control(
        "orders", {"customer": {**ADA, "newsletter": True}, "lines": [{"name": "Mug", "price": 20}]}
    )
    facts = await hydrated(shop, "store/order/created", type="order", id=placed["id"])
    assert [type(fact) for fact in facts] == [Order, Customer, Consent, Consent]
    order, customer = facts[0], facts[1]
    assert isinstance(order, Order)
    assert isinstance(customer, Customer)
    assert order.status is OrderStatus.PROCESSING
    assert (customer.who.locale, customer.who.phone, customer.first_name) == ("de", "+4922100000", "Ada")
    assert states(facts) == {"marketing": ConsentState.GRANTED, "cart_reminder": ConsentState.WITHDRAWN}
    assert {fact.who.customer_ref for fact in facts if isinstance(fact, Order | Customer | Consent)} == {
        "bigcommerce:abc123:88"
    }
    assert order.source.occurred_at == order.source.collected_at == AT
    assert (order.source.event, order.source.event_id) == ("store/order/created", "a" * 40)


async def test_hydrating_twice_gives_the_same_bytes() -> None:
    """While nothing changes, a repeated event gives equal records, so that downstream sees a repeat."""
    shop = Shop()
    await shop.control("orders", {"customer": {**ADA, "newsletter": True}})
    first, second = [await hydrated(shop, "store/order/created", id=1001) for _ in range(2)]
    assert [fact.model_dump_json() for fact in first] == [fact.model_dump_json() for fact in second]


async def test_a_guest_who_is_unknown_to_the_newsletter_has_decided_nothing() -> None:
    """A guest's order brings a profile from the address and no consent at all."""
    shop = Shop()
    placed = await shop.control("orders", {"customer": BOB})
    facts = await hydrated(shop, "store/order/updated", order_id=placed["id"])
    assert [type(fact) for fact in facts] == [Order, Customer]
    assert isinstance(facts[1], Customer)
    assert facts[1].who.customer_ref == "bigcommerce:abc123:guest:bob@example.test"


async def test_a_long_order_keeps_all_its_lines() -> None:
    """An order that fills more than one page of products is read to its end."""
    shop = Shop()
    await shop.control("orders", {"customer": ADA, "lines": [{"name": f"Item {n}"} for n in range(260)]})
    facts = await hydrated(shop, "store/order/created", id=1001)
    assert isinstance(facts[0], Order)
    assert len(facts[0].lines) == 260


async def test_a_shipment_is_for_the_buyer_of_its_order() -> None:
    """A parcel's event gives the parcel, filed under the buyer."""
    shop = Shop()
    await shop.control("orders", {"customer": ADA})
    parcel = await shop.control("orders/1001/shipments", {"carrier_name": "FedEx"})
    (fact,) = await hydrated(shop, "store/shipment/created", type="shipment", id=parcel["id"], orderId=1001)
    assert isinstance(fact, Shipment)
    assert (fact.who.customer_ref, fact.order_number, fact.carrier) == ("bigcommerce:abc123:88", "1001", "FedEx")


async def test_an_abandoned_cart_brings_its_owner() -> None:
    """A customer's cart gives cart, profile and consents; a guest's gives the cart and what the guest allows."""
    shop = Shop()
    cart = await shop.control("carts", {"customer": {**ADA, "abandoned_cart": True}})
    facts = await hydrated(shop, "store/cart/abandoned", id=cart["id"])
    assert [type(fact) for fact in facts] == [Cart, Customer, Consent, Consent]
    assert states(facts)["cart_reminder"] is ConsentState.GRANTED
    guest = await shop.control("carts", {"customer": {**BOB, "newsletter": True}})
    facts = await hydrated(shop, "store/cart/updated", id=guest["id"])
    assert [type(fact) for fact in facts] == [Cart, Consent, Consent]
    assert isinstance(facts[0], Cart)
    assert facts[0].status is CartStatus.ACTIVE


async def test_a_cart_that_became_an_order_is_told_by_the_order() -> None:
    """The platform has deleted the cart by then; its reference and its owner are still the right ones."""
    shop = Shop()
    cart = await shop.control("carts", {"customer": BOB})
    placed = await shop.control(f"carts/{cart['id']}/convert")
    (fact,) = await hydrated(shop, "store/cart/converted", id=cart["id"], orderId=placed["id"])
    assert isinstance(fact, Cart)
    assert (fact.status, fact.cart_ref) == (CartStatus.CONVERTED, f"bigcommerce:abc123:{cart['id']}")
    assert fact.who.customer_ref == "bigcommerce:abc123:guest:bob@example.test"


async def test_a_subscriber_is_the_customer_with_that_address() -> None:
    """A newsletter change is filed under the account when there is one, and under the guest otherwise."""
    shop = Shop()
    await shop.control("customers", ADA)
    known = await shop.control("subscribers", {"email": ADA["email"], "newsletter": True})
    other = await shop.control("subscribers", {"email": "Eve@example.test", "consents": []})
    facts = await hydrated(shop, "store/subscriber/created", id=known["id"])
    assert states(facts) == {"marketing": ConsentState.GRANTED, "cart_reminder": ConsentState.WITHDRAWN}
    assert {fact.who.customer_ref for fact in facts if isinstance(fact, Consent)} == {"bigcommerce:abc123:88"}
    facts = await hydrated(shop, "store/subscriber/updated", id=other["id"])
    assert set(states(facts).values()) == {ConsentState.WITHDRAWN}
    assert {fact.who.customer_ref for fact in facts if isinstance(fact, Consent)} == {
        "bigcommerce:abc123:guest:eve@example.test"
    }


async def test_a_changed_customer_is_read_anew() -> None:
    """A profile event gives the profile as it is now."""
    shop = Shop()
    await shop.control("customers", ADA)
    await shop.api("PUT", "/v3/customers", [{"id": 88, "last_name": "Sample"}])
    (fact,) = await hydrated(shop, "store/customer/updated", id=88)
    assert isinstance(fact, Customer)
    assert fact.who.name == "Ada Sample"


@pytest.mark.parametrize(
    ("scope", "data", "family", "code"),
    [
        ("store/order/created", {"id": 9999}, Retry, "not_yet_visible"),
        ("store/shipment/created", {"id": 1, "orderId": 9999}, Retry, "not_yet_visible"),
        ("store/customer/created", {"id": 9999}, Retry, "not_yet_visible"),
        ("store/subscriber/created", {"id": 9999}, Retry, "not_yet_visible"),
        ("store/cart/abandoned", {"id": "6f1c0c1e-0a35-4f0b-9d7e-2f6f0c0d1a11"}, Skip, "cart_gone"),
        ("store/subscriber/deleted", {"id": 15}, Reject, "subscriber_gone"),
        ("store/order/metafield/created", {"metafield_id": 71, "resource_id": "1001"}, Skip, "metafield"),
        ("store/product/updated", {"id": 301}, Skip, "unhandled_event"),
        ("store/order/created", {}, Reject, "no_id"),
        ("store/shipment/created", {"id": 36}, Reject, "no_id"),
    ],
)
async def test_what_gives_no_fact_says_why(scope: str, data: dict[str, Any], family: type[Failure], code: str) -> None:
    """What cannot be read yet comes back, what concerns nobody is skipped, what is lost is a dead letter."""
    with pytest.raises(family) as caught:
        await hydrated(Shop(), scope, **data)
    assert caught.value.code == code


async def test_a_cart_of_nobody_is_skipped() -> None:
    """A guest who left no address cannot be reached, so nothing is kept."""
    shop = Shop()
    cart = await shop.control("carts", {"customer": {"guest": True}})
    with pytest.raises(Skip) as caught:
        await hydrated(shop, "store/cart/abandoned", id=cart["id"])
    assert caught.value.code == "anonymous_cart"


async def test_a_short_outage_of_the_platform_is_not_noticed() -> None:
    """Two failing answers in a row are repeated in place."""
    shop = Shop()
    await shop.control("orders", {"customer": ADA})
    await shop.control("faults", {"path": "/v2/orders/", "status": 503, "times": 2})
    assert await hydrated(shop, "store/order/created", id=1001)


async def test_a_spent_quota_tells_when_it_is_full_again() -> None:
    """Over quota, the record comes back when the platform's window ends, not before."""
    shop = Shop()
    await shop.control("orders", {"customer": ADA})
    await shop.control("faults", {"quota": 1})
    with pytest.raises(Retry) as caught:
        await hydrated(shop, "store/order/created", id=1001)
    assert caught.value.code == "throttled"
    assert caught.value.after
    assert 0 < caught.value.after <= 30


async def test_an_overloaded_platform_gives_no_time() -> None:
    """A 429 without the rate headers leaves the waiting to the caller."""
    shop = Shop()
    await shop.control("orders", {"customer": ADA})
    await shop.control("faults", {"path": "/v2/orders/", "status": 429, "times": 9, "headers": False})
    with pytest.raises(Retry) as caught:
        await hydrated(shop, "store/order/created", id=1001)
    assert caught.value.after is None
