"""A registry is a registry: the one in memory, and any that speaks Confluent's REST interface."""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

from schemas import catalog, commands
from schemas.codec import Codec
from schemas.models import Order
from schemas.registry import ConfluentRegistry, MemoryRegistry, Registry
from streams.errors import Failure, Misconfigured, Reject, Retry
from streams.topics import TABLE
from tests.schemas.examples import order, schema_of

ORDER = catalog.text(Order.avro_name)


def changed(**more: Any) -> str:
    """The order's schema with one more field."""
    schema = schema_of(Order.avro_name)
    schema["fields"].append({"name": "nickname", "type": "string", **more})
    return json.dumps(schema)


def test_a_schema_is_found_by_id_and_by_content(each: Registry, subject: str) -> None:
    """What was registered is found, and nothing else is."""
    assert each.lookup(subject, ORDER) is None
    schema_id = each.register(subject, ORDER)
    assert json.loads(each.schema_by_id(schema_id)) == json.loads(ORDER)
    assert each.lookup(subject, ORDER) == schema_id
    assert each.lookup(subject, changed(default="")) is None
    assert each.lookup("elsewhere-value", ORDER) is None


def test_the_spelling_of_a_schema_does_not_matter(confluent: ConfluentRegistry) -> None:
    """Our registry compares schemas as Confluent's does, not bytes."""
    schema_id = confluent.register("orders-value", ORDER)
    assert confluent.lookup("orders-value", json.dumps(json.loads(ORDER), indent=2)) == schema_id


def test_registering_again_changes_nothing(each: Registry, subject: str) -> None:
    """Publishing twice is publishing once."""
    assert each.register(subject, ORDER) == each.register(subject, ORDER)


def test_equal_schemas_share_an_id(each: Registry, subject: str) -> None:
    """A value may move from one topic to another of the same record without being written again."""
    assert each.register(subject, ORDER) == each.register(f"other.{subject}", ORDER)


def test_an_unknown_id_is_refused(each: Registry, subject: str) -> None:
    """An id of another registry is bad input, not a failure of this one."""
    with pytest.raises(Reject) as refusal:
        each.schema_by_id(2**31 - 1)
    assert refusal.value.code == "unknown_schema"


def test_an_incompatible_version_is_refused(each: Registry, subject: str) -> None:
    """A version that breaks a reader cannot be registered, and the reason names the field."""
    each.register(subject, ORDER)
    each.set_compatibility(subject, "FULL_TRANSITIVE")
    assert each.compatible(subject, changed(default="")) == []
    assert any("nickname" in line for line in each.compatible(subject, changed()))
    with pytest.raises(Misconfigured) as refusal:
        each.register(subject, changed())
    assert refusal.value.code == "incompatible_schema"


def test_a_first_version_is_compatible(each: Registry, subject: str) -> None:
    """A new subject has nobody to break."""
    assert each.compatible(subject, ORDER) == []


def test_the_level_decides(each: Registry, subject: str) -> None:
    """Who sets a subject free may register anything there."""
    each.register(subject, ORDER)
    each.set_compatibility(subject, "NONE")
    assert each.register(subject, changed())


@pytest.mark.parametrize("schema", ['{"type": "nothing"}', "{", '{"type": "record"}'])
def test_what_is_no_schema_is_refused(each: Registry, subject: str, schema: str) -> None:
    """A registry holds schemas only."""
    with pytest.raises(Misconfigured):
        each.register(subject, schema)


def test_an_unknown_level_is_refused(each: Registry, subject: str) -> None:
    """A misspelt level does not silently become none."""
    with pytest.raises(Misconfigured):
        each.set_compatibility(subject, "FULLY")


def test_everything_is_published_and_usable(each: Registry, subject: str) -> None:
    """After `publish`, producers and consumers work; a second `publish` finds nothing to do."""

    def subjects(topic: str) -> str:
        return f"{topic}.{subject}"

    assert commands.publish(each, TABLE, subjects).problems == ()
    assert commands.publish(each, TABLE, subjects).lines == ("25 of 25 subjects were up to date",)
    codec = Codec(each, subjects)
    assert codec.decode(codec.encode("commerce.orders", order())) == order()


def test_the_server_shows_what_it_holds(confluent: ConfluentRegistry, url: str) -> None:
    """Tools that browse a registry find subjects, versions and levels."""
    client = confluent._client  # noqa: SLF001 - the vendor's client is the tool here
    schema_id = confluent.register("orders-value", ORDER)
    confluent.register("orders-value", changed(default=""))
    assert client.get_subjects() == ["orders-value"]
    assert client.get_versions("orders-value") == [1, 2]
    assert client.get_version("orders-value", 1).schema_id == schema_id
    assert client.get_latest_version("orders-value").version == 2
    assert client.get_compatibility() == "FULL_TRANSITIVE"
    client.set_compatibility(level="BACKWARD")
    assert client.get_compatibility("orders-value") == "BACKWARD"


@pytest.fixture
def closed() -> Iterator[ConfluentRegistry]:
    """A registry where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with closing(ConfluentRegistry(f"http://127.0.0.1:{port}", {"max.retries": 0})) as registry:
        yield registry


def test_an_absent_registry_is_tried_again(closed: ConfluentRegistry) -> None:
    """A registry that is away is no reason to give a record up."""
    with pytest.raises(Retry) as failure:
        closed.schema_by_id(1)
    assert failure.value.code == "registry_unavailable"


def test_a_wrong_path_is_told(url: str) -> None:
    """A URL that is no registry's is a matter of configuration."""
    with closing(ConfluentRegistry(f"{url}/elsewhere")) as registry, pytest.raises(Misconfigured, match="path"):
        registry.register("orders-value", ORDER)


def test_wrong_settings_are_told() -> None:
    """A misspelt setting is refused at the start."""
    with pytest.raises(Misconfigured, match=r"no\.such\.setting"):
        ConfluentRegistry("http://127.0.0.1:1", {"no.such.setting": 1})


@pytest.mark.parametrize(
    ("status", "family"),
    [
        (401, Misconfigured),
        (403, Misconfigured),
        (409, Misconfigured),
        (422, Misconfigured),
        (500, Retry),
        (503, Retry),
    ],
)
def test_each_refusal_has_its_family(answering: str, status: int, family: type[Failure]) -> None:
    """What a registry answers decides whether a person must act or time helps."""
    with closing(ConfluentRegistry(f"{answering}/{status}", {"max.retries": 0})) as registry:
        with pytest.raises(family) as failure:
            registry.register("orders-value", ORDER)
        assert str(status) in failure.value.detail


def test_a_registry_that_only_says_no_is_believed(answering: str) -> None:
    """A registry may refuse by rules that our own check does not know."""
    with closing(ConfluentRegistry(f"{answering}/no")) as registry:
        assert len(registry.compatible("orders-value", ORDER)) == 1


def test_threads_share_a_registry(memory: MemoryRegistry) -> None:
    """Two that register the same at once get the same id."""
    with ThreadPoolExecutor(4) as pool:
        ids = list(pool.map(lambda n: memory.register("orders-value", ORDER), range(8)))
    assert set(ids) == {1}
    assert memory.versions("orders-value") == [1]
