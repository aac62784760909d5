"""Quix Streams, exactly once, as its documentation does it: a stateful function over a data frame, state in RocksDB.

Runs in the environment of peers.txt. Its state is kept as JSON, its default: orjson is faster than fastavro, so this is
the better deal for it.
"""

import threading
from typing import Any

from quixstreams import Application  # type: ignore[import-not-found]
from quixstreams.models import Deserializer, Serializer  # type: ignore[import-not-found]

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
from tests.bench.engine.workload import Fields, dec_order, decide, enc_request

SETTINGS: dict[str, Any] = {
    "processing_guarantee": "exactly-once",
    "commit_interval": COMMIT_S,
    "consumer_poll_timeout": 0.05,
    "auto_offset_reset": "earliest",
    "use_changelog_topics": True,
    "producer_extra_config": {
        "linger.ms": LINGER_MS,
        "batch.size": BATCH_BYTES,
        "queue.buffering.max.messages": 500_000,
        "queue.buffering.max.kbytes": 500_000,
    },
    "consumer_extra_config": {"queued.max.messages.kbytes": 65_536, "session.timeout.ms": 10_000},
}


class _Orders(Deserializer):  # type: ignore[misc]
    def __call__(self, value: bytes, ctx: Any) -> Fields:
        """An order."""
        return dec_order(value)


class _Requests(Serializer):  # type: ignore[misc]
    def __call__(self, value: Fields, ctx: Any) -> bytes:
        """A request, encoded."""
        return enc_request(value)


def main(task: Task) -> None:
    """Run until SIGTERM."""
    announce({**SETTINGS, "state": "RocksDB and JSON"}, "quixstreams", "confluent-kafka", "fastavro", "rocksdict")
    profiles = load_profiles(task)
    tune()
    app = Application(
        broker_address=task.bootstrap, consumer_group=task.run, state_dir=task.scratch, loglevel="WARNING", **SETTINGS
    )
    orders = app.topic(task.orders, key_deserializer="bytes", value_deserializer=_Orders())
    requests = app.topic(task.requests, key_serializer="bytes", value_serializer=_Requests())

    def step(order: Fields, key: bytes, timestamp: int, headers: Any, state: Any) -> Fields:
        request, after = decide(order, profiles.get(key), state.get("s"))
        state.set("s", after)
        return request

    app.dataframe(orders).apply(step, stateful=True, metadata=True).to_topic(requests)
    threading.Thread(target=_watch, args=(app,), daemon=True).start()
    app.run()


def _watch(app: Any) -> None:
    # It has no word for "assigned"; its consumer knows.
    pause = threading.Event()
    while not pause.wait(0.1):
        if app._consumer.assignment() and not app._state_manager.recovery_required:  # noqa: SLF001 - see above
            ready()
            return


if __name__ == "__main__":
    main(task())
