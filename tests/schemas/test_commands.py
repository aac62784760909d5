"""The commands report what is, change only what they say, and refuse before they change anything."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas import asyncapi, catalog, commands
from schemas.registry import MemoryRegistry
from streams.errors import Misconfigured
from streams.topics import TABLE, Topic
from tests.schemas.examples import field_of, schema_of

ORDER = "tidings.commerce.Order"


def test_what_is_generated_is_current() -> None:
    """The committed models and the AsyncAPI document are what the schemas and topics say today."""
    assert commands.generate(TABLE, check=True).problems == ()


def test_generating_writes_what_is_stale_and_nothing_else(tmp_path: Path) -> None:
    """A first run writes everything, the second nothing, and a change by hand is noticed and undone."""
    first = commands.generate(TABLE, root=tmp_path)
    assert "wrote models/commerce.py" in first.lines
    assert "wrote asyncapi.yaml" in first.lines
    assert commands.generate(TABLE, root=tmp_path).lines == ()
    (tmp_path / "models" / "commerce.py").write_text("# mine now\n")
    assert "models/commerce.py" in commands.generate(TABLE, check=True, root=tmp_path).problems[0]
    assert commands.generate(TABLE, root=tmp_path).lines == ("wrote models/commerce.py",)


def test_nothing_is_generated_from_a_schema_that_breaks_the_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A problem is told where it is, and the models stay as they were."""
    without_doc = {**catalog.definitions(), ORDER: {**catalog.definitions()[ORDER], "doc": ""}}
    monkeypatch.setattr(catalog, "definitions", lambda: without_doc)
    assert commands.generate(TABLE, root=tmp_path).problems == (f"commerce/{ORDER}.avsc: has no doc",)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_schema_is_named(tmp_path: Path) -> None:
    """Who broke a file is told which."""
    for family in catalog.FAMILIES:
        (tmp_path / family).mkdir()
    (tmp_path / "flow" / "tidings.flow.Broken.avsc").write_text("{")
    with pytest.raises(Misconfigured, match=r"tidings\.flow\.Broken\.avsc"):
        catalog.load(tmp_path)


@pytest.mark.parametrize("full_name", ["tidings.commerce.Order", "tidings.commerce.Gone"])
def test_what_was_published_binds(full_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A release stops at a record that is gone or that a former reader cannot follow."""
    former = schema_of(ORDER)
    former["fields"].append({"name": "nickname", "type": "string"})
    monkeypatch.setattr(catalog, "published", lambda: {full_name: {1: former}})
    report = commands.release(TABLE, root=tmp_path)
    assert report.lines == ()
    assert report.problems[0].startswith(f"commerce/{full_name}.avsc: ")


def test_our_schemas_pass() -> None:
    """What is committed has nothing to complain about."""
    assert commands.lint() == commands.Report()


def test_a_release_adds_the_first_version_of_each_record(tmp_path: Path, nothing_published: None) -> None:
    """Whatever a topic carries is kept as it was released."""
    lines = commands.release(TABLE, root=tmp_path).lines
    assert f"released {ORDER} v1" in lines
    stored = json.loads((tmp_path / "published" / ORDER / "v1.avsc").read_text("utf-8"))
    assert stored == catalog.self_contained(ORDER)


def test_a_release_without_changes_adds_nothing(tmp_path: Path) -> None:
    """Releasing twice is releasing once."""
    assert commands.release(TABLE, root=tmp_path).lines == ()
    assert list(tmp_path.iterdir()) == []


def test_a_record_that_was_never_published_is_told(nothing_published: None) -> None:
    """A diff does not pass over what is new."""
    assert f"{ORDER}: never published" in commands.diff(TABLE).lines


def test_changes_are_told_field_by_field() -> None:
    """Who reviews a change sees what it means, not two JSON documents."""
    new = schema_of(ORDER)
    new["fields"].remove(field_of(new, "number"))
    who: Any = field_of(new, "who")["type"]
    who["fields"].append({"name": "nickname", "type": ["null", "string"], "default": None, "doc": "Friends."})
    field_of(new, "status")["type"]["symbols"].append("RETURNED")
    field_of(new, "total")["type"] = "string"
    field_of(new, "currency")["doc"] = "Another."
    assert set(commands.changed(schema_of(ORDER), new)) == {
        "- number: string",
        "+ who.nickname: null | string = null",
        "+ status.RETURNED: symbol",
        "~ total: decimal(18, 4) -> string",
        "~ currency: doc",
    }


def test_nothing_is_published_when_one_schema_is_refused(memory: MemoryRegistry) -> None:
    """A release is in the registry whole or not at all."""
    other = schema_of(ORDER)
    other["fields"].remove(field_of(other, "number"))
    memory.register("commerce.orders-value", json.dumps(other))
    report = commands.publish(memory, TABLE)
    assert any("commerce.orders-value" in line and "number" in line for line in report.problems)
    assert memory.subjects() == ["commerce.orders-value"]


def test_publishing_guards_each_subject(memory: MemoryRegistry) -> None:
    """What is published can from then on only be followed by what everyone can read."""
    memory.set_compatibility("", "NONE")
    commands.publish(memory, TABLE)
    assert memory.compatibility("commerce.orders-value") == "FULL_TRANSITIVE"


def test_the_document_mentions_every_topic_and_record() -> None:
    """A reader of the AsyncAPI document finds each topic with its record, key and whether it is a contract."""
    document = yaml.safe_load(asyncapi.text(TABLE))
    for topic in TABLE:
        channel = document["channels"][topic.name]
        assert channel["description"] == topic.about
        assert {"name": "public" if topic.public else "internal"} in channel["tags"]
        if topic.schema:
            message = document["components"]["messages"][topic.name]
            assert message["bindings"]["kafka"]["key"]["description"] == topic.key
            assert document["components"]["schemas"][topic.schema]["schema"] == catalog.self_contained(topic.schema)


def test_every_reference_in_the_document_leads_somewhere() -> None:
    """Tools that follow the document's references do not fall off its edge."""
    document = yaml.safe_load(asyncapi.text(TABLE))

    def follow(node: Any) -> int:
        if isinstance(node, list):
            return sum(map(follow, node))
        if not isinstance(node, dict):
            return 0
        if "$ref" in node:
            target = document
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            return 1
        return sum(map(follow, node.values()))

    assert follow(document) > len(TABLE)


def test_the_same_topics_give_the_same_document() -> None:
    """A diff of the document is a change of the contract."""
    assert asyncapi.text(TABLE) == asyncapi.text(iter(TABLE))
    other: list[Topic] = [replace(TABLE[0], about="Something else."), *TABLE[1:]]
    assert asyncapi.text(TABLE) != asyncapi.text(other)


@pytest.fixture
def nothing_published(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "published", dict)
