"""A schema that would lock out a reader or a record already written does not get through."""

from collections.abc import Callable
from typing import Any

import pytest
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.schema import parse

from schemas import catalog, commands, compat
from tests.schemas.examples import field_of, schema_of

ORDER = "tidings.commerce.Order"
Change = Callable[[dict[str, Any]], object]


def nickname(**more: Any) -> dict[str, Any]:
    return {"name": "nickname", "type": "string", "doc": "What friends say.", **more}


def drop(path: str) -> Change:
    def change(schema: dict[str, Any]) -> None:
        parent, _, name = path.rpartition(".")
        fields = (field_of(schema, parent)["type"] if parent else schema)["fields"]
        fields.remove(next(field for field in fields if field["name"] == name))

    return change


def retype(path: str, to: Any) -> Change:
    return lambda schema: field_of(schema, path).update(type=to)


COMPATIBLE: dict[str, Change] = {
    "nothing": lambda schema: None,
    "a doc": lambda schema: schema.update(doc="Another."),
    "a field with default": lambda schema: schema["fields"].append(nickname(default="")),
    "a field with default inside": lambda schema: field_of(schema, "who")["type"]["fields"].append(
        nickname(default="")
    ),
    "an optional field less": drop("external_ref"),
    "another order": lambda schema: schema["fields"].reverse(),
    "a symbol": lambda schema: field_of(schema, "status")["type"]["symbols"].append("RETURNED"),
    "a symbol less": lambda schema: field_of(schema, "status")["type"]["symbols"].remove("ON_HOLD"),
}
INCOMPATIBLE: dict[str, tuple[Change, str]] = {
    "a field less": (drop("number"), "number"),
    "a field less inside": (drop("who.tenant"), "who.tenant"),
    "a field without default": (lambda schema: schema["fields"].append(nickname()), "nickname"),
    "a renamed field": (lambda schema: field_of(schema, "number").update(name="no"), "number"),
    "another type": (retype("number", "long"), "number"),
    "a wider type": (
        lambda schema: field_of(schema, "lines")["type"]["items"]["fields"][4].update(type="double"),
        "lines",
    ),
    "an optional field made mandatory": (retype("external_ref", "string"), "external_ref"),
    "a mandatory field made optional": (retype("number", ["null", "string"]), "number"),
    "a list of something else": (retype("lines", {"type": "array", "items": "string"}), "lines"),
    "a list made a map": (retype("lines", {"type": "map", "values": "string"}), "lines"),
    "another record": (lambda schema: field_of(schema, "source")["type"].update(name="Origin"), "source"),
    "a fixed size": (retype("number", {"type": "fixed", "name": "Number", "size": 8}), "number"),
    "an enum without default": (
        lambda schema: (
            field_of(schema, "status")["type"].pop("default"),
            field_of(schema, "status")["type"]["symbols"].remove("ON_HOLD"),
        ),
        "status",
    ),
}
# Avro itself would read these, into wrong values.
TREACHEROUS: dict[str, Change] = {
    "another scale": lambda schema: field_of(schema, "total")["type"].update(scale=2),
    "microseconds": lambda schema: field_of(schema, "placed_at")["type"].update(logicalType="timestamp-micros"),
    "a bare number": retype("placed_at", "long"),
}


def changed(change: Change) -> tuple[dict[str, Any], dict[str, Any]]:
    """The order's schema before and after a change."""
    schema = schema_of(ORDER)
    change(schema)
    return schema_of(ORDER), schema


def referee(reader: dict[str, Any], writer: dict[str, Any]) -> bool:
    """What Apache Avro says."""
    checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]
    result = checker.get_compatibility(parse(catalog.as_text(reader)), parse(catalog.as_text(writer)))
    return result.compatibility is SchemaCompatibilityType.compatible


@pytest.mark.parametrize("change", COMPATIBLE.values(), ids=COMPATIBLE.keys())
def test_a_harmless_change_passes(change: Change) -> None:
    """A schema may grow and shrink wherever a default fills the gap."""
    old, new = changed(change)
    assert compat.problems(new, [("v1", old)]) == []
    assert referee(old, new)
    assert referee(new, old)


@pytest.mark.parametrize(("change", "path"), INCOMPATIBLE.values(), ids=INCOMPATIBLE.keys())
def test_a_harmful_change_is_caught(change: Change, path: str) -> None:
    """A change that some reader cannot follow is refused, naming the field."""
    old, new = changed(change)
    found = compat.problems(new, [("v1", old)])
    assert any(f"v1: {path}" in line for line in found), found
    assert not (referee(old, new) and referee(new, old))


@pytest.mark.parametrize("change", TREACHEROUS.values(), ids=TREACHEROUS.keys())
def test_a_change_of_meaning_is_caught(change: Change) -> None:
    """A change after which the same bytes mean something else is refused, although Avro allows it."""
    old, new = changed(change)
    assert len(compat.problems(new, [("v1", old)])) == 2
    assert referee(old, new)


@pytest.mark.parametrize("reader", ["int", "long", "float", "double", "string", "bytes", "boolean", ["null", "long"]])
@pytest.mark.parametrize("writer", ["int", "long", "float", "double", "string", "bytes", "boolean", ["int", "long"]])
def test_plain_types_follow_avro(reader: Any, writer: Any) -> None:
    """Between plain types the answer is Apache Avro's."""

    def record(kind: Any) -> dict[str, Any]:
        return {"type": "record", "name": "R", "fields": [{"name": "f", "type": kind}]}

    assert (compat.unreadable(record(reader), record(writer)) == []) == referee(record(reader), record(writer))


def test_every_version_counts() -> None:
    """A reader of the oldest version is not forgotten when a later one was compatible with both."""
    oldest, newest = changed(drop("external_ref"))
    middle = schema_of(ORDER)
    oldest["fields"][1] = {**oldest["fields"][1], "type": ["null", "long"]}
    assert compat.problems(newest, [("v1", oldest), ("v2", middle)]) == []
    assert compat.problems(middle, [("v1", oldest), ("v2", newest)]) != []


@pytest.mark.parametrize(
    ("level", "adding", "removing"),
    [("NONE", 0, 0), ("BACKWARD", 1, 0), ("FORWARD", 0, 1), ("FULL", 1, 1), ("FULL_TRANSITIVE", 1, 1)],
)
def test_a_level_says_who_must_be_able_to_read(level: str, adding: int, removing: int) -> None:
    """The levels mean what they mean in Confluent's registry."""
    old, added = changed(lambda schema: schema["fields"].append(nickname()))
    assert len(compat.problems(added, [("v1", old)], level)) == adding
    assert len(compat.problems(old, [("v1", added)], level)) == removing


def test_a_type_within_itself_is_checked_once() -> None:
    """A foreign schema may be recursive."""
    tree = {
        "type": "record",
        "name": "Tree",
        "fields": [{"name": "children", "type": {"type": "array", "items": "Tree"}}],
    }
    assert compat.unreadable(tree, tree) == []


def test_our_schemas_stand_beside_all_their_versions() -> None:
    """No schema in this tree locks out a reader or a record of any release."""
    assert commands.incompatible() == []
