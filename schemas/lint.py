"""Holds the schemas to being documented and to the subset of Avro that models, registries and foreign readers share.

Every problem names the file and the field, and says what to write instead.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from schemas.catalog import file_of, references
from schemas.values import MONEY_PRECISION, MONEY_SCALE

PLAIN = ("string", "boolean", "bytes", "int", "long")
KEYS = {
    "record": {"type", "name", "namespace", "doc", "fields"},
    "enum": {"type", "name", "namespace", "doc", "symbols", "default"},
    "field": {"name", "type", "default", "doc"},
}
MONEY = {"type": "bytes", "logicalType": "decimal", "precision": MONEY_PRECISION, "scale": MONEY_SCALE}
TIMESTAMP = {"type": "long", "logicalType": "timestamp-millis"}

_NAME = re.compile(r"[A-Z][A-Za-z0-9]*")
_FIELD = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_SYMBOL = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
_MOMENT = re.compile(r"(.+_)?(at|until|after|before)")
_AMOUNT = re.compile(r"(.+_)?(price|total|subtotal|tax|discount|amount)")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong and where: `path` is the field, or empty for the type itself."""

    file: str
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}: {self.path + ': ' if self.path else ''}{self.message}"


def check(definitions: Mapping[str, Mapping[str, Any]]) -> list[Problem]:
    """Every problem of the given named types, by full name as the file says it."""
    found: list[Problem] = []
    for name, schema in definitions.items():
        found += [Problem(file_of(name), path, message) for path, message in _named(name, schema, definitions)]
    try:
        TopologicalSorter({name: references(schema, definitions) for name, schema in definitions.items()}).prepare()
    except CycleError as error:
        found.append(Problem(file_of(error.args[1][0]), "", f"contains itself: {' -> '.join(error.args[1])}"))
    return found


def _named(name: str, schema: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Problems of one file, as path and message."""
    kind = schema.get("type")
    if kind not in ("record", "enum"):
        yield "", f"a file holds one record or enum, not {kind!r}"
        return
    if f"{schema.get('namespace')}.{schema.get('name')}" != name:
        yield "", "the file is not named like the type: <namespace>.<name>.avsc"
    if not _NAME.fullmatch(str(schema.get("name"))):
        yield "", "a type is named in CamelCase"
    yield from _common(kind, "", schema)
    if kind == "enum":
        yield from _enum(schema)
        return
    for field in schema.get("fields", ()):
        yield from _field(field, known)


def _common(kind: str, path: str, part: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    doc = str(part.get("doc", ""))
    if not doc.endswith("."):
        yield path, "has no doc" if not doc else "the doc is no sentence: it ends without a full stop"
    if extra := sorted(part.keys() - KEYS[kind]):
        yield path, f"{', '.join(extra)}: not used here, because not every reader respects it"


def _enum(schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    symbols = schema.get("symbols", ())
    if schema.get("default") != "UNKNOWN" or "UNKNOWN" not in symbols:
        yield "", 'an enum has the symbol UNKNOWN and "default": "UNKNOWN", so that older readers survive a new symbol'
    for symbol in symbols:
        if not _SYMBOL.fullmatch(symbol):
            yield symbol, "a symbol is written in UPPER_CASE"


def _field(field: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    name, schema = str(field.get("name")), field.get("type")
    if not _FIELD.fullmatch(name):
        yield name, "a field is written in snake_case"
    yield from _common("field", name, field)
    inner = schema[1] if isinstance(schema, list) and len(schema) == 2 else schema
    if problem := _type_problem(inner, known):
        yield name, problem
    if _MOMENT.fullmatch(name) and inner != TIMESTAMP:
        yield name, "a moment is a long with logicalType timestamp-millis"
    if _AMOUNT.fullmatch(name) and inner != MONEY:
        yield name, f"an amount is bytes with logicalType decimal, precision {MONEY_PRECISION}, scale {MONEY_SCALE}"
    if problem := _default_problem(schema, field):
        yield name, problem


def _type_problem(schema: Any, known: Mapping[str, Any]) -> str:
    match schema:
        case str() if schema in PLAIN or schema in known:
            return ""
        case {"type": "array", "items": items}:
            return _type_problem(items, known)
        case {"type": "map", "values": "string"}:
            return ""
        case dict() if schema in (MONEY, TIMESTAMP):
            return ""
        case "float" | "double":
            return "a binary fraction cannot hold most decimal ones: use a decimal or whole units"
        case str():
            return f"{schema} is neither a plain type nor the full name of a file"
        case {"type": "record" | "enum" | "fixed"}:
            return "a named type has its own file"
        case _:
            return 'use a plain type, a full name, ["null", type], an array, a map of strings, a timestamp or an amount'


def _default_problem(schema: Any, field: Mapping[str, Any]) -> str:
    missing = object()
    default = field.get("default", missing)
    match schema:
        case list():
            right = len(schema) == 2 and schema[0] == "null" and default is None
            return "" if right else 'an optional field is ["null", type] with "default": null'
        case {"type": "array"}:
            return "" if default == [] else 'a list has "default": []'
        case {"type": "map"}:
            return "" if default == {} else 'a map has "default": {}'
        case _:
            return "" if default is missing else "only an optional field, a list or a map has a default"
