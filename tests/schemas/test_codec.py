"""What is encoded is what is decoded, whichever compatible version wrote it, and nothing but our errors gets out."""

import io
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import avro.io
import avro.schema
import fastavro
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from schemas import catalog, commands
from schemas.codec import Codec, classes
from schemas.framing import frame, unframe
from schemas.models import Cart, Order, OrderStatus, Who
from schemas.registry import MemoryRegistry
from streams.errors import Misconfigured, Reject, Retry
from streams.topics import TABLE
from tests.schemas.examples import field_of, order, records, schema_of

TOPICS = {topic.schema: topic.name for topic in TABLE if topic.schema}
few = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Counting(MemoryRegistry):
    """Counts the questions; can be away."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[object] = []
        self.away = False

    def schema_by_id(self, schema_id: int) -> str:
        """Notes the id."""
        self.asked.append(schema_id)
        if self.away:
            raise Retry("registry_unavailable")
        return super().schema_by_id(schema_id)

    def lookup(self, subject: str, schema: str) -> int | None:
        """Notes the subject."""
        self.asked.append(subject)
        return super().lookup(subject, schema)


def write(registry: MemoryRegistry, schema: dict[str, Any], content: dict[str, Any]) -> bytes:
    """A value as another release or another team would have written it."""
    schema_id = registry.register("elsewhere-value", json.dumps(schema))
    target = io.BytesIO()
    fastavro.schemaless_writer(target, fastavro.parse_schema(schema), content)
    return frame(schema_id, target.getvalue())


def outcome(attempt: Callable[[], object]) -> Reject | None:
    """The refusal, or None when there was none."""
    try:
        attempt()
    except Reject as refusal:
        return refusal
    return None


@pytest.mark.parametrize("full_name", sorted(TOPICS))
@few
@given(data=st.data())
def test_every_record_survives_the_wire(codec: Codec, full_name: str, data: st.DataObject) -> None:
    """What a stage writes is what the next one reads, for every record and whatever it holds."""
    model = data.draw(records(full_name))
    value = codec.encode(TOPICS[full_name], model)
    assert codec.decode(value) == model
    assert str(codec.decode(value)) == str(model)


@few
@given(model=records("tidings.commerce.Order"))
def test_another_avro_implementation_reads_the_same(codec: Codec, model: Order) -> None:
    """Consumers with other libraries see the same amounts and moments."""
    schema = avro.schema.parse(catalog.text(model.avro_name))
    _, body = unframe(codec.encode("commerce.orders", model))
    content: Any = avro.io.DatumReader(schema).read(avro.io.BinaryDecoder(io.BytesIO(body)))
    assert content["total"] == model.total
    assert content["placed_at"] == model.placed_at
    assert content["who"]["customer_ref"] == model.who.customer_ref
    assert content["status"] == model.status


def test_an_older_version_is_read(codec: Codec, memory: MemoryRegistry) -> None:
    """What was written before a field was added still becomes a model."""
    older = schema_of("tidings.commerce.Order")
    older["fields"].remove(field_of(older, "external_ref"))
    who = field_of(older, "who")["type"]
    who["fields"].remove(field_of(who, "locale"))
    assert codec.decode(write(memory, older, order().model_dump())) == order()


def test_a_newer_version_is_read(codec: Codec, memory: MemoryRegistry) -> None:
    """A release that is behind reads on: it drops the new field and takes a new symbol as UNKNOWN."""
    newer = schema_of("tidings.commerce.Order")
    newer["fields"].insert(0, {"name": "channel", "type": ["null", "string"], "default": None})
    field_of(newer, "status")["type"]["symbols"].append("RETURNED")
    content = {**order().model_dump(), "channel": "web", "status": "RETURNED"}
    assert codec.decode(write(memory, newer, content)) == order(status=OrderStatus.UNKNOWN)


def test_an_incompatible_version_is_refused(codec: Codec, memory: MemoryRegistry) -> None:
    """A version that nobody checked ends in a dead letter that names the field, not in a wrong amount."""
    other = schema_of("tidings.commerce.Order")
    field_of(other, "total")["type"]["scale"] = 2
    with pytest.raises(Reject, match="total") as refusal:
        codec.decode(write(memory, other, {**order().model_dump(), "total": Decimal("24.80")}))
    assert refusal.value.code == "incompatible_schema"


@pytest.mark.parametrize("value", [b"", b"\x00", b"\x00\x00\x00\x01", b"{}xxxx", b"\x01\x00\x00\x00\x01"])
def test_a_value_without_frame_is_refused(codec: Codec, value: bytes) -> None:
    """Bytes that are not ours are recognised before anything is read from them."""
    with pytest.raises(Reject) as refusal:
        codec.decode(value)
    assert refusal.value.code == "bad_framing"


def test_an_unknown_id_is_refused(codec: Codec) -> None:
    """A value of another registry goes to the dead letters."""
    with pytest.raises(Reject) as refusal:
        codec.decode(frame(2**32 - 1, b""))
    assert refusal.value.code == "unknown_schema"


@pytest.mark.parametrize("schema", [{"type": "string"}, "string", ["null", "string"]])
def test_a_schema_that_is_no_record_is_refused(codec: Codec, memory: MemoryRegistry, schema: Any) -> None:
    """A value that holds something else than a record goes to the dead letters."""
    schema_id = memory.register("elsewhere-value", json.dumps(schema))
    with pytest.raises(Reject) as refusal:
        codec.decode(frame(schema_id, b"\x00"))
    assert refusal.value.code == "unknown_schema"


def test_a_foreign_record_is_refused(codec: Codec, memory: MemoryRegistry) -> None:
    """A record that this release does not know goes to the dead letters with its name."""
    schema = {"type": "record", "name": "Pallet", "namespace": "elsewhere", "fields": [{"name": "n", "type": "long"}]}
    with pytest.raises(Reject, match=r"elsewhere\.Pallet") as refusal:
        codec.decode(write(memory, schema, {"n": 1}))
    assert refusal.value.code == "unknown_record"


def test_another_record_than_expected_is_refused(codec: Codec) -> None:
    """A topic carries one record type, and who relies on it is told when it does not."""
    value = codec.encode("commerce.orders", order())
    assert codec.decode_as(value, Order) == order()
    with pytest.raises(Reject) as refusal:
        codec.decode_as(value, Cart)
    assert refusal.value.code == "unknown_record"


def test_bytes_too_many_are_refused(codec: Codec) -> None:
    """A value that is longer than its record was damaged or written with another schema."""
    with pytest.raises(Reject) as refusal:
        codec.decode(codec.encode("commerce.orders", order()) + b"\x00")
    assert refusal.value.code == "bad_avro"


@pytest.mark.parametrize("full_name", ["tidings.commerce.Order", "tidings.delivery.RawDelivery"])
@few
@given(garbage=st.binary(max_size=200), cut=st.integers(0, 200))
def test_garbage_is_refused_and_nothing_else_happens(codec: Codec, full_name: str, garbage: bytes, cut: int) -> None:
    """Whatever bytes follow a valid frame, the outcome is a model or a dead letter that tells none of the values."""
    schema_id, body = unframe(codec.encode("commerce.orders", order()))
    if full_name != Order.avro_name:
        schema_id, body = unframe(codec.prepare("collect.raw", full_name))[0], b""
    refused = outcome(lambda: codec.decode(frame(schema_id, body[:cut] + garbage)))
    assert refused is None or (refused.code == "bad_avro" and "bigcommerce:shop" not in str(refused))


def test_a_field_that_the_model_refuses_is_named_without_its_value(codec: Codec, memory: MemoryRegistry) -> None:
    """Whoever looks at the dead letter learns which field it is, and no address gets into a log."""
    content = {**order().model_dump(), "total": Decimal("99999999999999.9999")}
    schema_id, body = unframe(write(memory, schema_of(Order.avro_name), content))
    too_big = body.replace((10**18 - 1).to_bytes(8, "big"), b"\x7f" + b"\xff" * 7)
    with pytest.raises(Reject, match="total") as refusal:
        codec.decode(frame(schema_id, too_big))
    assert "922337" not in str(refusal.value)


def test_an_unpublished_schema_stops_the_producer(memory: MemoryRegistry) -> None:
    """A producer registers nothing: it says what a person has to run."""
    with pytest.raises(Misconfigured, match="tidings schemas publish") as refusal:
        Codec(memory).encode("commerce.orders", order())
    assert refusal.value.code == "schema_not_published"
    assert memory.subjects() == []


def test_a_record_of_another_topic_is_not_written(codec: Codec) -> None:
    """A cart cannot end up among the orders."""
    with pytest.raises(Misconfigured):
        codec.encode("commerce.carts", order())


def test_only_generated_models_are_written(codec: Codec) -> None:
    """What has no schema does not go to Kafka."""

    class Note(BaseModel):
        text: str = "hello"

    with pytest.raises(Reject) as refusal:
        codec.encode("commerce.orders", Note())
    assert refusal.value.code == "unknown_record"


def test_a_model_that_was_never_checked_is_not_written(codec: Codec) -> None:
    """Not even a model built past its checks puts an amount with too many places on the wire."""
    unchecked = Order.model_construct(**{**dict(order()), "total": Decimal("0.00001")})
    with pytest.raises(Reject) as refusal:
        codec.encode("commerce.orders", unchecked)
    assert refusal.value.code == "bad_avro"


def test_a_subject_name_may_follow_another_rule(memory: MemoryRegistry) -> None:
    """A house with its own rule for subjects keeps it."""

    def by_house_rule(topic: str) -> str:
        return f"example.{topic}"

    commands.publish(memory, TABLE, by_house_rule)
    assert "example.commerce.orders" in memory.subjects()
    codec = Codec(memory, by_house_rule)
    assert codec.decode(codec.encode("commerce.orders", order())) == order()


def test_the_registry_is_asked_once(codec: Codec) -> None:
    """A registry sees one question per schema and process, however many records pass and threads ask."""
    registry = Counting()
    commands.publish(registry, TABLE)
    registry.asked.clear()
    mine = Codec(registry)
    together = threading.Barrier(4)

    def work() -> Order:
        together.wait()
        return mine.decode_as(mine.encode("commerce.orders", order()), Order)

    with ThreadPoolExecutor(4) as pool:
        results = [future.result() for future in [pool.submit(work) for _ in range(4)]]
    assert results == [order()] * 4
    assert registry.asked == ["commerce.orders-value", 2]


def test_a_caller_can_tell_whether_decoding_would_ask(codec: Codec, memory: MemoryRegistry) -> None:
    """An event loop need not be held up by a question to the registry."""
    value = codec.encode("commerce.orders", order())
    assert not codec.knows(value)
    codec.decode(value)
    assert codec.knows(value)


def test_a_lasting_failure_is_remembered_for_a_while() -> None:
    """A flood of foreign records is not a flood of questions, and a schema published later is found."""
    registry, now = Counting(), [0.0]
    codec = Codec(registry, clock=lambda: now[0], forget_after=5)
    attempts: list[Callable[[], object]] = [
        lambda: codec.decode(frame(1, b"")),
        lambda: codec.encode("commerce.orders", order()),
    ]
    for attempt in attempts * 2:
        with pytest.raises((Reject, Misconfigured)):
            attempt()
    assert registry.asked == [1, "commerce.orders-value"]
    commands.publish(registry, TABLE)
    now[0] = 5.0
    assert codec.encode("commerce.orders", order())


def test_an_absent_registry_is_asked_again() -> None:
    """A registry that is away for a moment costs no record."""
    registry = Counting()
    commands.publish(registry, TABLE)
    codec = Codec(registry)
    value = codec.encode("commerce.orders", order())
    registry.away = True
    with pytest.raises(Retry) as failure:
        codec.decode(value)
    assert failure.value.code == "registry_unavailable"
    registry.away = False
    assert codec.decode(value) == order()


def test_every_record_has_a_model() -> None:
    """A schema without a class, or the other way round, does not pass."""
    names = {name for name, schema in catalog.definitions().items() if schema["type"] == "record"}
    assert classes().keys() == names
    assert classes()["tidings.commerce.Who"] is Who
