"""Sends orders, as a process of its own. Run as `python -m tests.bench.engine.feed JSON`; says JSON lines on stdout.

A burst can be held back: it is produced inside one transaction and nobody who reads committed records sees any of it
until a line comes on stdin. All of it is there at one moment then, and producing costs the contestant nothing.
"""

import json
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from confluent_kafka import Producer

from tests.bench.engine import orders
from tests.bench.engine.workload import enc_order, key_of, paced_orders, partition_of


@dataclass(frozen=True, slots=True)
class Feed:
    """What to send. A "burst" is orders of the cache from number `first`; "paced" are new ones at `rate` a second."""

    kind: Literal["burst", "paced"]
    bootstrap: str
    topic: str
    count: int
    kept: str = ""
    first: int = 0
    hold: bool = False
    rate: int = 0

    def line(self) -> str:
        """As the process wants it."""
        return json.dumps(asdict(self))


def main(feed: Feed) -> None:
    """Send, and say when."""
    settings: dict[str, Any] = {
        "bootstrap.servers": feed.bootstrap,
        "acks": "all",
        "linger.ms": 20 if feed.kind == "burst" else 0,
        "batch.size": 400_000,
        "queue.buffering.max.messages": 0x7FFFFFFF,
        "queue.buffering.max.kbytes": 500_000,
    }
    if feed.hold:
        settings |= {"transactional.id": f"{feed.topic}.feed", "transaction.timeout.ms": 600_000}
    producer = Producer(settings)
    say(burst(producer, feed) if feed.kind == "burst" else paced(producer, feed))


def burst(producer: Producer, feed: Feed) -> dict[str, float]:
    """Everything at once; `started` is the moment from which it could be read."""
    if feed.hold:
        producer.init_transactions(60)
        producer.begin_transaction()
    started = time.time()
    produce = producer.produce
    for i, order in enumerate(orders.read(Path(feed.kept), feed.first, feed.count)):
        while True:
            try:
                produce(feed.topic, order.value, key_of(order.customer), partition_of(order.customer))
            except BufferError:
                producer.poll(0.05)
            else:
                break
        if i % 1000 == 0:
            producer.poll(0)
    producer.flush()
    if feed.hold:
        say({"held": feed.count})
        sys.stdin.readline()
        started = time.time()
        producer.commit_transaction(60)
    return {"started": started, "ended": time.time()}


def paced(producer: Producer, feed: Feed) -> dict[str, float]:
    """One after the other, each when it is due. An order carries the moment it was due, so a late start is no gift."""
    pause = threading.Event()
    start_us = time.time_ns() // 1000 + 200_000
    late_us = 0
    for customer, fields in paced_orders(feed.count, feed.rate, start_us):
        value = enc_order(fields)
        wait_us = fields["ts"] - time.time_ns() // 1000
        if wait_us > 0:
            pause.wait(wait_us / 1e6)
        else:
            late_us = max(late_us, -wait_us)
        producer.produce(feed.topic, value, key_of(customer), partition_of(customer))
        producer.poll(0)
    producer.flush()
    return {"started": start_us / 1e6, "ended": time.time(), "late_ms": late_us / 1000}


def say(fields: dict[str, float]) -> None:
    """One line for whoever started us."""
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Feed(**json.loads(sys.argv[1])))
