"""A lane's transactional producer: the fence and the atomic commit.

The transactional id is the lane's, so opening it ends whatever a former owner left open and fences that owner for good.
"""

import logging
import struct
from collections.abc import Iterable, Mapping

from confluent_kafka import KafkaException, Producer

from streams.engine.model import WIRE_MAX, Out
from streams.engine.stage import EngineConfig
from streams.engine.step import STATE, Changes
from streams.errors import Fatal

CLIENT_LOG = logging.getLogger("librdkafka")
RESERVED = b"\x00"
POSITION = RESERVED + b"position:"
TIMER = RESERVED + b"timer:"
FENCED = frozenset({"_FENCED", "PRODUCER_FENCED", "INVALID_PRODUCER_EPOCH"})
_OFFSET = struct.Struct(">q")


def pack_offset(offset: int) -> bytes:
    """A position as stored: the next offset to process."""
    return _OFFSET.pack(offset)


def unpack_offset(raw: bytes) -> int:
    """The inverse of `pack_offset`."""
    return int(_OFFSET.unpack(raw)[0])


class Fenced(Fatal):
    """Another owner opened the lane; nothing this one does can become visible."""


class Transactions:
    """Blocking; called from worker threads, by one lane only."""

    def __init__(self, config: EngineConfig, transactional_id: str, partition: int, stores: Mapping[str, str]) -> None:
        self._timeout = config.transaction_s
        self._partition = partition
        self._stores = stores
        self._producer = Producer(
            {
                "bootstrap.servers": config.bootstrap,
                "transactional.id": transactional_id,
                "transaction.timeout.ms": int(config.transaction_s * 1000),
                "linger.ms": 2,
                "batch.size": 400_000,
                "message.max.bytes": WIRE_MAX,
                "queue.buffering.max.messages": 500_000,
                "queue.buffering.max.kbytes": 500_000,
                "delivery.report.only.error": True,
                # The partitioner of Java clients and of Faust, so that everyone agrees where a key lives.
                "partitioner": "murmur2_random",
            },
            logger=CLIENT_LOG,
        )

    def fence(self) -> None:
        """End a former owner. Must come before the changelog is read, or a commit still on its way is missed."""
        self._producer.init_transactions(self._timeout)

    def commit(self, changes: Changes, positions: Mapping[str, int]) -> None:
        """Outputs, state, timers and positions become visible together, or the process must end: raises Fatal.

        Raises Fenced when the lane belongs to another owner by now.
        """
        try:
            self._producer.begin_transaction()
            self._send(changes.outs)
            for (store, key), value in changes.puts.items():
                self._keep(self._stores[store], key, value)
            for timer_id, timer in changes.timers.items():
                self._keep(self._stores[STATE], TIMER + timer_id.encode(), timer.pack() if timer else None)
            for topic, offset in positions.items():
                self._keep(self._stores[STATE], POSITION + topic.encode(), pack_offset(offset))
            self._producer.commit_transaction(self._timeout)
        except (KafkaException, BufferError) as error:
            if isinstance(error, KafkaException) and error.args[0].name() in FENCED:
                raise Fenced("fenced", str(error)) from error
            raise Fatal("commit_failed", str(error)) from error

    def _send(self, outs: Iterable[Out]) -> None:
        for out in outs:
            headers: list[tuple[str, str | bytes | None]] = list(out.headers)
            if out.partition is None:
                self._producer.produce(out.topic, out.value, out.key, headers=headers)
            else:
                self._producer.produce(out.topic, out.value, out.key, out.partition, headers=headers)

    def _keep(self, topic: str, key: bytes, value: bytes | None) -> None:
        self._producer.produce(topic, value, key, self._partition)
