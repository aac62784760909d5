"""Driver data is exact, complete and always the same for the same facts."""

from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core import driver
from streams.core.samples import CART, CUSTOMER, ORDER, SHIPMENT, WHO


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        ("59.9000", "EUR", "59.90"),
        ("59.9000", "JPY", "59.9"),
        ("60.0000", "JPY", "60"),
        ("0.1234", "EUR", "0.1234"),
        ("1.5000", "KWD", "1.500"),
        ("-5.0000", "USD", "-5.00"),
        ("0", "EUR", "0.00"),
    ],
)
def test_amounts_have_the_digits_of_their_currency(value: str, currency: str, text: str) -> None:
    """Amounts show at least the currency's digits and never lose one."""
    assert driver.amount(Decimal(value), currency) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12))
def test_amounts_are_exact(value: Decimal) -> None:
    """The text of an amount is the amount."""
    assert Decimal(driver.amount(value, "EUR")) == value


def test_the_order_is_told_in_full() -> None:
    """A confirmation can show number, lines and every amount."""
    data = driver.complete(driver.of(ORDER), "Ada", "en")
    assert data["order"]["total"] == "1253.90"
    assert (data["order"]["tax"], data["order"]["discount"], data["order"]["shipping"]) == ("200.20", "0.00", "4.90")
    assert data["order"]["placedAt"] == "2026-03-02"
    assert data["order"]["lines"][0] == {
        "sku": "LAMP-1",
        "name": "Reading lamp",
        "quantity": "1",
        "unitPrice": "1249.00",
        "total": "1249.00",
    }
    assert data["customer"] == {"firstName": "Ada", "locale": "en"}


def test_a_parcel_shows_the_names_the_order_gave_its_items() -> None:
    """Shipments name lines only by id; the order known before tells what they are called."""
    data = driver.of(SHIPMENT)
    named = driver.complete(data, None, "en", {"1": "Reading lamp"})
    assert named["shipment"]["items"] == [{"lineId": "1", "quantity": "1", "name": "Reading lamp"}]
    assert driver.complete(data, None, "en")["shipment"]["items"][0]["name"] == ""


def test_a_cart_tells_the_way_back() -> None:
    """A reminder leads back to the cart."""
    assert driver.of(CART)["cart"]["recoverUrl"] == CART.recover_url


def test_equal_data_is_equal_text() -> None:
    """The hashed text does not depend on the order in which data was put together."""
    one = driver.as_json({"a": 1, "b": {"c": 2, "d": 3}})
    assert one == driver.as_json({"b": {"d": 3, "c": 2}, "a": 1})
    assert orjson.loads(one) == {"a": 1, "b": {"c": 2, "d": 3}}


def test_the_first_name_is_not_guessed_from_an_inverted_one() -> None:
    """A customer record names the first name, a display name is split, "Example, Ada" is left alone."""
    assert driver.first_name(CUSTOMER) == "Ada"
    assert driver.first_name(ORDER) == "Ada"
    inverted = ORDER.model_copy(update={"who": WHO.model_copy(update={"name": "Example, Ada"})})
    assert driver.first_name(inverted) is None
    unnamed = ORDER.model_copy(update={"who": WHO.model_copy(update={"name": None})})
    assert driver.first_name(unnamed) is None
