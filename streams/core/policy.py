"""The whole policy as one value with a version: the same version always decides the same.

Built from parsed files only; whoever reads the files turns the problems found here into file and line.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from streams.core import driver, samples
from streams.core.ids import sha256_hex
from streams.core.predicate import Problem
from streams.core.resolve import KINDS
from streams.core.rules import Cancel, Rule, compile_rule, parse
from streams.core.templates import TEXTS, Texts, compiled
from streams.errors import Misconfigured

RULE = "rule.yaml"
TEMPLATE = "template"
SETTINGS = "policy.yaml"
DEFAULT_BRAND = "default"

_OVERRIDABLE = {
    "grace_s": ("timing", "grace_s"),
    "delay_s": ("timing", "delay_s"),
    "expires_after_s": ("expires_after_s",),
}


class Brand(BaseModel):
    """What a brand decides for itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    locale: str = Field(description="Locale to speak when none of the recipient's is available.")


class Parking(BaseModel):
    """How long a child waits for its parent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    exception_after_s: float = Field(default=1800, gt=0, description="Then operations are told.")
    give_up_after_s: float = Field(default=86_400, gt=0, description="Then it is suppressed.")


class Settings(BaseModel):
    """policy.yaml: what holds for every type."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    brands: dict[str, Brand]
    parking: Parking = Field(default_factory=Parking)


@dataclass(frozen=True, slots=True)
class TypeSource:
    """The parsed files of one folder: rule.yaml and template/<locale>.yaml."""

    rule: Mapping[str, Any]
    texts: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything decide needs besides state and record. `overrides` are durations changed for this run."""

    version: str
    rules: Mapping[str, Rule]
    brands: Mapping[str, Brand]
    parking: Parking = field(default_factory=Parking)
    overrides: Mapping[str, float] = field(default_factory=dict)

    def triggered_by(self, kind: str) -> tuple[Rule, ...]:
        """The rules a fact of `kind` may start, by name."""
        return tuple(rule for rule in self.rules.values() if rule.fact == kind)

    def cancelled_by(self, kind: str) -> tuple[tuple[Rule, Cancel], ...]:
        """The rules a fact of `kind` may call off."""
        return tuple((rule, cancel) for rule in self.rules.values() for cancel in rule.cancels if cancel.fact == kind)

    def superseders(self, name: str) -> tuple[str, ...]:
        """The types that take the place of type `name`."""
        return tuple(rule.type for rule in self.rules.values() if name in rule.supersedes)

    def brand(self, name: str) -> Brand:
        """The settings of a brand, or those of all."""
        return self.brands.get(name) or self.brands[DEFAULT_BRAND]


def build(
    types: Mapping[str, TypeSource], settings: Mapping[str, Any], overrides: Mapping[str, float] | None = None
) -> tuple[Policy | None, tuple[Problem, ...]]:
    """The policy, or every problem found; a location starts with the file's path inside the folder."""
    overrides = dict(overrides or {})
    problems: list[Problem] = []
    shared = _settings(settings, overrides, problems)
    sources, left = _overridden(types, overrides)
    problems += [Problem((SETTINGS,), f"no duration {name!r} to override") for name in left]
    rules = {}
    for name in sorted(sources):
        try:
            rules[name] = _rule(name, sources[name])
        except Problem as problem:
            problems.append(problem)
    problems += _links(rules, types.keys())
    if shared is not None:
        problems += _locales(rules, shared)
    if problems or shared is None:
        return None, tuple(problems)
    version = _version(types, settings, overrides)
    return Policy(version, rules, shared.brands, shared.parking, overrides), ()


def _version(types: Mapping[str, TypeSource], settings: Mapping[str, Any], overrides: Mapping[str, float]) -> str:
    content = [{name: [source.rule, source.texts] for name, source in types.items()}, settings, overrides]
    return sha256_hex(orjson.dumps(content, option=orjson.OPT_SORT_KEYS))[:12]


