"""The only module that reaches into Faust and aiokafka, and why each reach is needed.

1. Records arrive in *runs*: what one fetch brought for a partition is one message to Faust, so its cost is paid once.
2. Every run carries the client's position before it, the only proof of a gap where offsets have holes.
3. `fetch_max_wait_ms` (Faust fixes 1,500) and the isolation level are set on aiokafka; Faust has no such settings.
4. A lane above its limit is left out of the next drain; Faust's own back-pressure would stop all partitions.
5. Faust's commit of a run is its last offset; its own search for consecutive numbers would trail further behind.

Works with the exact versions in `guards.PINS`, which the worker checks before it starts.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from faust.serializers.codecs import Codec, register
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from faust.transport.drivers.aiokafka import Consumer as FaustConsumer
from faust.transport.drivers.aiokafka import Transport as FaustTransport
from faust.types import TP

from streams.engine.model import Record

RAW = "tidings_raw"
ASSIGNORS = [RangePartitionAssignor]
Full = Callable[[str, int], bool]


class FetchedRun:
    """Looks to Faust like one aiokafka record; its value is the client's position before and all records of the run."""

    __slots__ = (
        "checksum",
        "headers",
        "key",
        "offset",
        "partition",
        "serialized_key_size",
        "serialized_value_size",
        "timestamp",
        "timestamp_type",
        "topic",
        "value",
    )

    def __init__(self, records: list[Any], before: int | None) -> None:
        last = records[-1]
        self.topic, self.partition, self.offset = last.topic, last.partition, last.offset
        self.timestamp, self.timestamp_type = last.timestamp, last.timestamp_type
        self.headers, self.key, self.checksum = (), b"", None
        self.value = (before, [_record(record) for record in records])
        self.serialized_key_size, self.serialized_value_size = 0, len(records)


def _record(raw: Any) -> Record:
    return Record(raw.topic, raw.partition, raw.offset, raw.timestamp, raw.key or b"", raw.value, tuple(raw.headers))


class _PassThrough(Codec):
    """Keeps Faust from decoding anything."""

    def loads(self, s: bytes) -> Any:
        return s

    def dumps(self, s: Any) -> bytes:
        raise TypeError("the engine's topics are not produced to through Faust")

    def clone(self, *children: Any) -> "Codec":
        return self


register(RAW, _PassThrough())


class EngineThread(AIOKafkaConsumerThread):
    """Fetches runs instead of records and knows where the client stood before each."""

    topics: frozenset[str] = frozenset()
    fetch_wait_ms: int = 500

    def _create_worker_consumer(self, *args: Any, **kwargs: Any) -> Any:
        consumer: Any = super()._create_worker_consumer(*args, **kwargs)
        consumer._fetch_max_wait_ms = self.fetch_wait_ms
        consumer._isolation_level = "read_committed"
        # Without tables Faust deals partitions out round robin over all topics, and a worker would get different ones
        # of each; by ranges it gets the same numbers of every topic that has as many partitions.
        consumer._partition_assignment_strategy = ASSIGNORS
        self.positions: dict[tuple[str, int], int] = {}
        return consumer

    async def on_start(self) -> None:
        """Listens to seeks from the first moment."""
        await super().on_start()
        consumer: Any = self._consumer
        seek_to = consumer._fetcher.seek_to

        def remember(tp: Any, offset: int) -> Any:
            self.positions[tp.topic, tp.partition] = offset
            return seek_to(tp, offset)

        consumer._fetcher.seek_to = remember

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """What is assigned next is sought to anew."""
        self.positions.clear()
        await super().on_partitions_revoked(revoked)

    async def _fetch_records(self, *args: Any, **kwargs: Any) -> Any:
        fetched = await super()._fetch_records(*args, **kwargs)
        return {tp: self._run(tp, records) for tp, records in (fetched or {}).items()}

    def _run(self, tp: Any, records: list[Any]) -> list[Any]:
        if tp.topic not in self.topics or not records:
            return records
        at = (tp.topic, tp.partition)
        run = FetchedRun(records, self.positions.get(at))
        self.positions[at] = records[-1].offset + 1
        return [run]


class EngineConsumer(FaustConsumer):
    """Leaves out lanes that take no more, and commits whole runs."""

    thread: type[EngineThread]
    topics: frozenset[str]
    full: Full

    def _new_consumer_thread(self) -> Any:
        return self.thread(self, loop=self.loop, beacon=self.beacon)

    def on_buffer_full(self, tp: TP) -> None:
        """Faust would stop everything; lanes are held back one by one."""
        if tp.topic not in self.topics:
            super().on_buffer_full(tp)

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ASYNC109 - Faust's signature
        full = type(self).full
        held = {tp for tp in active_partitions or () if tp.topic in self.topics and full(tp.topic, tp.partition)}
        if not held or active_partitions is None:
            return await self._thread.getmany(active_partitions, timeout)
        if active := active_partitions - held:
            return await self._thread.getmany(active, 0.05)
        await asyncio.sleep(0.005)
        return {}

    def _new_offset(self, tp: TP) -> int | None:
        if tp.topic not in self.topics:
            return super()._new_offset(tp)
        acked = self._acked[tp]
        if not acked:
            return None
        newest = max(acked)
        acked.clear()
        self._acked_index[tp].clear()
        self._gap[tp].clear()
        return newest


def transport_for(topics: frozenset[str], full: Full, fetch_wait_ms: int) -> type[FaustTransport]:
    """A Faust transport for these topics; `full` says that a lane takes no more for now."""
    thread = type("Thread", (EngineThread,), {"topics": topics, "fetch_wait_ms": fetch_wait_ms})
    consumer = type("Consumer", (EngineConsumer,), {"thread": thread, "topics": topics, "full": staticmethod(full)})
    return type("Transport", (FaustTransport,), {"Consumer": consumer})
