"""Reads the communication types from their folders and turns every mistake into file, line and what to do.

The folders are data: whoever adds one adds a communication type, and nothing else has to change.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from streams.core.cases import CASES, Case, parse
from streams.core.policy import RULE, SETTINGS, TEMPLATE, Policy, TypeSource, build
from streams.core.predicate import Location, Problem
from streams.errors import Misconfigured

FOLDER = Path(__file__).parent


def load(folder: Path = FOLDER, overrides: Mapping[str, float] | None = None) -> Policy:
    """The policy of `folder`. `overrides` changes durations, e.g. {"order_confirmation.grace_s": 5}.

    Raises Misconfigured("bad_policy") that lists every mistake with its place.
    """
    types = {path.name: _source(path) for path in _types(folder)}
    settings = _mapping(folder / SETTINGS)
    policy, problems = build(types, settings, overrides)
    if policy is None:
        raise Misconfigured("bad_policy", "\n".join(_placed(folder, problem) for problem in problems))
    return policy


def load_cases(folder: Path = FOLDER) -> dict[str, tuple[Case, ...]]:
    """The golden cases of every type. Raises Misconfigured("bad_cases")."""
    done = {}
    for path in _types(folder):
        raw = _parsed(path / CASES)
        if not isinstance(raw, list):
            raise Misconfigured("bad_cases", f"{path / CASES}: a list of cases is expected")
        try:
            done[path.name] = parse(raw, (path.name, CASES))
        except Problem as problem:
            raise Misconfigured("bad_cases", _placed(folder, problem)) from None
    return done


def _types(folder: Path) -> Sequence[Path]:
    found = sorted(path.parent for path in folder.glob(f"*/{RULE}"))
    if not found:
        raise Misconfigured("bad_policy", f"{folder}: no communication type; each is a folder with a {RULE}")
    return found


def _source(path: Path) -> TypeSource:
    texts = {file.stem: _mapping(file) for file in sorted((path / TEMPLATE).glob("*.yaml"))}
    return TypeSource(_mapping(path / RULE), texts)


def _mapping(path: Path) -> dict[str, Any]:
    raw = _parsed(path)
    if not isinstance(raw, dict):
        raise Misconfigured("bad_policy", f"{path}: keys with values are expected")
    return raw


def _parsed(path: Path) -> Any:
    try:
        text = path.read_text("utf-8")
        _no_key_twice(path, yaml.compose(text, Loader=yaml.SafeLoader))
        return yaml.safe_load(text)
    except OSError as error:
        raise Misconfigured("bad_policy", f"{path}: cannot be read: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise Misconfigured("bad_policy", f"{path}: not YAML: {error}") from None


def _no_key_twice(path: Path, node: yaml.Node | None) -> None:
    # YAML keeps the last of two equal keys without a word.
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.value in seen:
                raise Misconfigured("bad_policy", f"{path}:{key.start_mark.line + 1}: {key.value} is given twice")
            seen.add(key.value)
            _no_key_twice(path, value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _no_key_twice(path, item)


def _placed(folder: Path, problem: Problem) -> str:
    names = [str(part) for part in problem.location]
    for depth in (2, 1):
        file = folder.joinpath(*names[:depth])
        if file.is_file():
            keys = ".".join(names[depth:])
            return f"{file}:{_line(file, problem.location[depth:])}: {keys + ': ' if keys else ''}{problem.message}"
    return f"{folder.joinpath(*names)}: {problem.message}"


def _line(file: Path, keys: Location) -> int:
    node = _tree(file)
    line = 1
    for key in keys:
        found = _child(node, key)
        if found is not None:
            node, line = found
    return line


def _tree(file: Path) -> yaml.Node | None:
    return yaml.compose(file.read_text("utf-8"), Loader=yaml.SafeLoader)


def _child(node: yaml.Node | None, key: str | int) -> tuple[yaml.Node, int] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        item = node.value[key]
        return item, item.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.value == key:
                return value, name.start_mark.line + 1
    return None
