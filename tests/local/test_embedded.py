"""The servers inside this process, and external ones, for which they stand in."""

import json
import socket

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from streams.errors import Misconfigured
from streams.local import service
from streams.local.broker import open_broker
from streams.local.registry import open_registry
from streams.local.topics_admin import create_topics
from streams.topics import TABLE
from tests.local.rest import ask


def nobody() -> str:
    """An address at which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


async def test_an_embedded_broker_carries_records() -> None:
    """Where nothing is installed, a record still goes in at one end and comes out at the other."""
    async with open_broker("embedded") as broker:
        create_topics(broker.bootstrap, broker.kind, topics=TABLE[:1])
        producer = Producer({"bootstrap.servers": broker.bootstrap})
        producer.produce(TABLE[0].name, b"value", partition=3)
        assert producer.flush(10) == 0
        consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "g", "auto.offset.reset": "earliest"})
        consumer.assign([TopicPartition(TABLE[0].name, 3, 0)])
        (message,) = consumer.consume(1, 10)
        assert message.value() == b"value"
        consumer.close()


def test_an_embedded_broker_says_what_it_does_not_promise() -> None:
    """Nobody takes it for a real one: its description holds the limit."""
    with open_broker("embedded") as broker:
        assert f"at-least-once for one worker (embedded, {broker.bootstrap})" in broker.describe


def test_an_embedded_broker_has_four_partitions_or_none() -> None:
    """Another number cannot be had there, and the error says which number can."""
    with open_broker("embedded") as broker, pytest.raises(Misconfigured, match="set TIDINGS_PARTITIONS to 4"):
        create_topics(broker.bootstrap, broker.kind, 6, topics=TABLE[:1])


def test_what_keeps_nothing_is_not_killed() -> None:
    """A fault test on an embedded server is refused, because its data would be gone."""
    with open_broker("embedded") as broker, pytest.raises(Misconfigured, match="TIDINGS_KAFKA=local"):
        broker.kill()
    with open_registry("embedded") as registry, pytest.raises(Misconfigured, match="TIDINGS_REGISTRY=local"):
        registry.kill()


def test_an_embedded_registry_answers_like_any_other() -> None:
    """What is registered there is found there, by other processes too, since it is served over HTTP."""
    with open_registry("embedded") as registry:
        schema = '{"type": "string"}'
        (schema_id,) = ask(registry.url, "POST", "/subjects/a-value/versions", {"schema": schema}).values()
        assert json.loads(ask(registry.url, "GET", f"/schemas/ids/{schema_id}")["schema"]) == json.loads(schema)


def test_an_external_server_is_used_and_left_alone() -> None:
    """Somebody else's broker and registry are awaited and described, never killed, and go on after we leave."""
    with open_broker("embedded") as theirs, open_registry("embedded") as their_registry:
        for _ in range(2):
            with open_broker(theirs.bootstrap) as ours, open_registry(their_registry.url) as our_registry:
                assert (ours.kind, ours.bootstrap) == ("external", theirs.bootstrap)
                assert ours.describe == f"Kafka (external, {theirs.bootstrap})"
                assert our_registry.url == their_registry.url
                with pytest.raises(Misconfigured, match="not_ours"):
                    ours.kill()


def test_a_password_in_an_address_is_not_described() -> None:
    """What is printed and logged about a registry holds no credentials."""
    registry = open_registry("http://ada:hidden@registry.example.test:8081")
    assert registry.describe == "Schema registry (external, http://registry.example.test:8081)"


def test_an_external_server_that_is_not_there_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong address ends the start with the address in the message instead of hanging."""
    monkeypatch.setattr(service, "EXTERNAL_PATIENCE_S", 0.5)
    address = nobody()
    with pytest.raises(Misconfigured, match=f"external, {address}. does not answer"):
        open_broker(address).start()
    with pytest.raises(Misconfigured, match=f"external, http://{address}. does not answer"):
        open_registry(f"http://{address}").start()
