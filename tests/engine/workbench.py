"""Starts, breaks and restarts counting workers on a real broker, and reads what they left with read_committed."""

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

PARTITIONS = 4
PATIENCE_S = 90


class Workbench:
    """One set of topics; workers of it share a group."""

    def __init__(self, bootstrap: str, directory: Path, partitions: int = PARTITIONS, **config: Any) -> None:
        self.bootstrap, self.directory, self.partitions, self.config = bootstrap, directory, partitions, config
        self.prefix = f"t{uuid.uuid4().hex[:8]}."
        self.workers: list[subprocess.Popen[bytes]] = []
        self.admin = AdminClient({"bootstrap.servers": bootstrap})
        self.create("in", "out", "dlq", "changelog")
        self.producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5})
        self._out = self._consumer("out", eof=False)
        self.outputs: list[tuple[bytes, bytes]] = []

    def start(self, **config: Any) -> subprocess.Popen[bytes]:
        """One more worker; `config` are fields of EngineConfig."""
        own = {"partitions": self.partitions, "data_dir": str(self.directory / "data"), **self.config, **config}
        argv = [sys.executable, "-m", "tests.engine.counting", self.bootstrap, self.prefix, json.dumps(own)]
        with (self.directory / f"worker-{len(self.workers)}.log").open("wb") as log:
            worker = subprocess.Popen(argv, stdout=log, stderr=log)
        self.workers.append(worker)
        return worker

    def create(self, *names: str) -> None:
        """Topics, empty."""
        if self.config.get("embedded"):
            # The mock cluster makes a topic when it is first asked for, and in no other way.
            for name in names:
                self.admin.list_topics(self.prefix + name, timeout=10)
            return
        compact = {"cleanup.policy": "compact"}
        wanted = [
            NewTopic(self.prefix + name, self.partitions, 1, config=compact if name == "changelog" else {})
            for name in names
        ]
        for created in self.admin.create_topics(wanted).values():
            created.result()

    def recreate(self, name: str) -> None:
        """Another topic under the same name."""
        for deleted in self.admin.delete_topics([self.prefix + name]).values():
            deleted.result()
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self.create(name)
            except KafkaException:
                # The old one takes a moment to be gone.
                assert time.monotonic() < deadline

    def said(self, worker: subprocess.Popen[bytes]) -> str:
        """The log of a worker."""
        return (self.directory / f"worker-{self.workers.index(worker)}.log").read_text()

    def end(self, worker: subprocess.Popen[bytes]) -> tuple[int, str]:
        """Wait for a worker to leave by itself: its exit code and its log."""
        return worker.wait(PATIENCE_S), self.said(worker)

    def stop(self, worker: subprocess.Popen[bytes]) -> None:
        """Ask a worker to stop, and see that it does so in order."""
        worker.terminate()
        assert worker.wait(PATIENCE_S) == 0, self.said(worker)

    def put(self, key: bytes, value: bytes | None) -> None:
        """One input record; a key always goes to the same partition."""
        self.producer.produce(f"{self.prefix}in", value, key, sum(key) % self.partitions)
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
        consumer = self._consumer(topic, eof=True)
        values, ends = [], 0
        while ends < self.partitions:
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

    def _consumer(self, topic: str, *, eof: bool) -> Consumer:
        consumer = Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": f"reader-{uuid.uuid4().hex}",
                "enable.auto.commit": False,
                "enable.partition.eof": eof,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
            }
        )
        consumer.assign([TopicPartition(self.prefix + topic, number, 0) for number in range(self.partitions)])
        return consumer


@contextmanager
def workbench(bootstrap: str, directory: Path, partitions: int = PARTITIONS, **config: Any) -> Iterator[Workbench]:
    """One that leaves no process behind; `config` are fields of every worker's EngineConfig."""
    made = Workbench(bootstrap, directory, partitions, **config)
    try:
        yield made
    finally:
        made.close()
