"""Facts that arrive late fill gaps and undo nothing."""

from typing import Any

import pytest

from schemas.models import Channel, ConsentState, Order
from streams.core import address
from streams.core.cases import fact_of
from streams.core.remember import addresses, block_of, blocked_channels, contact_of, fact_time, remembered
from streams.core.resolve import Fact
from streams.core.samples import CART, CONSENT, CUSTOMER, ORDER, SHIPMENT, SOURCE, WHO
from streams.core.state import EMPTY, SubjectState
from tests.core.given import at


def order(seconds: float, **changes: Any) -> Fact:
    """An order told at a time."""
    return fact_of("order", changes, seconds, f"evt-{seconds}")


def after(*facts: Fact) -> SubjectState:
    """The state after these facts, in this order."""
    state = EMPTY
    for fact in facts:
        state = remembered(state, fact)
    return state


def test_the_latest_address_counts_whenever_it_arrives() -> None:
    """An older copy of a contact does not bring an old address back."""
    new, old = order(10, who={"email": "new@example.test"}), order(5, who={"email": "old@example.test"})
    for state in (after(new, old), after(old, new)):
        assert addresses(state, Channel.EMAIL, "bigcommerce") == ("new@example.test",)


def test_a_late_fact_fills_a_gap() -> None:
    """A phone number told earlier is still one, even when it arrives later."""
    state = after(order(10, who={"phone": None}), order(5))
    assert addresses(state, Channel.SMS, "bigcommerce") == (WHO.phone,)


def test_the_platform_of_the_order_goes_before_others() -> None:
    """Each platform's own word counts for its orders; the others help out."""
    other = {"platform": "sfcc", "email": "sfcc@example.test", "phone": None, "locale": "de"}
    state = after(order(1), order(9, who=other))
    assert addresses(state, Channel.EMAIL, "bigcommerce")[0] == WHO.email
    assert addresses(state, Channel.EMAIL, "sfcc")[0] == "sfcc@example.test"
    assert addresses(state, Channel.SMS, "sfcc") == (WHO.phone,)
    assert contact_of(state, "sfcc").locale == "de"
    assert contact_of(state, "sfcc").phone == WHO.phone


def test_an_older_grant_after_a_newer_withdrawal_changes_nothing() -> None:
    """Consent follows the time of the decision, not of its arrival."""
    withdrawn = fact_of("consent", {"state": "WITHDRAWN", "decided_at": 10}, 11, "e-1")
    granted = fact_of("consent", {"decided_at": 5}, 12, "e-2")
    assert [entry.state for entry in after(withdrawn, granted).consents] == [ConsentState.WITHDRAWN]


def test_a_grant_from_a_fast_clock_does_not_outrank_a_later_withdrawal() -> None:
    """A grant dated in the future counts from its arrival, so that the person can still take it back."""
    granted = fact_of("consent", {"decided_at": 9999}, 10, "e-1")
    withdrawn = fact_of("consent", {"state": "WITHDRAWN", "decided_at": 20}, 20, "e-2")
    assert [entry.state for entry in after(granted, withdrawn).consents] == [ConsentState.WITHDRAWN]


def test_a_withdrawal_dated_in_the_future_acts_at_once() -> None:
    """A withdrawal is never put off to the time it claims."""
    withdrawn = fact_of("consent", {"state": "WITHDRAWN", "decided_at": 9999}, 10, "e-1")
    assert [entry.state for entry in after(fact_of("consent", {}, 1, "e-0"), withdrawn).consents] == [
        ConsentState.WITHDRAWN
    ]


def test_an_order_is_one_under_all_its_names() -> None:
    """Whichever name is known first is the key under which the order stays."""
    own, shared = order(1, external_ref=None), order(2)
    state = after(own, shared)
    assert isinstance(own, Order)
    assert set(state.orders) == {own.order_ref}
    assert state.aliases["SO-1001"] == own.order_ref


def test_an_older_copy_of_an_order_changes_nothing() -> None:
    """A delayed copy does not take the order back to an earlier state."""
    state = after(order(10, status="SHIPPED"), order(5, status="PLACED"))
    assert [known.status for known in state.orders.values()] == ["SHIPPED"]


def test_a_channel_is_blocked_when_no_address_is_left() -> None:
    """One good address keeps a channel open; when all are blocked it is closed."""
    state = after(order(1), order(2, who={"platform": "sfcc", "email": "other@example.test"}))
    marks = [address.fingerprint(Channel.EMAIL, text) for text in ("ada@example.test", "other@example.test")]
    half = SubjectState(contacts=state.contacts, blocked={marks[0]: "address_invalid"})
    assert blocked_channels(half) == ()
    assert block_of(half, Channel.EMAIL, "ada@example.test") == "address_invalid"
    full = SubjectState(contacts=state.contacts, blocked=dict.fromkeys(marks, "address_invalid"), complaints=("SMS",))
    assert blocked_channels(full) == ("EMAIL", "SMS:marketing")


@pytest.mark.parametrize("fact", [ORDER, SHIPMENT, CART, CUSTOMER, CONSENT])
def test_every_fact_has_a_time_of_its_own(fact: Fact) -> None:
    """Late arrival is judged by the time a fact became true, whatever kind it is."""
    assert fact_time(fact) == SOURCE.occurred_at == at(0)
