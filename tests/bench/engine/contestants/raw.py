"""What somebody would write who wants exactly once and nothing else: one loop, one transaction each 100 ms.

It never reads its changelog back, so it could not be restarted; that part of the work it is given for free.
"""

import time
from collections.abc import Sequence
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from tests.bench.engine.contestants.task import (
    BATCH_BYTES,
    COMMIT_S,
    LINGER_MS,
    Task,
    announce,
    load_profiles,
    ready,
    task,
    tune,
)
from tests.bench.engine.workload import Fields, dec_order, decide, enc_request, enc_state

CONSUMER = {
    "auto.offset.reset": "earliest",
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "isolation.level": "read_committed",
    "queued.max.messages.kbytes": 65_536,
    "session.timeout.ms": 10_000,
}
PRODUCER = {
    "linger.ms": LINGER_MS,
    "batch.size": BATCH_BYTES,
    "queue.buffering.max.messages": 500_000,
    "queue.buffering.max.kbytes": 500_000,
}
AT_ONCE = 500


def main(task: Task) -> None:
    """Run until killed."""
    announce({**CONSUMER, **PRODUCER, "commit_s": COMMIT_S, "state": "dict, decoded"}, "confluent-kafka", "fastavro")
    profiles = load_profiles(task)
    tune()
    producer = Producer(
        {"bootstrap.servers": task.bootstrap, "transactional.id": f"{task.run}-{task.worker}", **PRODUCER}
    )
    producer.init_transactions()
    producer.begin_transaction()
    consumer = Consumer({"bootstrap.servers": task.bootstrap, "group.id": task.run, **CONSUMER})

    def assigned(_: Consumer, partitions: Sequence[TopicPartition]) -> None:
        if partitions:
            ready()

    consumer.subscribe([task.orders], on_assign=assigned)
    loop(task, consumer, producer, profiles)


def loop(task: Task, consumer: Consumer, producer: Producer, profiles: dict[bytes, Fields]) -> None:
    """Read, decide, produce; commit when it is time."""
    states: dict[bytes, Fields] = {}
    positions: dict[int, int] = {}
    committed = time.monotonic()
    while True:
        for message in consumer.consume(AT_ONCE, 0.05):
            if message.error():
                raise RuntimeError(str(message.error()))
            record: Any = message
            key, partition = record.key(), record.partition()
            request, after = decide(dec_order(record.value()), profiles.get(key), states.get(key))
            states[key] = after
            producer.produce(task.requests, enc_request(request), key, partition)
            producer.produce(task.changelog, enc_state(after), key, partition)
            positions[partition] = record.offset() + 1
        producer.poll(0)
        if positions and time.monotonic() - committed > COMMIT_S:
            offsets = [TopicPartition(task.orders, number, at) for number, at in positions.items()]
            producer.send_offsets_to_transaction(offsets, consumer.consumer_group_metadata())
            producer.commit_transaction()
            producer.begin_transaction()
            positions.clear()
            committed = time.monotonic()


if __name__ == "__main__":
    main(task())
