"""The topics of a run: made, watched while it goes on, read to their ends when it is over; always read_committed."""

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.crash.oracle import Read

PATIENCE_S = 60.0


def make(bootstrap: str, plain: Iterable[str], compacted: Iterable[str], partitions: int) -> None:
    """New topics; changelogs are compacted."""
    topics = [NewTopic(name, partitions, 1) for name in plain]
    topics += [NewTopic(name, partitions, 1, config={"cleanup.policy": "compact"}) for name in compacted]
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for created in admin.create_topics(topics).values():
        created.result()


def _consumer(bootstrap: str, *, ends: bool, isolation: str = "read_committed") -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"reader-{uuid.uuid4().hex}",
            "enable.auto.commit": False,
            "enable.partition.eof": ends,
            "isolation.level": isolation,
            "auto.offset.reset": "earliest",
            "log_level": 2,
        }
    )


def read(bootstrap: str, topic: str, partitions: int, isolation: str = "read_committed") -> list[Read]:
    """Everything committed in a topic. Blocking. Raises KafkaException when the broker stays silent."""
    consumer = _consumer(bootstrap, ends=True, isolation=isolation)
    consumer.assign([TopicPartition(topic, number, 0) for number in range(partitions)])
    records, ends = [], set[int]()
    deadline = time.monotonic() + PATIENCE_S
    try:
        while len(ends) < partitions:
            for message in consumer.consume(5000, 0.1):
                if message.error() is None:
                    at = (message.partition() or 0, message.offset() or 0, message.timestamp()[1])
                    records.append(Read(*at, message.key() or b"", message.value()))
                else:
                    ends.add(message.partition() or 0)
            if time.monotonic() > deadline:
                raise KafkaException(f"{topic} has no end")
    finally:
        consumer.close()
    return records


class Progress:
    """Counts committed records of topics while they appear. `counts` is by (topic, partition)."""

    def __init__(self, bootstrap: str, topics: Sequence[str], partitions: int) -> None:
        self.counts: Counter[tuple[str, int]] = Counter()
        self.moved_at = time.monotonic()
        self._newest: dict[tuple[str, int], int] = {}
        self._partitions = partitions
        self._over = False
        self._consumer = _consumer(bootstrap, ends=False)
        self._consumer.assign([TopicPartition(topic, number, 0) for topic in topics for number in range(partitions)])

    async def watch(self) -> None:
        """Until told to stop."""
        while not self._over:
            for message in await asyncio.to_thread(self._consumer.consume, 2000, 0.05):
                if message.error() is None:
                    at = (message.topic() or "", message.partition() or 0)
                    self.counts[at] += 1
                    self._newest[at] = message.timestamp()[1]
                    self.moved_at = time.monotonic()
        self._consumer.close()

    def stop(self) -> None:
        """Have `watch` return."""
        self._over = True

    def total(self, topic: str) -> int:
        """Records of a topic so far."""
        return sum(self.counts[topic, number] for number in range(self._partitions))

    def oldest(self, topic: str) -> int:
        """The partition that is furthest behind has a record from this time, epoch ms; 0 when it has none."""
        return min(self._newest.get((topic, number), 0) for number in range(self._partitions))

    @property
    def still_s(self) -> float:
        """Seconds since anything moved."""
        return time.monotonic() - self.moved_at
