"""What a million keys and a million timers cost the engine: `python -m tests.bench.engine.state`.

Each measurement is a process of its own that opens the four lanes of a worker as the engine does: fence, then restore.
Figures stand beside the targets and decide nothing; what was not restored in full does.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from streams.engine import Timer
from streams.engine.state import TIMER
from streams.local.broker import open_broker
from tests.bench.engine.lanes import NAMESPACE
from tests.bench.engine.report import table
from tests.bench.engine.workload import PARTITIONS

BROKER_JVM = ("-Xms1g", "-Xmx1g", "-XX:+UseG1GC")
PER_TRANSACTION = 100_000
FAR_MS = 4_000_000_000_000
ROOT = Path(__file__).parents[3]


def main(argv: Sequence[str]) -> int:
    """The exit code: 1 when a restore brought back another number of keys or timers than there are."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.engine.state")
    parser.add_argument("--keys", type=int, default=1_000_000, help="keys of 50 bytes each (1,000,000)")
    parser.add_argument("--timers", type=int, default=1_000_000, help="pending timers (1,000,000)")
    parser.add_argument("--out", type=Path, help="file to which a JSON line per measurement is added")
    given = parser.parse_args(argv)
    with (
        open_broker("local", jvm=BROKER_JVM, tell=print_line) as broker,
        tempfile.TemporaryDirectory(prefix="bench-state-") as scratch,
    ):
        fill(broker.bootstrap, "first", ())
        fill(broker.bootstrap, "empty", ())
        fill(broker.bootstrap, "keys", keys(given.keys))
        fill(broker.bootstrap, "timers", timers(given.timers))
        found = measure(broker.bootstrap, scratch)
    found["slow-down"] = {"ratio": found["timers"]["step_ms"] / found["empty"]["step_ms"]}
    rows = judge(found)
    print_line(table(["measured", "seen", "target", ""], rows))
    if given.out is not None:
        with given.out.open("a", encoding="utf-8") as lines:
            lines.writelines(json.dumps({"kind": name, **fields}) + "\n" for name, fields in found.items())
    whole = all(found[name]["keys"] == given.keys for name in ("memory", "rocksdb cold", "rocksdb warm"))
    return 0 if whole and found["timers"]["timers"] == given.timers else 1


def measure(bootstrap: str, scratch: str) -> dict[str, dict[str, float]]:
    """Each measurement in a fresh process; the warm store is the one the cold start left behind."""
    plan = {
        # A broker makes its own topics for transactions and groups when first asked; no worker meets that twice.
        "first ever": ("first", "memory"),
        "empty": ("empty", "memory"),
        "memory": ("keys", "memory"),
        "rocksdb cold": ("keys", "rocksdb"),
        "rocksdb warm": ("keys", "rocksdb"),
        "timers": ("timers", "memory"),
    }
    found: dict[str, dict[str, float]] = {}
    for name, (changelog, store) in plan.items():
        command = [sys.executable, "-m", "tests.bench.engine.lanes", bootstrap, changelog, store, scratch]
        done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, timeout=600)
        if done.returncode:
            raise SystemExit(f"{name}: left with {done.returncode}: {done.stderr[-2000:]}")
        found[name] = json.loads(done.stdout.splitlines()[-1])
        print_line(f"{name}: {found[name]}")
    return found


def judge(found: dict[str, dict[str, float]]) -> list[list[str]]:
    """A row per target: what was measured, what is wanted, whether it is so."""
    targets = (
        ("restore into memory, s", found["memory"]["open_s"], 3.0),
        ("restore into a cold RocksDB, s", found["rocksdb cold"]["open_s"], 4.0),
        ("open a warm RocksDB, s", found["rocksdb warm"]["open_s"], 1.0),
        ("open an empty lane (slowest of four), s", found["empty"]["slowest_s"], 0.3),
        ("memory with the timers, MB", found["timers"]["peak_mb"], 1000.0),
    )
    rows = [
        [what, f"{seen:.2f}", f"<= {wanted:g}", "met" if seen <= wanted else "MISSED"] for what, seen, wanted in targets
    ]
    ratio = found["slow-down"]["ratio"]
    return [*rows, ["a step with the timers over one without", f"{ratio:.2f}", "-", ""]]


def keys(count: int) -> Iterable[tuple[int, bytes, bytes]]:
    """Partition, key and a value of 50 bytes."""
    return ((number % PARTITIONS, b"cust-%08d" % number, b"%050d" % number) for number in range(count))


def timers(count: int) -> Iterable[tuple[int, bytes, bytes]]:
    """Partition, reserved key and a packed timer that is not due in our lifetime."""
    for number in range(count):
        timer = Timer(f"timer-{number:08d}", FAR_MS + number, "bench.source", b"cust-%08d" % number, b"x" * 50)
        yield number % PARTITIONS, TIMER + timer.timer_id.encode(), timer.pack()


def fill(bootstrap: str, name: str, pairs: Iterable[tuple[int, bytes, bytes]]) -> None:
    """Makes the topics of a stage called `name` and writes its changelog, in transactions as the engine would."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    configs: dict[str, dict[str, str]] = {".changelog": {"cleanup.policy": "compact"}, ".source": {}, ".dlq": {}}
    topics = [NewTopic(name + end, PARTITIONS, 1, config=config) for end, config in configs.items()]
    for future in admin.create_topics(topics).values():
        future.result()
    settings: dict[str, Any] = {
        "bootstrap.servers": bootstrap,
        "transactional.id": f"{name}.fill",
        "linger.ms": 20,
        "batch.size": 400_000,
        "queue.buffering.max.messages": 2 * PER_TRANSACTION,
    }
    producer = Producer(settings)
    producer.init_transactions(60)
    producer.begin_transaction()
    for number, (partition, key, value) in enumerate(pairs, start=1):
        producer.produce(f"{name}.changelog", value, key, partition)
        if number % PER_TRANSACTION == 0:
            producer.commit_transaction(60)
            producer.begin_transaction()
    producer.commit_transaction(60)
    for partition in range(PARTITIONS):
        # Every lane had an owner before: a coordinator that meets an id for the first time asks for half a second.
        Producer(
            {"bootstrap.servers": bootstrap, "transactional.id": f"{NAMESPACE}-{name}-{partition}"}
        ).init_transactions(60)


def print_line(text: str) -> None:
    """For people."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
