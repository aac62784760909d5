"""Reads what is committed: ends of topics, all records of a topic, and requests while they appear."""

import threading
import time
from collections.abc import Iterator
from typing import Any

from confluent_kafka import Consumer, IsolationLevel, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # exported, but not said to be

from tests.bench.engine.workload import FIRST_PACED_ID, PARTITIONS, request_number


def ends(admin: AdminClient, topic: str) -> dict[int, int]:
    """Per partition, the offset behind the last record that everybody may see; transactions' markers count too."""
    latest: Any = OffsetSpec.latest()  # type: ignore[no-untyped-call]
    asked = {TopicPartition(topic, number): latest for number in range(PARTITIONS)}
    futures = admin.list_offsets(asked, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=10)
    return {partition.partition: future.result().offset for partition, future in futures.items()}


def records(bootstrap: str, topic: str) -> Iterator[Any]:
    """Every committed message of a topic; partitions interleave, each is in its own order."""
    consumer = _consumer(bootstrap)
    consumer.assign([TopicPartition(topic, number, 0) for number in range(PARTITIONS)])
    left = PARTITIONS
    try:
        while left:
            for message in consumer.consume(5000, 0.1):
                if message.error():
                    left -= 1
                else:
                    yield message
    finally:
        consumer.close()


class Witness:
    """Notes, while entered, when each request of a paced order became visible to a reader of committed records.

    `seen` maps the order's number to seconds since 1970.
    """

    def __init__(self, bootstrap: str, topic: str, starts: dict[int, int]) -> None:
        self.seen: dict[int, float] = {}
        self._consumer = _consumer(bootstrap)
        self._consumer.assign([TopicPartition(topic, number, at) for number, at in starts.items()])
        self._halt = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="witness", daemon=True)

    def __enter__(self) -> "Witness":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._halt.set()
        self._thread.join()
        self._consumer.close()

    def _watch(self) -> None:
        while not self._halt.is_set():
            message: Any = self._consumer.poll(0.2)
            if message is not None and not message.error():
                number = request_number(message.value())
                if number >= FIRST_PACED_ID:
                    self.seen.setdefault(number, time.time())


def _consumer(bootstrap: str) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            # Joins no group; librdkafka only wants a name.
            "group.id": "bench-reader",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "fetch.message.max.bytes": 4_000_000,
            "fetch.wait.max.ms": 50,
        }
    )
