"""Bytewax. Towards Kafka it gives no exactly once: "messages from the resume epoch will be duplicated", says its sink.

Runs in the environment of peers.txt. Its own recovery store (SQLite) is off; its states go to a changelog topic through
the sink that carries the requests, so that it writes as many records as the others.
"""

from typing import Any

import bytewax.operators as op  # type: ignore[import-not-found]
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource  # type: ignore[import-not-found]
from bytewax.dataflow import Dataflow  # type: ignore[import-not-found]
from bytewax.testing import run_main  # type: ignore[import-not-found]

from tests.bench.engine.contestants.task import (
    BATCH_BYTES,
    LINGER_MS,
    Task,
    announce,
    load_profiles,
    ready,
    task,
    tune,
)
from tests.bench.engine.workload import Fields, dec_order, decide, enc_request, enc_state

AT_ONCE = 1000
CONSUMER = {"isolation.level": "read_committed", "queued.max.messages.kbytes": "65536"}
PRODUCER = {
    "linger.ms": str(LINGER_MS),
    "batch.size": str(BATCH_BYTES),
    "queue.buffering.max.messages": "500000",
    "queue.buffering.max.kbytes": "500000",
}


def flow(task: Task, profiles: dict[bytes, Fields]) -> Any:
    """Orders -> decode -> join and state -> request and state, encoded."""

    def decode(message: Any) -> tuple[str, Fields]:
        return message.key.decode(), dec_order(message.value)

    def join(state: Fields | None, order: Fields) -> tuple[Fields, tuple[Fields, Fields]]:
        request, after = decide(order, profiles.get(order["customer_id"].encode()), state)
        return after, (request, after)

    def encode(keyed: tuple[str, tuple[Fields, Fields]]) -> list[Any]:
        key, (request, after) = keyed[0].encode(), keyed[1]
        return [
            KafkaSinkMessage(key, enc_request(request), topic=task.requests),
            KafkaSinkMessage(key, enc_state(after), topic=task.changelog),
        ]

    dataflow = Dataflow("join")
    source = KafkaSource([task.bootstrap], [task.orders], batch_size=AT_ONCE, add_config=CONSUMER)
    decoded = op.map("decode", op.input("orders", dataflow, source), decode)
    joined = op.stateful_map("join", decoded, join)
    op.output("out", op.flat_map("encode", joined, encode), KafkaSink([task.bootstrap], None, add_config=PRODUCER))
    return dataflow


def main(task: Task) -> None:
    """Run until killed."""
    settings = {**CONSUMER, **PRODUCER, "batch_size": AT_ONCE, "recovery": "off", "exactly once towards Kafka": "no"}
    announce(settings, "bytewax", "confluent-kafka", "fastavro")
    profiles = load_profiles(task)
    tune()
    dataflow = flow(task, profiles)
    # It reads from the start of the topic and joins no group: what comes now is not missed.
    ready()
    run_main(dataflow)


if __name__ == "__main__":
    main(task())
