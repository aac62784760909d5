"""A schema that is undocumented or outside the agreed subset is named with file and field."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from schemas import catalog, lint
from tests.schemas.examples import field_of

ORDER = "tidings.commerce.Order"
STATUS = "tidings.commerce.OrderStatus"
Change = Callable[[dict[str, Any]], object]

CHANGES: dict[str, tuple[str, Change, str, str]] = {
    "record without doc": (ORDER, lambda s: s.pop("doc"), "", "no doc"),
    "field without doc": (ORDER, lambda s: field_of(s, "number").pop("doc"), "number", "no doc"),
    "enum without doc": (STATUS, lambda s: s.pop("doc"), "", "no doc"),
    "doc that is no sentence": (ORDER, lambda s: s.update(doc="order"), "", "no sentence"),
    "enum without default": (STATUS, lambda s: s.pop("default"), "", "UNKNOWN"),
    "enum without UNKNOWN": (STATUS, lambda s: s["symbols"].remove("UNKNOWN"), "", "UNKNOWN"),
    "symbol in lower case": (STATUS, lambda s: s["symbols"].append("returned"), "returned", "UPPER_CASE"),
    "field in camel case": (ORDER, lambda s: field_of(s, "number").update(name="orderNo"), "orderNo", "snake_case"),
    "type in snake case": (ORDER, lambda s: s.update(name="order"), "", "CamelCase"),
    "name of another file": (ORDER, lambda s: s.update(name="Cart"), "", "named like"),
    "moment as a plain number": (ORDER, lambda s: field_of(s, "placed_at").update(type="long"), "placed_at", "moment"),
    "amount as text": (ORDER, lambda s: field_of(s, "total").update(type="string"), "total", "decimal"),
    "amount of another scale": (ORDER, lambda s: field_of(s, "total")["type"].update(scale=2), "total", "scale 4"),
    "binary fraction": (ORDER, lambda s: field_of(s, "number").update(type="double"), "number", "fraction"),
    "unknown type": (ORDER, lambda s: field_of(s, "who").update(type="tidings.commerce.Whom"), "who", "full name"),
    "type inside a field": (ORDER, lambda s: field_of(s, "who").update(type={"type": "record"}), "who", "own file"),
    "union of two": (ORDER, lambda s: field_of(s, "number").update(type=["string", "long"]), "number", "null"),
    "map of numbers": (
        ORDER,
        lambda s: field_of(s, "number").update(type={"type": "map", "values": "long"}),
        "number",
        "map",
    ),
    "optional without default": (ORDER, lambda s: field_of(s, "external_ref").pop("default"), "external_ref", "null"),
    "list without default": (ORDER, lambda s: field_of(s, "lines").pop("default"), "lines", "[]"),
    "text with default": (ORDER, lambda s: field_of(s, "number").update(default=""), "number", "default"),
    "alias": (ORDER, lambda s: field_of(s, "number").update(aliases=["no"]), "number", "aliases"),
    "fixed": (ORDER, lambda s: s.update(type="fixed"), "", "one record or enum"),
    "cycle": (
        "tidings.commerce.Who",
        lambda s: field_of(s, "name").update(type=["null", "tidings.commerce.Order"]),
        "",
        "contains itself",
    ),
}


def test_our_schemas_are_clean() -> None:
    """Every record, field and enum of ours is documented and within the subset."""
    assert lint.check(catalog.definitions()) == []


@pytest.mark.parametrize(("full_name", "change", "path", "says"), CHANGES.values(), ids=CHANGES.keys())
def test_what_is_wrong_is_named(full_name: str, change: Change, path: str, says: str) -> None:
    """A problem tells the file, the field and what to write instead."""
    definitions = copy.deepcopy(catalog.definitions())
    change(definitions[full_name])
    found = [problem for problem in lint.check(definitions) if says in problem.message]
    assert found
    assert any(problem.path == path for problem in found)
    assert all(str(problem).startswith("commerce/tidings.commerce.") for problem in found)
