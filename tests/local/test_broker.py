"""A real Kafka on this machine, started once for this module: what the rest of the product may build on."""

from collections.abc import Iterator, Sequence

import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource  # type: ignore[attr-defined] # not marked as exported

from streams.errors import Misconfigured
from streams.local.broker import Broker, open_broker
from streams.local.topics_admin import create_topics
from streams.topics import TABLE

pytestmark = pytest.mark.broker
INBOX = "flow.inbox"


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    """Kafka with all topics of the table."""
    with open_broker("local") as running:
        assert len(create_topics(running.bootstrap, running.kind)) == len(TABLE)
        yield running


def transactional(broker: Broker, name: str) -> Producer:
    """A producer that fences its predecessor of the same name."""
    producer = Producer({"bootstrap.servers": broker.bootstrap, "transactional.id": name, "log_level": 0})
    producer.init_transactions(30)
    return producer


def committed(broker: Broker, partition: int) -> list[bytes | None]:
    """All a reader of committed records sees in a partition of the inbox."""
    consumer = Consumer(
        {
            "bootstrap.servers": broker.bootstrap,
            "group.id": "reader",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "log_level": 0,
        }
    )
    consumer.assign([TopicPartition(INBOX, partition, 0)])
    seen: list[bytes | None] = []
    while (message := consumer.poll(30)) is not None and message.error() is None:
        seen.append(message.value())
    consumer.close()
    return seen


def write(producer: Producer, partition: int, values: Sequence[bytes]) -> None:
    """Puts records into the producer's open transaction, all the way to the broker."""
    for value in values:
        producer.produce(INBOX, value, partition=partition)
    assert producer.flush(30) == 0


def test_a_local_broker_says_what_and_where_it_is(broker: Broker) -> None:
    """A run prints which broker it uses; the text holds version, kind and address."""
    assert broker.describe == f"Apache Kafka 4.1.0 (local, {broker.bootstrap})"


def test_every_topic_is_there_with_its_properties(broker: Broker) -> None:
    """Topics have the partitions asked for and are kept as the table says."""
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    topics = admin.list_topics(timeout=30).topics
    assert {len(topics[topic.name].partitions) for topic in TABLE} == {4}
    wanted = {topic.name: topic.config for topic in TABLE}
    resources = [ConfigResource("topic", name) for name in wanted]
    for resource, future in admin.describe_configs(resources).items():
        entries = future.result(30)
        assert {key: entries[key].value for key in wanted[resource.name]} == wanted[resource.name]


def test_creating_topics_again_changes_nothing(broker: Broker) -> None:
    """Every start may create topics; only what is missing is created."""
    assert create_topics(broker.bootstrap, broker.kind) == []


def test_another_number_of_partitions_is_refused(broker: Broker) -> None:
    """Topics that exist with another number of partitions are an error, since keys would move between lanes."""
    with pytest.raises(Misconfigured, match="has 4 partitions, wanted 8: set TIDINGS_PARTITIONS to 4"):
        create_topics(broker.bootstrap, broker.kind, 8)


def test_a_transaction_is_seen_as_a_whole_or_not_at_all(broker: Broker) -> None:
    """Readers see what was committed and nothing of what was aborted."""
    producer = transactional(broker, "whole")
    for values, end in (
        ([b"kept 1", b"kept 2"], producer.commit_transaction),
        ([b"dropped"], producer.abort_transaction),
        ([b"kept 3"], producer.commit_transaction),
    ):
        producer.begin_transaction()
        write(producer, 0, values)
        end(30)
    assert committed(broker, 0) == [b"kept 1", b"kept 2", b"kept 3"]


def test_a_former_owner_is_fenced(broker: Broker) -> None:
    """Who was replaced under its transactional id can no longer commit: that is what a real broker is for."""
    former = transactional(broker, "owner")
    former.begin_transaction()
    write(former, 1, [b"from the former owner"])
    current = transactional(broker, "owner")
    with pytest.raises(KafkaException):
        former.commit_transaction(30)
    current.begin_transaction()
    write(current, 1, [b"from the current owner"])
    current.commit_transaction(30)
    assert committed(broker, 1) == [b"from the current owner"]


def test_a_killed_broker_comes_back_with_its_data(broker: Broker) -> None:
    """After kill -9 the same broker answers at the same address, with what was committed and ready for more."""
    producer = transactional(broker, "survivor")
    producer.begin_transaction()
    write(producer, 2, [b"before"])
    producer.commit_transaction(30)
    address = broker.bootstrap
    broker.kill()
    broker.start()
    assert broker.bootstrap == address
    producer.begin_transaction()
    write(producer, 2, [b"after"])
    producer.commit_transaction(30)
    assert committed(broker, 2) == [b"before", b"after"]


def test_a_running_broker_is_not_started_twice(broker: Broker) -> None:
    """A second start would fight over the port and the data."""
    with pytest.raises(Misconfigured, match="already_started"):
        broker.start()
