"""What became of a communication, written where the merchant looks, once."""

import json
from datetime import timedelta
from typing import Any

import pytest

from connectors.bigcommerce.testing import AT, feedback
from schemas.models import Channel, DeliveryState, Feedback
from streams.errors import Failure, Reject, Retry, Skip
from tests.connectors.bigcommerce.shop import ADA, Shop

S = DeliveryState
BOTH = {"newsletter": True, "abandoned_cart": True}


async def shop_with_order(**customer: Any) -> Shop:
    """A store with order 1001 of customer 88."""
    shop = Shop()
    await shop.control("orders", {"customer": {**ADA, **customer}})
    return shop


def about(**changes: Any) -> dict[str, Any]:
    """Another target."""
    return {"about": feedback().about.model_copy(update=changes)}


async def written(shop: Shop) -> list[dict[str, Any]]:
    """The metafields, their values parsed."""
    return [{**field, "value": json.loads(field["value"])} for field in (await shop.journal())["metafields"]]


async def outcomes(shop: Shop, *told: Feedback) -> list[str]:
    """What came of each write-back."""
    return [(await shop.client.write_back(one)).outcome for one in told]


async def test_a_status_becomes_a_metafield_of_the_order() -> None:
    """The order shows state, channel, time and delivery under a key of the communication's type, and no address."""
    shop = await shop_with_order()
    result = await shop.client.write_back(feedback(reason="none"))
    assert (result.target, result.outcome, result.subject) == ("order.metafield", "written", "5" * 16)
    (field,) = await written(shop)
    assert (field["owner"], field["resource_id"]) == ("orders", 1001)
    assert (field["namespace"], field["key"]) == ("ot_comms", "notification.order_confirmation")
    assert (field["value"]["status"], field["value"]["channel"]) == ("delivered", "email")
    assert (field["value"]["delivery_id"], field["value"]["reason"]) == ("d" * 32, "none")
    assert "@" not in json.dumps(field)


async def test_a_delivery_moves_on_and_never_back() -> None:
    """Later states replace earlier ones, a replay of the whole story ends where it ended, and repeats write nothing."""
    shop = await shop_with_order()
    story = [feedback(state=state) for state in (S.SUBMITTED, S.SENT, S.DELIVERED, S.OPENED)]
    assert await outcomes(shop, *story) == ["written"] * 4
    assert await outcomes(shop, *story) == ["unchanged"] * 4
    assert (await written(shop))[0]["value"]["status"] == "opened"


async def test_a_delivery_undoes_a_soft_bounce() -> None:
    """A message that got through after all is shown as delivered."""
    shop = await shop_with_order()
    assert await outcomes(shop, feedback(state=S.BOUNCED_SOFT), feedback(state=S.DELIVERED)) == ["written", "written"]
    assert await outcomes(shop, feedback(state=S.BOUNCED_HARD), feedback(state=S.DELIVERED)) == ["written", "unchanged"]


async def test_a_newer_delivery_of_the_same_type_takes_the_key() -> None:
    """A fallback by SMS replaces the bounced e-mail, and a replayed bounce does not come back."""
    shop = await shop_with_order()
    bounce = feedback(state=S.BOUNCED_HARD)
    later = AT + timedelta(minutes=5)
    sms = feedback(delivery_id="e" * 32, channel=Channel.SMS, rung=1, state=S.SUBMITTED, recorded_at=later)
    assert await outcomes(shop, bounce, sms, bounce) == ["written", "written", "unchanged"]
    assert (await written(shop))[0]["value"]["channel"] == "sms"


async def test_each_type_has_its_own_key() -> None:
    """The confirmation's state does not hide the shipment notice's."""
    shop = await shop_with_order()
    assert await outcomes(shop, feedback(), feedback(type="shipment_notice")) == ["written", "written"]
    assert {field["key"] for field in await written(shop)} == {
        "notification.order_confirmation",
        "notification.shipment_notice",
    }


async def test_without_an_order_the_customer_shows_it() -> None:
    """A cart reminder's state hangs on the customer account."""
    shop = await shop_with_order()
    reminder = feedback(type="cart_reminder", **about(order_ref=None, cart_ref="bigcommerce:abc123:c1"))
    assert (await shop.client.write_back(reminder)).target == "customer.metafield"
    assert await outcomes(shop, reminder) == ["unchanged"]
    (field,) = await written(shop)
    assert (field["owner"], field["resource_id"]) == ("customers", 88)


