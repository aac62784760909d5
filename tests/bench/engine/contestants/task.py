"""What every Python contestant is told by its environment, and must say on stdout: its settings, and READY."""

import gc
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from tests.bench.engine.workload import PARTITIONS, Fields, dec_profile

COMMIT_S = 0.1
LINGER_MS = 5
BATCH_BYTES = 400_000


@dataclass(frozen=True, slots=True)
class Task:
    """Where orders come from and requests go; `run` names the consumer group, `scratch` a folder to write into."""

    bootstrap: str
    run: str
    orders: str
    requests: str
    changelog: str
    dead_letters: str
    profiles: str
    worker: str
    scratch: str

    def environ(self) -> dict[str, str]:
        """As a child process is told."""
        return {f"BENCH_{name.upper()}": getattr(self, name) for name in self.__slots__}


def task() -> Task:
    """The task of this process."""
    return Task(**{name: os.environ[f"BENCH_{name.upper()}"] for name in Task.__slots__})


def tune() -> None:
    """The garbage collector looks at long-lived dicts again and again; rarely is enough, for everybody."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 50, 1000)


def announce(settings: Mapping[str, Any], *packages: str) -> None:
    """Versions and settings, for the report: said by who uses them."""
    versions = {name: version(name) for name in packages}
    _say("BENCH " + json.dumps({"versions": versions, "settings": dict(settings)}))


def ready() -> None:
    """Said once the process owns partitions."""
    _say("READY")


def load_profiles(task: Task) -> dict[bytes, Fields]:
    """All profiles, decoded; every contestant joins with such a table in memory."""
    profiles: dict[bytes, Fields] = {}
    consumer = Consumer(
        {
            "bootstrap.servers": task.bootstrap,
            "group.id": f"{task.run}-profiles",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
        }
    )
    consumer.assign([TopicPartition(task.profiles, number, 0) for number in range(PARTITIONS)])
    ends = 0
    while ends < PARTITIONS:
        for message in consumer.consume(5000, 0.05):
            key, value = message.key(), message.value()
            if message.error():
                ends += 1
            elif key is not None and value is not None:
                profiles[key] = dec_profile(value)
    consumer.close()
    return profiles


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
