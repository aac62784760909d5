"""What `tidings schemas ...` does, as functions that report instead of printing, so that tests ask the same code.

Topics come as arguments: the table of topics belongs to the flow, not to the schemas.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas import asyncapi, catalog, codegen, compat
from schemas import lint as linter
from schemas.asyncapi import Topic
from schemas.codec import by_topic
from schemas.registry import Registry

ROOT = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Report:
    """`lines` tell what was done or found, `problems` what a person must change; without problems all is well."""

    lines: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def generate(topics: Iterable[Topic], check: bool = False, root: Path = ROOT) -> Report:
    """Writes the models and the AsyncAPI document; with `check`, only says which are not what they would be."""
    if problems := linter.check(catalog.definitions()):
        return Report(problems=tuple(map(str, problems)))
    wanted = {**codegen.modules(), "asyncapi.yaml": asyncapi.text(topics)}
    files = {root / path: text for path, text in wanted.items()}
    stale = [path for path, text in files.items() if not path.exists() or path.read_text("utf-8") != text]
    names = [path.relative_to(root).as_posix() for path in stale]
    if check:
        return Report(problems=tuple(f"{name} is not current; run `tidings schemas generate`" for name in names))
    for path in stale:
        path.parent.mkdir(exist_ok=True)
        path.write_text(files[path], "utf-8")
    return Report(lines=tuple(f"wrote {name}" for name in names))


def lint() -> Report:
    """What the schemas lack in themselves and against every published version."""
    problems = [str(problem) for problem in linter.check(catalog.definitions())]
    # A schema that breaks the rules may not even resolve, and its compatibility says nothing.
    return Report(problems=tuple(problems or incompatible()))


def incompatible() -> list[str]:
    """Why the schemas cannot stand beside their published versions, in both directions."""
    found: list[str] = []
    for name, versions in catalog.published().items():
        if name not in catalog.definitions():
            found.append(f"{catalog.file_of(name)}: was published, but is gone")
            continue
        labelled = [(f"v{number}", schema) for number, schema in versions.items()]
        reasons = compat.problems(catalog.self_contained(name), labelled)
        found += [f"{catalog.file_of(name)}: {reason}" for reason in reasons]
    return found


def diff(topics: Iterable[Topic] = ()) -> Report:
    """What changed since the last published version of each record, field by field."""
    lines: list[str] = []
    for name in sorted({*records(topics), *(catalog.published().keys() & catalog.definitions().keys())}):
        versions = catalog.published().get(name)
        if not versions:
            lines.append(f"{name}: never published")
        elif changes := list(changed(versions[max(versions)], catalog.self_contained(name))):
            lines += [f"{name} since v{max(versions)}:", *(f"  {change}" for change in changes)]
    return Report(lines=tuple(lines))


def publish(registry: Registry, topics: Iterable[Topic], subjects: Callable[[str], str] = by_topic) -> Report:
    """Registers the schema of every topic, or nothing when one of them would be refused."""
    wanted = {subjects(topic.name): catalog.text(topic.schema) for topic in topics if topic.schema}
    missing = {subject: text for subject, text in wanted.items() if registry.lookup(subject, text) is None}
    refused = [f"{subject}: {line}" for subject, text in missing.items() for line in registry.compatible(subject, text)]
    if refused:
        return Report(problems=tuple(refused))
    lines = [f"{subject}: registered as {registry.register(subject, text)}" for subject, text in missing.items()]
    # After registering: Apicurio knows no rule for a subject without versions.
    for subject in wanted:
        registry.set_compatibility(subject, compat.FULL_TRANSITIVE)
    return Report(lines=(*lines, f"{len(wanted) - len(missing)} of {len(wanted)} subjects were up to date"))


def release(topics: Iterable[Topic], root: Path = ROOT) -> Report:
    """Adds a version to schemas/published for every record that changed, unless one of them is incompatible."""
    if problems := lint().problems:
        return Report(problems=problems)
    lines: list[str] = []
    for name in records(topics):
        versions = catalog.published().get(name, {})
        last = max(versions, default=0)
        if last and versions[last] == catalog.self_contained(name):
            continue
        target = root / "published" / name / f"v{last + 1}{catalog.SUFFIX}"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(catalog.self_contained(name), ensure_ascii=False, indent=2) + "\n", "utf-8")
        lines.append(f"released {name} v{last + 1}")
    return Report(lines=tuple(lines))


def records(topics: Iterable[Topic]) -> list[str]:
    """Full names of the records that topics carry, sorted."""
    return sorted({topic.schema for topic in topics if topic.schema})


def changed(old: Any, new: Any) -> Iterator[str]:
    """The differences of two self-contained schemas, one line each."""
    before, after = dict(_flat(old)), dict(_flat(new))
    for path in dict.fromkeys([*before, *after]):
        was, now = before.get(path), after.get(path)
        if was is None or now is None:
            yield f"+ {path}: {now[0]}" if now else f"- {path}: {was[0] if was else ''}"
        elif was[0] != now[0]:
            yield f"~ {path}: {was[0]} -> {now[0]}"
        elif was != now:
            yield f"~ {path}: doc"


def _flat(schema: Any, path: str = "") -> Iterator[tuple[str, tuple[str, str]]]:
    """Path, type and doc of every field, symbol and named type in a document."""
    match schema:
        case {"type": "record", "fields": fields}:
            yield f"{path}<{schema['name']}>", ("record", schema.get("doc", ""))
            for field in fields:
                where = f"{path}.{field['name']}" if path else field["name"]
                default = f" = {json.dumps(field['default'])}" if "default" in field else ""
                yield where, (_type(field["type"]) + default, field.get("doc", ""))
                yield from _flat(field["type"], where)
        case {"type": "enum", "symbols": symbols}:
            default = f"enum, default {schema.get('default')}"
            yield f"{path}<{schema['name']}>", (default, schema.get("doc", ""))
            for symbol in symbols:
                yield f"{path}.{symbol}", ("symbol", "")
        case list():
            for branch in schema:
                yield from _flat(branch, path)
        case {"type": "array", "items": inner} | {"type": "map", "values": inner}:
            yield from _flat(inner, path)
        case _:
            return


def _type(schema: Any) -> str:
    match schema:
        case list():
            return " | ".join(map(_type, schema))
        case {"type": "array" | "map" as kind}:
            return f"{kind} of {_type(schema['items' if kind == 'array' else 'values'])}"
        case {"logicalType": "decimal", "precision": precision, "scale": scale}:
            return f"decimal({precision}, {scale})"
        case {"logicalType": logical}:
            return str(logical)
        case {"type": "record" | "enum"}:
            return compat.full_name(schema)
        case _:
            return str(schema)
