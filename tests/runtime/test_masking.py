"""Addresses are hidden wherever they stand; ids stay readable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.runtime.masking import EMAIL, HIDDEN, PHONE, mask
from streams.topics import BY_NAME

WORDS = st.text(alphabet="abcxyz :;,()<>'\"", max_size=12)


@pytest.mark.parametrize(
    "text",
    [
        "ada@example.test",
        "Ada <ada.o'neil+shop@mail.example.test>",
        "id bigcommerce:abc123:guest:ada@example.test",
        "to=ada%40example.test",
    ],
)
def test_an_e_mail_address_is_hidden_inside_any_text(text: str) -> None:
    """No part of the address is left."""
    masked = str(mask(text))
    assert EMAIL in masked
    assert "ada" not in masked
    assert "example" not in masked


@pytest.mark.parametrize(
    "text",
    [
        "+4915112345678",
        "call +49 (151) 1234-5678 now",
        "sms:+14155550123",
        "(415) 555-0123",
        "415-555-0123",
        "0151 23456789",
        "4915112345678",
    ],
)
def test_a_phone_number_is_hidden_inside_any_text(text: str) -> None:
    """International, national and bare forms leave no run of digits behind."""
    masked = str(mask(text))
    assert PHONE in masked
    assert not any(character.isdigit() for character in masked)


@pytest.mark.parametrize(
    "text",
    [
        *BY_NAME,
        "bigcommerce:abc123:4711",
        "2025-11-20T10:15:30.123456+00:00",
        "2025-11-20 10:15:30",
        "127.0.0.1:9092",
        "1763633730123",
        "1763633730",
        "123e4567-e89b-12d3-a456-426614174000",
        "0123456789abcdef0123456789abcdef",
        "partition 3 offset 1234567",
        "order 100000123",
    ],
)
def test_ids_times_and_counts_stay_readable(text: str) -> None:
    """What operators search for is never mistaken for an address."""
    assert mask(text) == text


def test_addresses_are_found_in_nested_values_keys_and_objects() -> None:
    """Depth and type make no difference."""

    class Thing:
        def __repr__(self) -> str:
            return "Thing(to='ada@example.test')"

    value = {"a": [{"b": ("x", "ada@example.test")}], "ada@example.test": b"+4915112345678", "c": Thing()}
    masked = mask(value)
    assert masked == {"a": [{"b": ["x", EMAIL]}], EMAIL: PHONE, "c": f"Thing(to='{EMAIL}')"}


def test_a_field_that_says_it_is_personal_is_hidden_whole() -> None:
    """A national number cannot be told from an id by its look, but its name tells."""
    assert mask({"phone_number": "5551234", "delivery_address": "1 Example Street"}) == {
        "phone_number": HIDDEN,
        "delivery_address": HIDDEN,
    }


def test_an_id_that_looks_like_a_number_is_kept_under_an_ids_name() -> None:
    """Order numbers of ten and more digits can be searched for."""
    assert mask({"order_number": "4915112345678", "provider_id": "14155550123"}) == {
        "order_number": "4915112345678",
        "provider_id": "14155550123",
    }


@given(WORDS, st.from_regex(r"[a-z][a-z0-9._+-]{0,20}@[a-z]{1,10}\.(test|com|co\.uk)", fullmatch=True), WORDS)
def test_no_e_mail_address_survives_any_surroundings(before: str, address: str, after: str) -> None:
    """Whatever stands around an address, it is gone."""
    assert address not in str(mask(f"{before} {address} {after}"))


@given(WORDS, st.integers(10**7, 10**13).map("+{}".format), WORDS)
def test_no_international_number_survives_any_surroundings(before: str, number: str, after: str) -> None:
    """Whatever stands around a number with a plus sign, it is gone."""
    assert number not in str(mask(f"{before} {number} {after}"))


@given(st.one_of(st.integers(), st.floats(allow_nan=False), st.booleans(), st.none()))
def test_numbers_keep_their_type(value: object) -> None:
    """Counts and offsets are not texts."""
    assert mask(value) is value
