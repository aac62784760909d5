"""Golden cases can fail, and say why."""

from typing import Any

import pytest
from pydantic import ValidationError

from streams.core.cases import Case, differences, fact_of, parse, run
from streams.core.policy import Policy
from streams.core.predicate import Problem
from tests.core.given import at

GOOD: dict[str, Any] = {
    "id": "confirmed",
    "says": "An order is confirmed.",
    "events": [{"at": 0, "order": {}}],
    "expect": {
        "deliveries": [{"at": 120, "type": "order_confirmation", "channel": "EMAIL", "shows": ["4711"]}],
        "decisions": ["0 order_confirmation hold(grace)", "120 order_confirmation send"],
    },
}


def found(policy: Policy, **changes: Any) -> tuple[str, ...]:
    """What is wrong with the example case after changes."""
    (case,) = parse([GOOD | changes], ("thing", "cases.yaml"))
    return differences(case, run(policy, case))


def expecting(deliveries: list[Any], decisions: list[str]) -> dict[str, Any]:
    """An expectation."""
    return {"expect": {"deliveries": deliveries, "decisions": decisions}}


def test_a_case_that_holds_has_no_differences(policy: Policy) -> None:
    """What happens as expected is silent."""
    assert found(policy) == ()


@pytest.mark.parametrize(
    ("delivery", "says"),
    [
        ({"at": 121}, "missing delivery: 121"),
        ({"channel": "SMS"}, "missing delivery: 120 order_confirmation SMS"),
        ({"rung": 1}, "rung 1"),
        ({"shows": ["4712"]}, "does not show '4712'"),
    ],
)
def test_a_wrong_delivery_is_told(policy: Policy, delivery: dict[str, Any], says: str) -> None:
    """Time, channel, rung and text of a delivery are all compared."""
    wanted = GOOD["expect"]["deliveries"][0] | delivery
    assert any(says in line for line in found(policy, **expecting([wanted], GOOD["expect"]["decisions"])))


def test_missing_and_surplus_decisions_are_told(policy: Policy) -> None:
    """Every decision must be expected and every expected one made."""
    deliveries = GOOD["expect"]["deliveries"]
    lines = found(policy, **expecting(deliveries, ["0 order_confirmation send"]))
    assert "missing decision: 0 order_confirmation send" in lines
    assert "unexpected decision: 120 order_confirmation send" in lines


def test_the_number_and_order_of_decisions_count(policy: Policy) -> None:
    """The same lines in another order or number are a difference."""
    deliveries = GOOD["expect"]["deliveries"]
    twisted = list(reversed(GOOD["expect"]["decisions"]))
    assert found(policy, **expecting(deliveries, twisted))
    assert found(policy, **expecting(deliveries * 2, GOOD["expect"]["decisions"]))


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"id": "Not An Id"}, ("id",)),
        ({"events": []}, ("events",)),
        ({"events": [{"at": 0}]}, ("events", 0)),
        ({"events": [{"at": 0, "order": {}, "cart": {}}]}, ("events", 0)),
        ({"events": [{"at": 0, "repeat": 0}]}, ("events", 0, "repeat")),
        ({"expected": {}}, ("expected",)),
    ],
)
def test_a_case_that_cannot_be_read_is_a_problem_with_its_place(
    changes: dict[str, Any], place: tuple[Any, ...]
) -> None:
    """A mistake in a case is named with the keys that lead to it."""
    with pytest.raises(Problem) as problem:
        parse([GOOD, GOOD | changes], ("thing", "cases.yaml"))
    assert problem.value.location == ("thing", "cases.yaml", 1, *place)


@pytest.mark.parametrize(
    "event",
    [
        {"at": 0, "order": {"status": "LOST"}},
        {"at": 0, "feedback": {"type": "order_confirmation", "channel": "EMAIL", "state": "DELIVERED"}},
    ],
)
def test_an_event_that_cannot_happen_is_a_problem(policy: Policy, event: dict[str, Any]) -> None:
    """A fact the models do not allow, or a receipt for what never left, stops the case with its place."""
    (case,) = parse([GOOD | {"events": [event]}], ("thing", "cases.yaml"))
    with pytest.raises(Problem) as problem:
        run(policy, case)
    assert problem.value.location[:3] == ("confirmed", "events", 0)


def test_facts_are_changes_to_the_examples() -> None:
    """Numbers are seconds after the start, nested parts are merged, everything else is replaced."""
    order = fact_of("order", {"placed_at": -10, "who": {"email": None}, "total": "5"}, 7, "e")
    raw = order.model_dump()
    assert (raw["placed_at"], raw["changed_at"], raw["source"]["collected_at"]) == (at(-10), at(7), at(7))
    assert (raw["who"]["email"], raw["who"]["name"], str(raw["total"])) == (None, "Ada Example", "5.0000")
    with pytest.raises(ValidationError):
        fact_of("order", {"colour": "red"}, 0, "e")


def test_a_case_says_what_it_promises() -> None:
    """A case without a sentence is not a case."""
    with pytest.raises(ValidationError):
        Case.model_validate(GOOD | {"says": ""})