def _settings(raw: Mapping[str, Any], overrides: Mapping[str, float], problems: list[Problem]) -> Settings | None:
    parking = {name: overrides[f"parking.{name}"] for name in Parking.model_fields if f"parking.{name}" in overrides}
    try:
        settings = Settings.model_validate({**raw, "parking": {**raw.get("parking", {}), **parking}})
    except ValidationError as error:
        problems += [Problem((SETTINGS, *item["loc"]), item["msg"]) for item in error.errors()]
        return None
    if DEFAULT_BRAND not in settings.brands:
        problems.append(Problem((SETTINGS, "brands"), f"a brand named {DEFAULT_BRAND} is needed for all others"))
        return None
    return settings


def _overridden(
    types: Mapping[str, TypeSource], overrides: Mapping[str, float]
) -> tuple[dict[str, TypeSource], list[str]]:
    done, left = dict(types), []
    for name, seconds in overrides.items():
        kind, _, duration = name.partition(".")
        if kind == "parking" and duration in Parking.model_fields:
            continue
        path = _OVERRIDABLE.get(duration)
        if kind not in done or path is None:
            left.append(name)
            continue
        done[kind] = TypeSource(_with(done[kind].rule, path, seconds), done[kind].texts)
    return done, left


def _with(raw: Mapping[str, Any], path: tuple[str, ...], value: float) -> dict[str, Any]:
    head, *rest = path
    return {**raw, head: _with(raw.get(head, {}), tuple(rest), value) if rest else value}


def _rule(name: str, source: TypeSource) -> Rule:
    location = (name, RULE)
    file = parse(source.rule, location)
    texts = {locale: _texts(name, locale, raw) for locale, raw in source.texts.items()}
    try:
        rule = compile_rule(name, file, compiled(texts), location)
    except Problem:
        raise
    except Misconfigured as error:
        raise Problem((name, TEMPLATE), error.detail) from None
    for locale, text in texts.items():
        _complete(rule, locale, text)
    return rule


def _texts(name: str, locale: str, raw: Mapping[str, Any]) -> Texts:
    try:
        return Texts.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        raise Problem((name, f"{TEMPLATE}/{locale}.yaml", *first["loc"]), first["msg"]) from None


def _complete(rule: Rule, locale: str, texts: Texts) -> None:
    location = (rule.type, f"{TEMPLATE}/{locale}.yaml")
    for channel in rule.channels:
        for name in TEXTS[channel]:
            if getattr(texts, name) is None:
                raise Problem(location, f"{name} is missing; it goes out as {channel.value}")
    for sample in samples.of(KINDS[rule.fact]):
        try:
            rule.texts.render(locale, driver.complete(driver.of(sample), None, locale))
        except Misconfigured as error:
            raise Problem(location, error.detail) from None


def _links(rules: Mapping[str, Rule], names: Collection[str]) -> list[Problem]:
    return [problem for rule in rules.values() for problem in _broken_links(rule, rules, names)]


def _broken_links(rule: Rule, rules: Mapping[str, Rule], names: Collection[str]) -> Iterator[Problem]:
    linked = [("parent", rule.parent_type), *(("supersedes", name) for name in rule.supersedes)]
    for key, name in linked:
        if name is not None and name not in names:
            yield Problem((rule.type, RULE, key), f"there is no communication type {name!r}")
    for name in rule.supersedes:
        if name in rules and rules[name].fact != rule.fact:
            yield Problem((rule.type, RULE, "supersedes"), f"{name} is about other facts: {rules[name].fact}")
    if _own_ancestor(rule, rules):
        yield Problem((rule.type, RULE, "parent"), "it would wait for itself")


def _own_ancestor(rule: Rule, rules: Mapping[str, Rule]) -> bool:
    seen: set[str] = set()
    above = rule.parent_type
    while above is not None and above in rules and above not in seen:
        seen.add(above)
        above = rules[above].parent_type
    return rule.type in seen


def _locales(rules: Mapping[str, Rule], settings: Settings) -> Sequence[Problem]:
    return [
        Problem((rule.type, TEMPLATE), f"no {brand.locale}.yaml, the locale brand {name} falls back to")
        for rule in rules.values()
        for name, brand in settings.brands.items()
        if brand.locale not in rule.texts.locales
    ]