@pytest.mark.parametrize(
    ("changes", "family", "code"),
    [
        (about(order_ref=None, customer_ref="bigcommerce:abc123:guest:eve@example.test"), Skip, "nothing_to_write"),
        (about(order_ref=None, customer_ref="bigcommerce:abc123:guest:order-7"), Skip, "nothing_to_write"),
        (about(order_ref="bigcommerce:abc123:9999"), Skip, "target_gone"),
        (about(account="zzz999"), Reject, "wrong_account"),
        (about(platform="elsewhere"), Reject, "wrong_account"),
        (
            {"state": S.UNSUBSCRIBED, **about(customer_ref="bigcommerce:abc123:guest:eve@example.test")},
            Skip,
            "nothing_to_write",
        ),
        ({"state": S.UNSUBSCRIBED, **about(customer_ref="bigcommerce:abc123:9999")}, Skip, "nothing_to_write"),
    ],
)
async def test_where_nothing_can_be_written_the_reason_is_told(
    changes: dict[str, Any], family: type[Failure], code: str
) -> None:
    """A guest without an order, a deleted order and a foreign account each end with their own word."""
    shop = await shop_with_order()
    with pytest.raises(family) as caught:
        await shop.client.write_back(feedback(**changes))
    assert caught.value.code == code
    assert not await written(shop)


@pytest.mark.parametrize("reference", ["bigcommerce:abc123:88", "bigcommerce:abc123:guest:Ada@example.test"])
async def test_an_opt_out_takes_both_consents_and_keeps_the_subscriber(reference: str) -> None:
    """Whoever unsubscribes gets neither newsletter nor cart mails from the platform, as customer or as guest."""
    shop = await shop_with_order(**BOTH)
    opt_out = feedback(state=S.UNSUBSCRIBED, **about(customer_ref=reference))
    result = await shop.client.write_back(opt_out)
    assert (result.target, result.outcome) == ("subscriber.consents", "written")
    assert (await shop.journal())["consents"] == [{"email": "ada@example.test", "consents": []}]
    assert not await written(shop)
    assert await outcomes(shop, opt_out) == ["unchanged"]


async def test_an_opt_out_from_sms_leaves_mail_consents_alone() -> None:
    """Who no longer wants text messages may still want the newsletter."""
    shop = await shop_with_order(**BOTH)
    assert await outcomes(shop, feedback(state=S.UNSUBSCRIBED, channel=Channel.SMS)) == ["written"]
    assert len((await shop.journal())["consents"][0]["consents"]) == 2
    assert (await written(shop))[0]["value"]["status"] == "unsubscribed"


async def test_a_metafield_somebody_else_spoilt_is_written_again() -> None:
    """A value edited by hand does not stop ours."""
    shop = await shop_with_order()
    await shop.client.write_back(feedback())
    field = (await shop.journal())["metafields"][0]
    path = f"/v3/orders/1001/metafields/{field['id']}"
    assert (await shop.api("PUT", path, {"value": "what is this?"})).status_code == 200
    assert await outcomes(shop, feedback()) == ["written"]


async def test_two_writers_at_once_do_no_harm() -> None:
    """When another writer made the key after we looked, the 409 leads to another look and not to a second field."""
    shop = await shop_with_order()
    await shop.client.write_back(feedback(state=S.SUBMITTED))
    await shop.control("faults", {"path": "/v3/orders/1001/metafields", "method": "GET", "status": 404})
    assert await outcomes(shop, feedback()) == ["written"]
    assert [field["value"]["status"] for field in await written(shop)] == ["delivered"]


async def test_a_conflict_that_does_not_end_comes_back_later() -> None:
    """A key that keeps changing hands is retried as a whole."""
    shop = await shop_with_order()
    await shop.control("faults", {"path": "/metafields", "method": "POST", "status": 409, "times": 9})
    with pytest.raises(Retry) as caught:
        await shop.client.write_back(feedback())
    assert caught.value.code == "write_conflict"


async def test_a_failing_platform_loses_no_outcome() -> None:
    """While the platform fails the outcome is a Retry, and afterwards it is written."""
    shop = await shop_with_order()
    await shop.control("faults", {"path": "/metafields", "status": 500, "times": 3})
    with pytest.raises(Retry):
        await shop.client.write_back(feedback())
    assert await outcomes(shop, feedback()) == ["written"]
