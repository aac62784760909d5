"""Says, without a registry, whether data of one schema can be read with another, and if not, which field is why.

Stricter than Avro's own resolution in one point: types whose logical meaning differs (a scale, milliseconds against
microseconds) do not match, because Avro would read them into wrong values without an error.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

LEVELS = ("NONE", "BACKWARD", "FORWARD", "FULL", "BACKWARD_TRANSITIVE", "FORWARD_TRANSITIVE", "FULL_TRANSITIVE")
FULL_TRANSITIVE = "FULL_TRANSITIVE"

_PROMOTIONS = {
    "int": {"long", "float", "double"},
    "long": {"float", "double"},
    "float": {"double"},
    "string": {"bytes"},
    "bytes": {"string"},
}
_MEANING = ("logicalType", "precision", "scale")


def full_name(schema: Mapping[str, Any], namespace: str = "") -> str:
    """The full name of a named type's definition."""
    name: str = schema["name"]
    space = schema.get("namespace", namespace)
    return name if "." in name or not space else f"{space}.{name}"


def _index(schema: Any, namespace: str, found: dict[str, Any]) -> dict[str, Any]:
    """Every named type that a document defines, by full name."""
    match schema:
        case list():
            for branch in schema:
                _index(branch, namespace, found)
        case {"type": "record" | "enum" | "fixed"}:
            name = full_name(schema, namespace)
            found[name] = schema
            for part in schema.get("fields", ()):
                _index(part["type"], name.rpartition(".")[0], found)
        case {"type": "array", "items": inner} | {"type": "map", "values": inner} | {"type": list() | dict() as inner}:
            _index(inner, namespace, found)
        case _:
            pass
    return found


@dataclass
class _Check:
    """One reader against one writer. `seen` ends the walk where types repeat."""

    reader_types: dict[str, Any]
    writer_types: dict[str, Any]
    seen: set[tuple[str, str]] = field(default_factory=set)

    def problems(self, reader: Any, writer: Any, path: str, spaces: tuple[str, str]) -> list[str]:
        reader = _resolve(reader, self.reader_types, spaces[0])
        writer = _resolve(writer, self.writer_types, spaces[1])
        if isinstance(writer, list):
            return [line for branch in writer for line in self.problems(reader, branch, path, spaces)]
        if isinstance(reader, list):
            tries = [self.problems(branch, writer, path, spaces) for branch in reader]
            # The branch of the same type says best what is wrong; without one the whole union is.
            alike = [found for branch, found in zip(reader, tries, strict=True) if self._alike(branch, writer, spaces)]
            return min(alike, key=len) if alike else min(tries, key=len, default=[f"{path}: the union is empty"])
        kind, written = _kind(reader), _kind(writer)
        if kind != written:
            fits = kind in _PROMOTIONS.get(written, ()) and not _meaning(reader) and not _meaning(writer)
            return [] if fits else [f"{path}: {written} cannot be read as {kind}"]
        if _meaning(reader) != _meaning(writer):
            return [f"{path}: {_describe(writer)} cannot be read as {_describe(reader)}"]
        return self._complex(kind, reader, writer, path, spaces)

    def _alike(self, branch: Any, writer: Any, spaces: tuple[str, str]) -> bool:
        return _kind(_resolve(branch, self.reader_types, spaces[0])) == _kind(writer)

    def _complex(self, kind: str, reader: Any, writer: Any, path: str, spaces: tuple[str, str]) -> list[str]:
        if kind in ("array", "map"):
            inner = "items" if kind == "array" else "values"
            return self.problems(reader[inner], writer[inner], f"{path}[]", spaces)
        if kind not in ("record", "enum", "fixed"):
            return []
        names = (full_name(reader, spaces[0]), full_name(writer, spaces[1]))
        if names[0] != names[1]:
            return [f"{path}: {names[1]} cannot be read as {names[0]}"]
        if names in self.seen:
            return []
        self.seen.add(names)
        if kind == "fixed":
            return [] if reader["size"] == writer["size"] else [f"{path}: the size of {names[0]} differs"]
        if kind == "enum":
            return _enum_problems(reader, writer, path)
        return self._record(reader, writer, path, (names[0].rpartition(".")[0], names[1].rpartition(".")[0]))

    def _record(self, reader: Any, writer: Any, path: str, spaces: tuple[str, str]) -> list[str]:
        written = {part["name"]: part for part in writer["fields"]}
        found: list[str] = []
        for part in reader["fields"]:
            where = f"{path}.{part['name']}" if path else part["name"]
            if part["name"] in written:
                found += self.problems(part["type"], written[part["name"]]["type"], where, spaces)
            elif "default" not in part:
                found.append(f"{where}: is not in every version and has no default")
        return found


def _resolve(schema: Any, known: Mapping[str, Any], namespace: str) -> Any:
    if isinstance(schema, str):
        return known.get(schema) or known.get(f"{namespace}.{schema}") or schema
    nested = isinstance(schema, dict) and isinstance(schema["type"], dict | list)
    return schema["type"] if nested else schema


def _kind(schema: Any) -> str:
    return str(schema["type"] if isinstance(schema, dict) else schema)


def _meaning(schema: Any) -> dict[str, Any]:
    return {key: schema[key] for key in _MEANING if key in schema} if isinstance(schema, dict) else {}


def _describe(schema: Any) -> str:
    return " ".join([_kind(schema), *(f"{key} {value}" for key, value in _meaning(schema).items())])


def _enum_problems(reader: Any, writer: Any, path: str) -> list[str]:
    missing = [symbol for symbol in writer["symbols"] if symbol not in reader["symbols"]]
    if not missing or reader.get("default") in reader["symbols"]:
        return []
    return [f"{path}: {', '.join(missing)} cannot be read as {reader['name']}, which has no default"]


def unreadable(reader: Any, writer: Any) -> list[str]:
    """Why data of `writer` cannot be read with `reader`, one line per field; empty when it can."""
    check = _Check(_index(reader, "", {}), _index(writer, "", {}))
    return check.problems(reader, writer, "", ("", ""))


def problems(schema: Any, versions: Iterable[tuple[str, Any]], level: str = FULL_TRANSITIVE) -> list[str]:
    """Why `schema` may not follow `versions` (label and schema, oldest first) under a compatibility level."""
    older = list(versions)
    older = older if level.endswith("_TRANSITIVE") else older[-1:]
    found: list[str] = []
    for label, version in older:
        if level.startswith(("BACKWARD", "FULL")):
            found += [f"cannot read {label}: {line}" for line in unreadable(schema, version)]
        if level.startswith(("FORWARD", "FULL")):
            found += [f"cannot be read by {label}: {line}" for line in unreadable(version, schema)]
    return found
