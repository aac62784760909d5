"""Addresses are one spelling or none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.models import Channel
from streams.core import address
from streams.core.samples import WHO


@pytest.mark.parametrize("text", [" Ada@Example.TEST ", "ada@example.test", "ADA@EXAMPLE.test"])
def test_spellings_of_an_e_mail_address_are_one(text: str) -> None:
    """The same mailbox written differently is the same person."""
    assert address.email(text) == "ada@example.test"


@pytest.mark.parametrize(
    "text", [None, "", "ada", "ada@", "@example.test", "a b@example.test", "a@b@example.test", "a@x"]
)
def test_what_cannot_be_a_mailbox_is_none(text: str | None) -> None:
    """An unusable address is never handed over."""
    assert address.email(text) is None


@pytest.mark.parametrize("text", ["+49 151 12345678", "+4915112345678", "+49 (0)151 12345678"])
def test_spellings_of_a_number_are_one(text: str) -> None:
    """Numbers are stored as E.164."""
    assert address.phone(text) == "+4915112345678"


@pytest.mark.parametrize("text", [None, "", "0151 12345678", "+49", "12345", "+999999999999999999", "SHOP"])
def test_a_number_without_its_country_is_not_guessed(text: str | None) -> None:
    """A number that could be anyone's is no address."""
    assert address.phone(text) is None


@given(st.text(max_size=20))
def test_normalising_twice_changes_nothing(text: str) -> None:
    """A normalised address is its own normal form."""
    for normalise in (address.email, address.phone):
        once = normalise(text)
        assert once is None or normalise(once) == once


def test_identity_prefers_mail_then_phone_then_reference() -> None:
    """A person without an e-mail address is known by the number, else by the platform's reference."""
    no_mail = WHO.model_copy(update={"email": None})
    nothing = no_mail.model_copy(update={"phone": "0151"})
    assert [address.identity(who) for who in (WHO, no_mail, nothing)] == [WHO.email, WHO.phone, WHO.customer_ref]


def test_no_channel_but_mail_and_sms_has_addresses_yet() -> None:
    """Print and portal cannot be reached by accident."""
    assert address.usable(Channel.PRINT, "Example Street 1") is None


def test_a_fingerprint_does_not_show_the_address() -> None:
    """What is kept to recognise an address does not contain it."""
    mark = address.fingerprint(Channel.EMAIL, "ada@example.test")
    assert "ada" not in mark
    assert mark != address.fingerprint(Channel.SMS, "ada@example.test")
