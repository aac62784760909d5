"""Conditions mean what they say, and what cannot work is found with its place."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter

from schemas.models import Order, OrderStatus
from streams.core.predicate import Condition, Problem, all_of, reader
from streams.core.samples import ORDER, WHO

CONDITIONS: TypeAdapter[list[Condition]] = TypeAdapter(list[Condition])


def holds(*conditions: dict[str, Any], order: Order = ORDER) -> bool:
    """Whether all conditions hold for the order."""
    return all_of(CONDITIONS.validate_python(list(conditions)), Order, ("when",))(order)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"field": "status", "eq": "PLACED"}, True),
        ({"field": "status", "ne": "PLACED"}, False),
        ({"field": "status", "in": ["SHIPPED", "PLACED"]}, True),
        ({"field": "status", "not_in": ["SHIPPED"]}, True),
        ({"field": "total", "gt": 1253.9}, False),
        ({"field": "total", "ge": "1253.90"}, True),
        ({"field": "placed_at", "lt": "2030-01-01T00:00:00Z"}, True),
        ({"field": "placed_at", "le": "2020-01-01T00:00:00Z"}, False),
        ({"field": "who.locale", "eq": "en"}, True),
        ({"field": "external_ref", "present": True}, True),
        ({"field": "lines", "present": False}, False),
        ({"not": {"field": "status", "eq": "PLACED"}}, False),
        ({"any": [{"field": "status", "eq": "SHIPPED"}, {"field": "currency", "eq": "EUR"}]}, True),
    ],
)
def test_operators_mean_what_they_say(condition: dict[str, Any], expected: bool) -> None:
    """Each operator compares the field with a value of the field's own type."""
    assert holds(condition) is expected


def test_all_conditions_must_hold() -> None:
    """A list of conditions is a conjunction, and an empty one is always true."""
    assert holds({"field": "status", "eq": "PLACED"}, {"field": "currency", "eq": "EUR"})
    assert not holds({"field": "status", "eq": "PLACED"}, {"field": "currency", "eq": "USD"})
    assert holds()


def test_a_missing_value_satisfies_no_comparison() -> None:
    """What is not there is not greater, not equal and not present."""
    guest = ORDER.model_copy(update={"who": WHO.model_copy(update={"locale": None}), "total": Decimal(0)})
    assert not holds({"field": "who.locale", "eq": "en"}, order=guest)
    assert holds({"field": "who.locale", "present": False}, order=guest)


@pytest.mark.parametrize(
    ("condition", "place", "says"),
    [
        ({"field": "stauts", "eq": "PLACED"}, ("when", 0, "field"), "no field 'stauts'"),
        ({"field": "who.mail", "eq": "x"}, ("when", 0, "field"), "email"),
        ({"field": "status", "eq": "PLACD"}, ("when", 0, "eq"), "PLACD"),
        ({"field": "total", "gt": "much"}, ("when", 0, "gt"), "much"),
        ({"field": "number", "gt": "1"}, ("when", 0, "gt"), "number or a time"),
        ({"field": "status"}, ("when", 0), "exactly one"),
        ({"field": "status", "eq": "PLACED", "ne": "SHIPPED"}, ("when", 0), "exactly one"),
        ({"not": {"field": "stauts", "eq": "x"}}, ("when", 0, "not", "field"), "stauts"),
        ({"any": [{"field": "stauts", "eq": "x"}]}, ("when", 0, "any", 0, "field"), "stauts"),
    ],
)
def test_what_cannot_work_is_a_problem_with_its_place(
    condition: dict[str, Any], place: tuple[str | int, ...], says: str
) -> None:
    """A wrong field, value or operator is found when the rule is compiled, with the path to it."""
    with pytest.raises(Problem) as found:
        holds(condition)
    assert found.value.location == place
    assert says in found.value.message


def test_conditions_that_exclude_each_other_are_a_problem() -> None:
    """A rule that can never apply is a mistake, not a quiet one."""
    with pytest.raises(Problem, match="never be true"):
        holds({"field": "status", "eq": "PLACED"}, {"field": "status", "in": ["SHIPPED", "COMPLETED"]})


def test_reading_tells_the_type_behind_an_optional_field() -> None:
    """Optional and nested fields are read with the type they hold."""
    read, kind = reader(Order, "status", ())
    assert (read(ORDER), kind) == (OrderStatus.PLACED, OrderStatus)
    assert reader(Order, "external_ref", ())[1] is str
