"""How the sandbox store sends its webhooks, taken by the connector as in production."""

import asyncio
import json
from collections import Counter
from typing import Any

import pytest

from schemas.models import RawDelivery
from tests.connectors.bigcommerce.shop import ADA, BOB, HOOK, Ingress, Shop


def accepted(shop: Shop) -> list[RawDelivery]:
    """What the connector makes of everything that arrived."""
    return [raw for request in shop.ingress.requests for raw in shop.client.accept(request)]


def kinds(shop: Shop) -> list[str]:
    """The events that arrived."""
    return [raw.kind for raw in accepted(shop)]


async def test_subscribing_makes_every_hook_once() -> None:
    """The first call creates the hooks, a repeat changes nothing, and a hook that is off or outdated is repaired."""
    shop = Shop()
    assert set((await shop.client.subscribe(HOOK)).values()) == {"created"}
    assert set((await shop.client.subscribe(HOOK)).values()) == {"unchanged"}
    hook = (await shop.api("GET", "/v3/hooks")).json()["data"][0]
    await shop.api("PUT", f"/v3/hooks/{hook['id']}", {"is_active": False})
    assert (await shop.client.subscribe(HOOK))[hook["scope"]] == "repaired"
    assert set((await shop.client.subscribe(HOOK)).values()) == {"unchanged"}
    shop.use(second_factor="changed")
    assert set((await shop.client.subscribe(HOOK)).values()) == {"repaired"}
    assert set((await shop.client.subscribe(HOOK)).values()) == {"unchanged"}


async def test_a_day_in_the_shop_arrives_signed_and_readable() -> None:
    """Every event of an order's life is accepted by the connector, with the second factor it asked for."""
    shop = Shop(second_factor="s3cr3t")
    await shop.client.subscribe(HOOK)
    await shop.control("orders", {"customer": {**ADA, "newsletter": True}, "incomplete_first": True})
    await shop.control("orders/1001/shipments")
    cart = await shop.control("carts", {"customer": BOB})
    await shop.control(f"carts/{cart['id']}/convert")
    await shop.control("subscribers/ada@example.test", {"consents": []})
    journal = await shop.settled()
    assert Counter(kinds(shop)) == {
        "store/customer/created": 1,
        "store/subscriber/created": 1,
        "store/order/created": 2,
        "store/order/statusUpdated": 2,
        "store/order/updated": 2,
        "store/shipment/created": 1,
        "store/cart/abandoned": 1,
        "store/cart/converted": 1,
        "store/subscriber/updated": 1,
    }
    assert journal["webhooks"]["acknowledged"] == journal["webhooks"]["sent"] == 12
    assert journal["webhooks"]["pending"] == journal["webhooks"]["failed"] == 0


async def test_what_changes_nothing_fires_nothing() -> None:
    """Setting a status, a consent or a metafield to what it is sends no webhook."""
    shop = Shop()
    await shop.client.subscribe(HOOK)
    await shop.control("orders", {"customer": {**ADA, "newsletter": True}})
    await shop.settled()
    before = len(shop.ingress.requests)
    await shop.control("orders/1001/status", {"status_id": 11})
    await shop.control("subscribers", {"email": ADA["email"], "newsletter": True})
    await shop.settled()
    assert len(shop.ingress.requests) == before


async def test_a_transition_is_told_with_both_statuses() -> None:
    """The event statusUpdated carries where the order came from and where it went."""
    shop = Shop()
    await shop.client.subscribe(HOOK)
    await shop.control("orders", {"customer": ADA, "status_id": 7})
    await shop.control("orders/1001/status", {"status_id": 11})
    await shop.settled()
    told = next(json.loads(raw.body) for raw in accepted(shop) if raw.kind == "store/order/statusUpdated")
    assert told["data"]["status"] == {"previous_status_id": 7, "new_status_id": 11}
    assert (told["store_id"], told["producer"]) == ("1001", "stores/abc123")


async def test_our_own_write_backs_come_back_as_events() -> None:
    """A metafield and a changed subscriber fire events, as they do in a real store."""
    shop = Shop()
    await shop.api("POST", "/v3/hooks", {"scope": "store/order/*", "destination": HOOK})
    await shop.control("orders", {"customer": ADA})
    body = {"permission_set": "read", "namespace": "ot_comms", "key": "k", "value": "v"}
    assert (await shop.api("POST", "/v3/orders/1001/metafields", body)).status_code == 200
    await shop.settled()
    assert kinds(shop) == ["store/order/created", "store/order/metafield/created"]


async def test_a_failed_delivery_is_tried_again_with_a_fresh_signature() -> None:
    """A webhook that meets trouble arrives later, under the same id."""
    shop = Shop(Ingress([500, 503, 200]), retry_scale=0.00001)
    await shop.api("POST", "/v3/hooks", {"scope": "store/order/created", "destination": HOOK})
    await shop.control("orders", {"customer": ADA})
    journal = await shop.settled()
    raws = accepted(shop)
    assert (len(raws), len({raw.event_id for raw in raws}), len({raw.raw_id for raw in raws})) == (3, 1, 1)
    assert (journal["webhooks"]["attempts"], journal["webhooks"]["acknowledged"]) == (3, 1)


