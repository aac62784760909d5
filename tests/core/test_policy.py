"""A policy is valid as a whole or not at all, and its version names exactly what it says."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest

from streams.core.policy import Policy, TypeSource, build
from streams.core.predicate import Location
from streams.core.samples import ORDER, START
from streams.core.timer import later

SETTINGS: dict[str, Any] = {"brands": {"default": {"locale": "en"}}}
RULE: dict[str, Any] = {
    "class": "transactional",
    "trigger": {"fact": "commerce.orders", "when": [{"field": "status", "eq": "PLACED"}]},
    "business_key": ["external_ref", "order_ref"],
    "channels": {"ladder": ["EMAIL", "SMS"]},
    "timing": {"grace_s": 120},
    "template": "t",
    "sink": "opentext_notifications",
}
TEXTS = {"en": {"subject": "Order {{ order.number }}", "text": "Hello", "sms": "Order {{ order.number }}"}}


def built(
    rule: Mapping[str, Any],
    texts: Mapping[str, Mapping[str, Any]] = TEXTS,
    overrides: Mapping[str, float] | None = None,
    settings: Mapping[str, Any] = SETTINGS,
    **others: Mapping[str, Any],
) -> tuple[Policy | None, list[tuple[Location, str]]]:
    """The policy of one type named `thing`, or what is wrong with it."""
    types = {"thing": TypeSource(rule, texts)} | {name: TypeSource(raw, texts) for name, raw in others.items()}
    policy, problems = build(types, settings, overrides)
    return policy, [(problem.location, problem.message) for problem in problems]


def changed(path: str, value: Any) -> dict[str, Any]:
    """The example rule with one key changed."""
    raw = deepcopy(RULE)
    *parents, last = path.split(".")
    here = raw
    for name in parents:
        here = here.setdefault(name, {})
    here[last] = value
    return raw


def test_a_valid_rule_makes_a_policy() -> None:
    """What is right has no problems and decides."""
    policy, problems = built(RULE)
    assert problems == []
    assert policy is not None
    (rule,) = policy.triggered_by("commerce.orders")
    assert rule.matches(ORDER)
    assert rule.due_at(ORDER, START) == later(START, 120)


@pytest.mark.parametrize(
    ("path", "value", "place", "says"),
    [
        ("class", "important", ("class",), "marketing"),
        ("colour", "red", ("colour",), "not permitted"),
        ("trigger.fact", "commerce.weather", ("trigger", "fact"), "commerce.orders"),
        ("business_key", [], ("business_key",), "at least 1"),
        ("business_key", ["nr"], ("business_key", 0), "no field 'nr'"),
        ("business_key", ["total"], ("business_key", 0), "no text"),
        ("channels", {"ladder": ["PIGEON"]}, ("channels", "ladder", 0), "EMAIL"),
        ("channels", {}, ("channels",), "either"),
        ("channels", {"ladder": ["EMAIL"], "together": ["SMS"]}, ("channels",), "either"),
        ("timing", {"grace_s": -1}, ("timing", "grace_s"), "greater than or equal"),
        ("timing", {"grace_s": 1, "delay_s": 1, "delay_from": "placed_at"}, ("timing",), "either"),
        ("timing", {"delay_s": 1}, ("timing",), "belong together"),
        ("timing", {"delay_s": 1, "delay_from": "number"}, ("timing", "delay_from"), "no time"),
        ("parent", {"type": "nothing", "key": "order_ref"}, ("parent",), "no communication type"),
        ("parent", {"type": "thing", "key": "order_ref"}, ("parent",), "itself"),
        ("supersedes", ["nothing"], ("supersedes",), "no communication type"),
        ("consent_purpose", "cart_reminder", ("consent_purpose",), "only marketing"),
        ("expires_from", "number", ("expires_from",), "no time"),
        ("cancel_on", [{"fact": "commerce.carts"}], ("cancel_on", 0, "fact"), "fact of the trigger"),
        ("cancel_on", [{"fact": "commerce.carts", "match": "subject"}], ("cancel_on", 0), "needs since"),
    ],
)
def test_a_mistake_is_named_with_its_place(path: str, value: Any, place: Location, says: str) -> None:
    """Every mistake in a rule is told with the keys that lead to it and what would be right."""
    policy, problems = built(changed(path, value))
    assert policy is None
    (location, message) = problems[0]
    assert location == ("thing", "rule.yaml", *place)
    assert says in message


def test_marketing_needs_a_purpose_and_has_no_ladder() -> None:
    """Advertising names what must have been allowed and is not tried on a second channel."""
    marketing = changed("class", "marketing")
    assert "consent_purpose" in built(marketing)[1][0][1]
    assert "ladder" in built(marketing | {"consent_purpose": "cart_reminder"})[1][0][1]


def test_links_between_rules_must_fit() -> None:
    """A type replaces only types about the same thing, and nothing waits for itself over detours."""
    about_carts = {"fact": "commerce.carts"}
    cart = RULE | {"trigger": about_carts, "business_key": ["cart_ref"]}
    plain = {"en": {"subject": "x", "text": "x", "sms": "x"}}
    assert "other facts" in built(changed("supersedes", ["cart"]), plain, cart=cart)[1][0][1]
    one = changed("parent", {"type": "other", "key": "order_ref"})
    other = changed("parent", {"type": "thing", "key": "order_ref"})
    assert [message for _, message in built(one, other=other)[1]] == ["it would wait for itself"] * 2


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ({"en": {"subject": "{{ order.nubmer }}", "text": "x", "sms": "x"}}, "nubmer"),
        ({"en": {"subject": "{{ order.number", "text": "x", "sms": "x"}}, "subject"),
        ({"en": {"subject": "x", "text": "x"}}, "sms is missing"),
        ({"en": {"subject": "x", "text": "x", "sms": "x", "fax": "x"}}, "not permitted"),
        ({"de": {"subject": "x", "text": "x", "sms": "x"}}, "en.yaml"),
        ({"en": {"subject": "{{ ''.__class__.__mro__ }}", "text": "x", "sms": "x"}}, "unsafe"),
    ],
)
def test_a_template_that_cannot_be_filled_is_found_before_anyone_waits_for_it(
    texts: Mapping[str, Mapping[str, Any]], says: str
) -> None:
    """Unknown names, broken syntax, missing texts and missing locales are problems of the policy."""
    policy, problems = built(RULE, texts)
    assert policy is None
    assert any(says in message for _, message in problems)
    assert all(location[0] == "thing" for location, _ in problems)


def test_all_mistakes_are_told_at_once() -> None:
    """Two broken types are two problems, not two attempts."""
    _, problems = built(changed("sink", ""), other=changed("template", ""))
    assert [location[0] for location, _ in problems] == ["other", "thing"]


def test_durations_can_be_overridden() -> None:
    """A demo shortens the grace without another policy file; the version tells."""
    policy, _ = built(RULE)
    short, problems = built(RULE, overrides={"thing.grace_s": 5, "parking.give_up_after_s": 60})
    assert problems == []
    assert policy is not None
    assert short is not None
    assert short.rules["thing"].due_at(ORDER, START) == later(START, 5)
    assert short.parking.give_up_after_s == 60
    assert short.version != policy.version


@pytest.mark.parametrize("name", ["thing.grace", "other.grace_s", "parking.grace_s", "grace_s"])
def test_an_override_of_nothing_is_a_mistake(name: str) -> None:
    """A misspelt override does not silently do nothing."""
    assert any(name in message for _, message in built(RULE, overrides={name: 1})[1])


def test_the_version_follows_the_content() -> None:
    """Equal content has the same version, any change another."""
    versions = [policy.version for policy, _ in (built(RULE), built(deepcopy(RULE))) if policy]
    assert len(set(versions)) == 1
    texts = {"en": TEXTS["en"] | {"text": "Hello there"}}
    other, _ = built(RULE, texts)
    assert other is not None
    assert other.version not in versions


def test_settings_need_a_default_brand() -> None:
    """A brand nobody configured still has a locale to fall back to."""
    _, problems = built(RULE, settings={"brands": {"shop": {"locale": "en"}}})
    assert problems[0][0] == ("policy.yaml", "brands")
    _, problems = built(RULE, settings={"brands": {"default": {}}})
    assert problems[0][0] == ("policy.yaml", "brands", "default", "locale")
