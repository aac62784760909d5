"""The Kafka broker of a run: an existing one, a container, a local process or, at worst, an embedded one.

`open_broker` chooses; the broker starts when it is entered. What was taken and why is in `describe`; nothing is
printed.
"""

import os
from collections.abc import Callable, Sequence
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from streams.errors import Failure
from streams.local import docker, kafka
from streams.local.choice import KAFKA, Choice, Kind, Probe, choose
from streams.local.embedded import MockCluster
from streams.local.fetch import Tell, untold
from streams.local.java import QUICK, find_java
from streams.local.machines import External, Machine
from streams.local.ports import HOST, free_port
from streams.local.service import Service

SILENT: dict[str, Any] = {"log_level": 0, "reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 100}
"""For clients that ask a broker which may not be there: librdkafka says so on stderr otherwise, again and again."""


IMAGE = f"apache/kafka:{kafka.VERSION}"


class Broker(Service):
    """A broker, started by entering it; `kill()` and `start()` bring a real one back with its data."""

    @property
    def bootstrap(self) -> str:
        """Its address, as Kafka clients want it; an embedded one has none before its start."""
        return self._machine.address


def open_broker(
    asked: str = "auto",
    *,
    require_real: bool = False,
    port: int = 0,
    jvm: Sequence[str] = QUICK,
    tell: Tell = untold,
) -> Broker:
    """The broker that `asked` stands for: host:port, docker, local, embedded, or auto, which heeds TIDINGS_KAFKA.

    `require_real` refuses the embedded one, which does not fence and shows aborted records. `port` and `jvm` are for
    those that are started here. Fetches what a local one needs, after having said so to `tell`; starts nothing.
    """
    probes: dict[Kind, Probe] = {"docker": docker.unavailable, "local": lambda: _local_unavailable(tell)}
    choice = choose(KAFKA, asked, os.environ, probes, require_real=require_real)
    machine, label = _machine(choice, port, jvm, tell)
    return Broker(choice.kind, label, machine, _asking, choice.because)


def _local_unavailable(tell: Tell) -> str | None:
    try:
        find_java()
        kafka.fetch(tell)
    except Failure as failure:
        return str(failure)
    return None


def _machine(choice: Choice, port: int, jvm: Sequence[str], tell: Tell) -> tuple[Machine, str]:
    published = f"Apache Kafka {kafka.VERSION}"
    match choice.kind:
        case "external":
            return External(choice.address), "Kafka"
        case "docker":
            return _container(port or free_port()), published
        case "local":
            return kafka.kafka(port, jvm, tell), published
        case "embedded":
            return MockCluster(), "librdkafka mock cluster, at-least-once for one worker"


def container_environment(port: int) -> dict[str, str]:
    """What Apache Kafka's image needs to be reached as 127.0.0.1:port."""
    settings = kafka.SETTINGS | {
        "listeners": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
        "controller.quorum.voters": "1@localhost:9093",
    }
    env = {"KAFKA_" + key.upper().replace(".", "_"): value for key, value in settings.items()}
    return env | {"CLUSTER_ID": kafka.CLUSTER_ID}


def _container(port: int) -> Machine:
    return docker.Container(IMAGE, f"{HOST}:{port}", f"{HOST}:{port}:9092", container_environment(port))


def _asking(bootstrap: str) -> Callable[[], bool]:
    admin = AdminClient({"bootstrap.servers": bootstrap, **SILENT})

    def answers() -> bool:
        try:
            seen = admin.list_topics(timeout=0.5)
        except KafkaException:
            return False
        leaders = (part.leader for topic in seen.topics.values() for part in topic.partitions.values())
        return bool(seen.brokers) and all(leader >= 0 for leader in leaders)

    return answers
