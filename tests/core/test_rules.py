"""A compiled rule computes from the fact alone."""

from datetime import timedelta

from streams.core.policy import Policy
from streams.core.samples import CART, ORDER, SHIPMENT, START
from tests.core.given import at


def test_a_grace_counts_from_arrival(policy: Policy) -> None:
    """The confirmation may leave 120 s after the first copy arrived, whenever the order was placed."""
    assert policy.rules["order_confirmation"].due_at(ORDER, at(1000)) == at(1120)


def test_a_delay_counts_from_the_fact(policy: Policy) -> None:
    """The reminder is due an hour after the cart was last touched, however late we hear of it."""
    assert policy.rules["cart_reminder"].due_at(CART, at(9000)) == at(3600)


def test_expiry_counts_from_where_the_rule_says(policy: Policy) -> None:
    """Marketing expires a day after it was due, a confirmation three days after the order."""
    assert policy.rules["cart_reminder"].not_after(CART, at(3600)) == at(3600) + timedelta(days=1)
    assert policy.rules["order_confirmation"].not_after(ORDER, at(99)) == START + timedelta(days=3)


def test_the_preferred_key_comes_first(policy: Policy) -> None:
    """The reference all platforms share goes before the platform's own; what is missing is left out."""
    rule = policy.rules["order_confirmation"]
    assert rule.key_values(ORDER) == ("SO-1001", ORDER.order_ref)
    assert rule.key_values(ORDER.model_copy(update={"external_ref": None})) == (ORDER.order_ref,)


def test_a_child_names_its_parent(policy: Policy) -> None:
    """The shipment notice knows the order whose confirmation goes first."""
    rule = policy.rules["shipment_notice"]
    assert rule.parent_type == "order_confirmation"
    assert rule.parent_key is not None
    assert rule.parent_key(SHIPMENT) == ORDER.order_ref


def test_the_policy_finds_rules_by_fact(policy: Policy) -> None:
    """Each fact starts and calls off what its rules say and nothing else."""
    assert [rule.type for rule in policy.triggered_by("commerce.orders")] == ["order_cancelled", "order_confirmation"]
    assert {rule.type for rule, _ in policy.cancelled_by("commerce.carts")} == {"cart_reminder"}
    assert policy.triggered_by("commerce.customers") == ()
    assert policy.superseders("order_confirmation") == ("order_cancelled",)
