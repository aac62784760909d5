"""Outcomes go to the platforms they concern, and never back to where they came from."""

import pytest

from schemas.models import DeliveryState, Feedback
from streams.core import ledger
from streams.core.report import commands
from tests.core.given import at, request


def told(state: DeliveryState, provider: str = "opentext_notifications") -> Feedback:
    """An outcome of the example delivery."""
    return ledger.feedback(ledger.opened(request(), b"", provider, at(0)), state, at(1))


@pytest.mark.parametrize("state", [DeliveryState.SUBMITTED, DeliveryState.DELIVERED, DeliveryState.BOUNCED_HARD])
def test_a_real_outcome_goes_to_the_platform_of_the_order(state: DeliveryState) -> None:
    """The platform that holds the order hears what became of its confirmation."""
    (intent,) = commands(told(state))
    assert (intent.platform, intent.account, intent.feedback.state) == ("bigcommerce", "abc123", state)


@pytest.mark.parametrize("state", [DeliveryState.UNKNOWN, DeliveryState.PARKED])
def test_what_nobody_knows_is_not_written_anywhere(state: DeliveryState) -> None:
    """An unknown outcome is not reported as one."""
    assert commands(told(state)) == ()


def test_a_fact_is_not_echoed() -> None:
    """What a platform itself told is not written back to it."""
    assert commands(told(DeliveryState.UNSUBSCRIBED, provider="bigcommerce")) == ()
