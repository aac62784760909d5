"""Every schema of ours by full name, self-contained, as it goes to a registry.

The .avsc files hold one named type each, so that a shared type is written once; a registry wants one document per
subject, so the first mention of a type is replaced by its definition here.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from streams.errors import Misconfigured

FAMILIES = ("commerce", "flow", "communication", "delivery")
SUFFIX = ".avsc"


def read(entry: Traversable) -> dict[str, Any]:
    """The content of one .avsc file."""
    try:
        content: dict[str, Any] = json.loads(entry.read_text("utf-8"))
    except ValueError as error:
        raise Misconfigured("bad_schema_file", f"{entry.name} is not JSON: {error}") from error
    return content


def load(root: Traversable) -> dict[str, dict[str, Any]]:
    """The content of every .avsc file below `root` by full name, in order of family, then name."""
    entries = [entry for family in FAMILIES for entry in sorted(root.joinpath(family).iterdir(), key=lambda e: e.name)]
    return {entry.name.removesuffix(SUFFIX): read(entry) for entry in entries if entry.name.endswith(SUFFIX)}


@cache
def definitions() -> dict[str, dict[str, Any]]:
    """Every named type of ours by full name. Treat it as read-only: it is shared."""
    return load(files("schemas"))


@cache
def published() -> dict[str, dict[int, dict[str, Any]]]:
    """Every released version of every top-level record, by full name and version number."""
    found: dict[str, dict[int, dict[str, Any]]] = {}
    for folder in sorted(files("schemas").joinpath("published").iterdir(), key=lambda entry: entry.name):
        files_of = [entry for entry in folder.iterdir() if entry.name.endswith(SUFFIX)]
        versions = {int(entry.name.removesuffix(SUFFIX).removeprefix("v")): read(entry) for entry in files_of}
        found[folder.name] = dict(sorted(versions.items()))
    return found


def family_of(full_name: str) -> str:
    """The family of a full name, which is its folder and its module."""
    return full_name.rpartition(".")[0].rpartition(".")[2]


def file_of(full_name: str) -> str:
    """The path of its .avsc file below the schemas package."""
    return f"{family_of(full_name)}/{full_name}{SUFFIX}"


def references(schema: Any, known: Mapping[str, Any]) -> set[str]:
    """Full names of `known` that a definition mentions."""
    match schema:
        case str():
            return {schema} & known.keys()
        case list():
            return set().union(*(references(branch, known) for branch in schema))
        case {"type": "record", "fields": fields}:
            return set().union(*(references(field["type"], known) for field in fields))
        case {"type": "array", "items": inner} | {"type": "map", "values": inner}:
            return references(inner, known)
        case _:
            return set()


def inline(schema: Any, known: dict[str, dict[str, Any]], seen: set[str]) -> Any:
    """`schema` with the first mention of each known type replaced by its definition; `seen` collects their names."""
    match schema:
        case str() if schema in known and schema not in seen:
            return inline(known[schema], known, seen)
        case list():
            return [inline(branch, known, seen) for branch in schema]
        case {"type": "record" | "enum"}:
            seen.add(f"{schema['namespace']}.{schema['name']}")
            fields = [{**field, "type": inline(field["type"], known, seen)} for field in schema.get("fields", ())]
            return {**schema, "fields": fields} if fields else schema
        case {"type": "array"}:
            return {**schema, "items": inline(schema["items"], known, seen)}
        case {"type": "map"}:
            return {**schema, "values": inline(schema["values"], known, seen)}
        case _:
            return schema


@cache
def self_contained(full_name: str) -> dict[str, Any]:
    """One document that needs no other. Treat it as read-only: it is shared."""
    result: dict[str, Any] = inline(full_name, definitions(), set())
    return result


@cache
def text(full_name: str) -> str:
    """The self-contained schema as the JSON text that is registered and looked up."""
    return as_text(self_contained(full_name))


def as_text(schema: Any) -> str:
    """The one way a schema is written as JSON for a registry, docs included."""
    return json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
