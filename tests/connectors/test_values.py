"""Conversions shared by the platforms: one spelling for amounts, dates, addresses and languages."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel

from connectors import values
from streams.errors import Reject


@pytest.mark.parametrize(
    ("given", "amount"),
    [
        ("25.0000", "25.0000"),
        (49.98, "49.9800"),
        (0.1, "0.1000"),
        (10, "10.0000"),
        ("", "0"),
        (None, "0"),
        ("-1.5", "-1.5000"),
    ],
)
def test_an_amount_is_exact_whatever_its_json(given: object, amount: str) -> None:
    """Text and JSON numbers become the same decimal, without binary dust."""
    assert str(values.money(given)) == amount


@pytest.mark.parametrize(
    ("given", "hour"),
    [
        ("Fri, 20 Nov 2026 09:15:00 +0000", 9),
        ("Fri, 20 Nov 2026 09:15:00 -0500", 14),
        ("2026-11-20T09:15:00Z", 9),
        ("2026-11-20T10:15:00+01:00", 9),
        ("2026-11-20T09:15:00", 9),
    ],
)
def test_a_moment_is_utc_whatever_its_spelling(given: str, hour: int) -> None:
    """RFC 2822 and ISO 8601 name the same moment; without a zone it is UTC."""
    assert values.moment(given) == datetime(2026, 11, 20, hour, 15, tzinfo=UTC)


@pytest.mark.parametrize("given", ["", None, "soon", "2026-13-01", "Fri, 99 Nov 2026 09:15:00 +0000"])
def test_a_date_that_is_none_is_an_error(given: str | None) -> None:
    """A missing or impossible date is never replaced by a guess."""
    with pytest.raises(ValueError, match=r"."):
        values.moment(given)


@pytest.mark.parametrize(
    ("given", "tag"), [("de", "de"), ("de_AT", "de-AT"), (" en-GB ", "en-GB"), ("", None), (None, None), ("?", None)]
)
def test_a_language_is_a_bcp_47_tag_or_absent(given: str | None, tag: str | None) -> None:
    """Underscores and spaces do not make another language."""
    assert values.locale(given) == tag


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        (" Ada@Example.TEST ", "ada@example.test"),
        ("ａda@example.test", "ada@example.test"),
        ("ada", None),
        ("", None),
        (None, None),
    ],
)
def test_an_address_names_a_guest_in_one_spelling(given: str | None, normal: str | None) -> None:
    """Case, width and blanks do not make another person."""
    assert values.normal_email(given) == normal


class Thing(BaseModel):
    """Something with a number."""

    number: int


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (lambda row: row["name"], "name"),
        (lambda row: Thing.model_validate({"number": row["email"]}), "number"),
        (lambda row: int(row["email"]), "ValueError"),
        (lambda row: row["missing"]["number"], "TypeError"),
        (lambda row: row["empty"][0], "IndexError"),
        (lambda row: row["email"].number, "AttributeError"),
        (lambda row: Decimal(row["email"]), "InvalidOperation"),
    ],
)
def test_whatever_is_wrong_with_a_payload_is_told_without_its_content(fault: Callable[[Any], Any], told: str) -> None:
    """Every way a payload can be unreadable is one Reject that names field or kind and quotes nothing."""
    with pytest.raises(Reject) as caught, values.reading("order 7"):
        fault({"email": "ada@example.test", "missing": None, "empty": []})
    assert caught.value.code == "unreadable"
    assert told in caught.value.detail
    assert "order 7" in caught.value.detail
    assert "ada@" not in str(caught.value)