async def test_a_hook_that_never_works_is_switched_off() -> None:
    """After the last retry the delivery has failed and the hook is inactive until somebody switches it on."""
    shop = Shop(Ingress([500]), retry_scale=0.0)
    await shop.client.subscribe(HOOK)
    await shop.control("orders", {"customer": BOB})
    journal = await shop.settled()
    assert (journal["webhooks"]["attempts"], journal["webhooks"]["failed"]) == (12, 1)
    hooks = (await shop.api("GET", "/v3/hooks", is_active="false")).json()["data"]
    assert [hook["scope"] for hook in hooks] == ["store/order/created"]
    await shop.control("orders", {"customer": BOB})
    assert (await shop.settled())["webhooks"]["sent"] == 1


async def test_a_destination_that_mostly_fails_is_left_alone_for_a_while() -> None:
    """After a hundred requests with fewer than nine in ten answered well, the destination is blocked."""
    shop = Shop(Ingress([500]), retry_scale=1)
    await shop.api("POST", "/v3/hooks", {"scope": "store/order/created", "destination": HOOK})
    for _ in range(100):
        await shop.control("orders", {"customer": BOB})
    await shop.ingress.received(100)
    admin = (await shop.api("GET", "/v3/hooks/admin")).json()["data"]
    assert [row["destination"] for row in admin["blocked_domains"]] == ["127.0.0.1"]
    await shop.control("orders", {"customer": BOB})
    await asyncio.sleep(0)
    assert (await shop.journal())["webhooks"]["attempts"] == len(shop.ingress.requests) == 100
    await shop.app.state.dispatcher.aclose()


@pytest.mark.parametrize("seed", [1, 2])
async def test_duplicates_and_disorder_are_repeatable(seed: int) -> None:
    """The same seed doubles the same events, doubles are recognised by their id, and none is lost."""

    async def day() -> list[str]:
        shop = Shop(seed=seed, duplicate_rate=0.4, shuffle=0.5, shuffle_s=0.01)
        await shop.api("POST", "/v3/hooks", {"scope": "store/order/created", "destination": HOOK})
        for _ in range(12):
            await shop.control("orders", {"customer": BOB})
        await shop.settled()
        assert len({raw.event_id for raw in accepted(shop)}) == 12
        return sorted(raw.key for raw in accepted(shop))

    first, second = await day(), await day()
    assert first == second
    assert len(first) > 12


async def test_a_channels_hook_sees_its_own_spelling() -> None:
    """A hook on one channel gets order_id instead of id, and the connector files it under the same order."""
    shop = Shop()
    await shop.api("POST", "/v3/hooks", {"scope": "store/channel/1/order/*", "destination": HOOK})
    await shop.control("orders", {"customer": BOB})
    await shop.settled()
    (raw,) = accepted(shop)
    assert json.loads(raw.body)["data"] == {"order_id": 1001}
    assert (raw.kind, raw.key) == ("store/order/created", "bigcommerce:abc123:order:1001")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 200),
        ({"destination": "https://hub.example.test/x"}, 200),
        ({"destination": "https://hub.example.test:8443/x"}, 422),
        ({"destination": "http://hub.example.test/x"}, 422),
        ({"destination": ""}, 422),
        ({"scope": "everything"}, 422),
    ],
)
async def test_only_safe_destinations_are_taken(changes: dict[str, Any], status: int) -> None:
    """Webhooks go to https on port 443, or to this machine, because this is a sandbox."""
    body = {"scope": "store/order/created", "destination": HOOK, **changes}
    assert (await Shop().api("POST", "/v3/hooks", body)).status_code == status


async def test_hooks_are_managed_like_the_real_ones() -> None:
    """Reading, changing, deleting, the admin view, and no second hook for one scope and destination."""
    shop = Shop()
    body = {"scope": "store/order/created", "destination": HOOK}
    hook = (await shop.api("POST", "/v3/hooks", body)).json()["data"]
    assert (await shop.api("POST", "/v3/hooks", body)).status_code == 422
    path = f"/v3/hooks/{hook['id']}"
    assert (await shop.api("GET", path)).json()["data"]["scope"] == "store/order/created"
    assert (await shop.api("PUT", path, {"destination": "http://elsewhere.example.test"})).status_code == 422
    assert (await shop.api("PUT", "/v3/hooks/admin", {"emails": ["ops@example.test"]})).status_code == 204
    admin = (await shop.api("GET", "/v3/hooks/admin")).json()["data"]
    assert ([row["status"] for row in admin["hooks_list"]], admin["emails"]) == (["active"], ["ops@example.test"])
    assert (await shop.api("DELETE", path)).status_code == 200
    assert (await shop.api("GET", path)).status_code == 404
