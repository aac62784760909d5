"""Writes the Pydantic models from the Avro schemas: one module per family, the same text for the same schemas.

It knows the closed subset of Avro that `schemas.lint` lets in and refuses anything else, so a model never promises
less than its schema.
"""

import json
import re
import textwrap
from graphlib import TopologicalSorter
from itertools import groupby
from operator import itemgetter
from typing import Any

from schemas.catalog import FAMILIES, definitions, family_of, references
from streams.errors import Misconfigured

WIDTH = 120
NOTICE = "Generated from the .avsc files by `tidings schemas generate`; never edit."
PRIMITIVES = {"string": "str", "boolean": "bool", "bytes": "bytes", "int": "Int", "long": "Long"}
LOGICAL = {"decimal": "Money", "timestamp-millis": "Timestamp"}
DEFAULTS = {"null": "None", "[]": "()", "{}": "Field(default_factory=dict)"}
VALUES = ("Int", "Long", "Money", "Record", "Strings", "Timestamp")


def short(full_name: str) -> str:
    """The class name of a full name."""
    return full_name.rpartition(".")[2]


def python_type(schema: Any) -> str:
    """The annotation for a schema."""
    match schema:
        case str() if schema in PRIMITIVES:
            return PRIMITIVES[schema]
        case str() if schema in definitions():
            return short(schema)
        case ["null", inner]:
            return f"{python_type(inner)} | None"
        case {"logicalType": logical} if logical in LOGICAL:
            return LOGICAL[logical]
        case {"type": "array", "items": inner}:
            return f"tuple[{python_type(inner)}, ...]"
        case {"type": "map", "values": "string"}:
            return "Strings"
        case _:
            raise Misconfigured("bad_schema", f"no model type for {schema!r}; run `tidings schemas lint`")


def docstring(text: str, indent: str) -> list[str]:
    """A doc as a docstring within the line length. It ends with a full stop, so never with a quote."""
    quoted = '"""' + text.replace("\\", "\\\\")
    lines = textwrap.wrap(quoted, WIDTH - len(indent) - 3, break_long_words=False, break_on_hyphens=False)
    lines[-1] += '"""'
    return [indent + line for line in lines]


def field_lines(field: dict[str, Any]) -> list[str]:
    """One attribute, its default and its doc."""
    default = f" = {DEFAULTS[json.dumps(field['default'])]}" if "default" in field else ""
    return [f"    {field['name']}: {python_type(field['type'])}{default}", *docstring(field["doc"], "    ")]


def class_lines(full_name: str, schema: dict[str, Any]) -> list[str]:
    """One class."""
    base = "StrEnum" if schema["type"] == "enum" else "Record"
    head = ["", "", f"class {schema['name']}({base}):", *docstring(schema["doc"], "    "), ""]
    if base == "StrEnum":
        return [*head, *(f'    {symbol} = "{symbol}"' for symbol in schema["symbols"])]
    fields = [line for field in schema["fields"] for line in field_lines(field)]
    return [*head, f'    avro_name: ClassVar[str] = "{full_name}"', "", *fields]


def import_lines(names: list[str], body: str) -> list[str]:
    """What the classes of a module need."""
    known = definitions()
    lines = ["from enum import StrEnum"] if any(known[name]["type"] == "enum" for name in names) else []
    lines += ["from typing import ClassVar", ""]
    lines += ["from pydantic import Field", ""] if "Field(" in body else []
    foreign = set().union(*(references(known[name], known) for name in names)) - set(names)
    for other, wanted in groupby(sorted(foreign), key=family_of):
        lines.append(f"from schemas.models.{other} import {', '.join(map(short, wanted))}")
    words = re.findall(r"\w+", " ".join(re.findall(r"^(?:class|    \w+:) .*$", body, re.MULTILINE)))
    used = [value for value in VALUES if value in words]
    return [*lines, f"from schemas.values import {', '.join(used)}"]


def module(family: str) -> str:
    """The module of one family."""
    known = {name: schema for name, schema in definitions().items() if family_of(name) == family}
    graph = {name: sorted(references(schema, known) & known.keys()) for name, schema in known.items()}
    names = list(TopologicalSorter(graph).static_order())
    body = [line for name in names for line in class_lines(name, known[name])]
    head = [f'"""Models of the {family} family. {NOTICE}"""', "", *import_lines(names, "\n".join(body))]
    return "\n".join([*head, *body]) + "\n"


def package() -> str:
    """The module that re-exports every class."""
    lines = [f'"""All models. {NOTICE}"""', ""]
    everything = sorted((family_of(name), short(name)) for name in definitions())
    for family, names in groupby(everything, key=itemgetter(0)):
        lines += [f"from schemas.models.{family} import (", *(f"    {name}," for _, name in names), ")"]
    lines += ["", "__all__ = [", *(f'    "{name}",' for name in sorted(name for _, name in everything)), "]"]
    return "\n".join(lines) + "\n"


def modules() -> dict[str, str]:
    """Every generated file by its path below the schemas package."""
    generated = {f"models/{family}.py": module(family) for family in FAMILIES}
    return {"models/__init__.py": package(), **generated}
