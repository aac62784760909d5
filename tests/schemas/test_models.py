"""Models hold exactly what Avro can hold."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from pydantic import ValidationError

from schemas.models import OrderStatus, RawDelivery
from tests.schemas.examples import NOON, order


def test_a_model_cannot_be_changed() -> None:
    """A fact that was read stays what it was."""
    with pytest.raises(ValidationError):
        order().number = "4712"  # type: ignore[misc]


def test_a_model_refuses_unknown_fields() -> None:
    """A misspelt field is an error, not silence."""
    with pytest.raises(ValidationError):
        order(nmuber="4712")


@pytest.mark.parametrize(
    ("given", "text"),
    [("1.5", "1.5000"), ("-0", "0.0000"), ("7.50000000", "7.5000"), ("-99999999999999.9999", "-99999999999999.9999")],
)
def test_an_amount_has_one_text(given: str, text: str) -> None:
    """Equal amounts read the same wherever they come from."""
    assert str(order(total=Decimal(given)).total) == text


@pytest.mark.parametrize("given", ["0.00001", "100000000000000", "NaN"])
def test_an_amount_that_does_not_fit_is_refused(given: str) -> None:
    """Nothing is rounded behind the back of whoever computed it."""
    with pytest.raises(ValidationError):
        order(total=Decimal(given))


def test_a_moment_is_utc_in_milliseconds() -> None:
    """Equal moments are equal values whatever zone they were written in."""
    vienna = datetime(2030, 5, 1, 14, 0, 0, 123_456, timezone(timedelta(hours=2)))
    assert order(placed_at=vienna).placed_at == NOON
    assert order(placed_at=vienna).placed_at.tzinfo is UTC


def test_a_moment_without_zone_is_refused() -> None:
    """Nobody guesses a zone."""
    with pytest.raises(ValidationError):
        order(placed_at=NOON.replace(tzinfo=None))


def test_optional_fields_lists_and_maps_may_be_left_out() -> None:
    """Whatever has a default in the schema has it in the model."""
    assert order().external_ref is None
    raw = RawDelivery(
        raw_id="1", connector="c", account="a", kind="k", key="k", event_id="e", received_at=NOON, body=b""
    )
    assert raw.headers == {}


def test_a_copy_is_checked() -> None:
    """A copy keeps the promises of its model."""
    assert order(status="SHIPPED").status is OrderStatus.SHIPPED
    with pytest.raises(ValidationError):
        order(quantity=None)


def test_a_model_with_lists_is_hashable() -> None:
    """Orders can be members of a set."""
    assert len({order(), order(), order(number="4712")}) == 2
