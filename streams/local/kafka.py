"""Apache Kafka as one process on this machine: a KRaft node that is broker and controller, from its published jars."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from streams.errors import Fatal
from streams.local.fetch import Tell, fetched, untold
from streams.local.java import QUICK, find_java
from streams.local.machines import Program
from streams.local.ports import HOST, free_port

VERSION = "4.1.0"
CLUSTER_ID = "dGlkaW5ncy1sb2NhbC0wMQ"
_QUIET = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"

SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "auto.create.topics.enable": "false",
    "num.partitions": "4",
    "offsets.topic.num.partitions": "4",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    # After a kill the node is let in again only when its old session has run out: 9 s if nothing is said.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    # Every partition preallocates two index files, and the cleaner takes 128 MB of heap.
    "log.index.size.max.bytes": "1048576",
    "log.cleaner.dedupe.buffer.size": "16777216",
}
"""What one node needs to be a whole cluster on a small machine; the same for a container."""


def kafka(port: int = 0, jvm: Sequence[str] = QUICK, tell: Tell = untold) -> Program:
    """A broker on 127.0.0.1; fetches the jars if the cache has none."""
    libs = fetch(tell) / "libs"
    port, controller, java = port or free_port(), free_port(), find_java()

    def command(home: Path) -> Sequence[str]:
        if not (home / "data").exists():
            shutil.copytree(libs.parent / "formatted", home / "data")
        config = home / "server.properties"
        _write(config, home / "data", port, controller)
        return [str(java), *jvm, _QUIET, "-cp", f"{libs}/*", "kafka.Kafka", str(config)]

    return Program("kafka", f"{HOST}:{port}", command)


def fetch(tell: Tell = untold) -> Path:
    """The directory with the jars and a formatted, empty data directory to copy: that saves a JVM start per broker."""
    return fetched("kafka", VERSION, tell, _format)


def _format(into: Path) -> None:
    config = into / "format.properties"
    _write(config, into / "formatted", 9092, 9093)
    tool = ["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(config)]
    argv = [str(find_java()), *QUICK, _QUIET, "-cp", f"{into}/libs/*", *tool]
    done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise Fatal("format_failed", f"Kafka's storage tool said: {(done.stdout + done.stderr)[-500:]}")


def _write(config: Path, data: Path, port: int, controller: int) -> None:
    entries = dict(SETTINGS)
    entries["listeners"] = f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller}"
    entries["advertised.listeners"] = f"PLAINTEXT://{HOST}:{port}"
    entries["controller.quorum.voters"] = f"1@{HOST}:{controller}"
    entries["log.dirs"] = str(data)
    config.write_text("".join(f"{key}={value}\n" for key, value in entries.items()), encoding="utf-8")
