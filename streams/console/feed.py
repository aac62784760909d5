"""Reads the topics from their beginning into a tally, in a thread of its own, and leaves no trace on the broker.

It joins no group and commits nothing: whoever watches takes no partition from a worker, and can stop and start again at
any time. A record that cannot be decoded is counted and passed over.
"""

import threading
from collections.abc import Callable, Sequence

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition
from pydantic import BaseModel

from streams.console.snapshot import Snapshot
from streams.console.tally import TOPICS, Tally
from streams.errors import Failure

Decode = Callable[[bytes], BaseModel]

log = structlog.get_logger("console")

_POLL_S = 0.2
_METADATA_S = 2.0
_RUN = 500


class Feed:
    """One reader. `start` begins anew with an empty tally; `snapshot` may be called from any thread."""

    def __init__(self, bootstrap: str, decode: Decode, topics: Sequence[str] = TOPICS) -> None:
        self._bootstrap, self._decode, self._topics = bootstrap, decode, tuple(topics)
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._tally = Tally()

    def start(self) -> None:
        """Begins to read; a feed that runs is left alone."""
        if self._thread and self._thread.is_alive():
            return
        with self._lock:
            self._tally = Tally()
        self._stopped.clear()
        self._thread = threading.Thread(target=self._run, name="console-feed", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread and waits for it. What was counted stays."""
        self._stopped.set()
        if self._thread:
            self._thread.join()
            self._thread = None

    def snapshot(self) -> Snapshot:
        """What was counted so far."""
        with self._lock:
            return self._tally.snapshot()

    def _run(self) -> None:
        consumer = Consumer(
            {
                "bootstrap.servers": self._bootstrap,
                # Never joins a group; librdkafka only wants a name.
                "group.id": "tidings-console",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
                "allow.auto.create.topics": False,
                "fetch.wait.max.ms": 100,
                # It would write over a live view; a broker that is gone shows in the health of the processes.
                "log_level": 2,
            }
        )
        try:
            if self._assign(consumer):
                while not self._stopped.is_set():
                    self._take(consumer.consume(_RUN, _POLL_S))
        except KafkaException as error:
            log.warning("feed_ended", reason=str(error))
        finally:
            consumer.close()

    def _assign(self, consumer: Consumer) -> bool:
        """All partitions of all topics, once they are all visible."""
        while not self._stopped.is_set():
            try:
                known = consumer.list_topics(timeout=_METADATA_S).topics
            except KafkaException:
                continue
            found = {name: known[name].partitions for name in self._topics if name in known and not known[name].error}
            if len(found) == len(self._topics):
                consumer.assign([TopicPartition(name, p, OFFSET_BEGINNING) for name, ps in found.items() for p in ps])
                return True
            self._stopped.wait(_POLL_S)
        return False

    def _take(self, messages: Sequence[Message]) -> None:
        for message in messages:
            topic, value = message.topic(), message.value()
            if message.error() or topic is None or value is None:
                continue
            try:
                record = self._decode(value)
            except Failure as failure:
                log.info("record_unreadable", topic=topic, code=failure.code)
                with self._lock:
                    self._tally.skip()
                continue
            with self._lock:
                self._tally.add(topic, record)
