"""Starts, breaks and restarts counting workers on a real broker, and reads what they left with read_committed."""

import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

PARTITIONS = 4
PATIENCE_S = 90


class Workbench:
    """One set of topics; workers of it share a group."""

    def __init__(self, bootstrap: str, directory: Path) -> None:
        self.bootstrap, self.directory = bootstrap, directory
        self.prefix = f"t{uuid.uuid4().hex[:8]}."
        self.workers: list[subprocess.Popen[bytes]] = []
        compact = {"cleanup.policy": "compact"}
        topics = [NewTopic(self.prefix + name, PARTITIONS, 1) for name in ("in", "out", "dlq")]
        topics.append(NewTopic(f"{self.prefix}changelog", PARTITIONS, 1, config=compact))
        admin = AdminClient({"bootstrap.servers": bootstrap})
        for created in admin.create_topics(topics).values():
            created.result()
        self.producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5})
        self._out = self._consumer("out")
        self.outputs: list[tuple[bytes, bytes]] = []

    def start(self) -> subprocess.Popen[bytes]:
        """One more worker."""
        argv = [sys.executable, "-m", "tests.engine.counting", self.bootstrap, self.prefix, str(self.directory)]
        with (self.directory / f"worker-{len(self.workers)}.log").open("wb") as log:
            worker = subprocess.Popen(argv, stdout=log, stderr=log)
        self.workers.append(worker)
        return worker

    def put(self, key: bytes, value: bytes) -> None:
        """One input record; a key always goes to the same partition."""
        self.producer.produce(f"{self.prefix}in", value, key, sum(key) % PARTITIONS)
        self.producer.poll(0)

    def until(self, reached: Callable[[list[tuple[bytes, bytes]]], bool]) -> None:
        """Read outputs until the condition holds; fails with what is there when it never does."""
        self.producer.flush()
        deadline = time.monotonic() + PATIENCE_S
        while not reached(self.outputs):
            for message in self._out.consume(1000, 0.1):
                if message.error() is None:
                    self.outputs.append((message.key() or b"", message.value() or b""))
            assert time.monotonic() < deadline, f"still waiting after {len(self.outputs)} outputs: {self._logs()}"

    def read(self, topic: str) -> list[bytes]:
        """Every committed value of a topic."""
        consumer = self._consumer(topic)
        values, ends = [], 0
        while ends < PARTITIONS:
            for message in consumer.consume(1000, 0.1):
                if message.error() is None:
                    values.append(message.value() or b"")
                else:
                    ends += 1
        consumer.close()
        return values

    def close(self) -> None:
        """No worker is left."""
        for worker in self.workers:
            worker.kill()
            worker.wait()
        self._out.close()

    def _logs(self) -> str:
        return "\n".join(path.read_text()[-800:] for path in sorted(self.directory.glob("worker-*.log")))

    def _consumer(self, topic: str) -> Consumer:
        consumer = Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": f"reader-{uuid.uuid4().hex}",
                "enable.auto.commit": False,
                "enable.partition.eof": topic != "out",
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
            }
        )
        consumer.assign([TopicPartition(self.prefix + topic, number, 0) for number in range(PARTITIONS)])
        return consumer


@contextmanager
def workbench(bootstrap: str, directory: Path) -> Iterator[Workbench]:
    """One that leaves no process behind."""
    made = Workbench(bootstrap, directory)
    try:
        yield made
    finally:
        made.close()
