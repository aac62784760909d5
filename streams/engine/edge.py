"""The only module that reaches into Faust and aiokafka, and why each reach is needed.

1. aiokafka keeps the membership of the group and the commits; it fetches nothing. Records come from `fetch`, which is
   several times cheaper and starts where a lane stands, not where a commit or a seek says.
2. They reach the agent in *runs*: what one fetch brought for a partition is one message to Faust.
3. Partitions are dealt out by ranges, so that a worker gets the same numbers of every topic.
4. Faust must not drop a run: not for an offset it has read before, because after a rebalance lanes are fetched for
   anew, and not because the flow stopped while it waited for one.
5. Faust commits the end of a run; its own search for consecutive numbers would trail further behind.

Works with the exact versions in `guards.PINS`, which the worker checks before it starts.
"""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from typing import Any

from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from faust.serializers.codecs import Codec, register
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from faust.transport.drivers.aiokafka import Consumer as FaustConsumer
from faust.transport.drivers.aiokafka import Transport as FaustTransport
from faust.types import TP

from streams.engine.fetch import Run

RAW = "tidings_raw"
ASSIGNORS = [RangePartitionAssignor]
IDLE_S = 60.0


class RunMessage:
    """Looks to Faust like one aiokafka record; its value is the run."""

    __slots__ = ("offset", "partition", "timestamp", "topic", "value")
    timestamp_type, headers, key, checksum = 0, (), b"", None
    serialized_key_size = serialized_value_size = 0

    def __init__(self, run: Run) -> None:
        last = run.records[-1]
        self.topic, self.partition, self.value = run.topic, run.partition, run
        self.offset, self.timestamp = last.offset, last.timestamp


class _PassThrough(Codec):
    """Keeps Faust from decoding anything."""

    def loads(self, s: bytes) -> Any:
        return s

    def dumps(self, s: Any) -> bytes:
        raise TypeError("the engine's topics are not produced to through Faust")

    def clone(self, *children: Any) -> "Codec":
        return self


register(RAW, _PassThrough())


class Source:
    """Runs on their way from the fetcher to Faust's consumer. Belongs to the loop."""

    def __init__(self) -> None:
        self._waiting: defaultdict[TP, deque[Run]] = defaultdict(deque)
        self._arrived = asyncio.Event()
        self._taken_at = time.monotonic()

    @property
    def mark(self) -> float:
        """When it was last found empty or taken from, on the monotonic clock."""
        return self._taken_at if self._waiting else time.monotonic()

    def put(self, runs: Sequence[Run]) -> None:
        """Called on the loop."""
        if not self._waiting:
            self._taken_at = time.monotonic()
        for run in runs:
            self._waiting[TP(run.topic, run.partition)].append(run)
        self._arrived.set()

    def clear(self) -> None:
        """Forget what is on its way: the lanes are fetched for anew."""
        self._waiting.clear()

    async def take(
        self,
        active: set[TP] | None,
        timeout: float,  # noqa: ASYNC109 - Faust's
        flowing: Callable[[], bool],
    ) -> dict[TP, list[RunMessage]]:
        """What has come for partitions Faust listens to, waiting for it up to `timeout` seconds.

        Nothing is taken while `flowing` says that Faust would throw it away.
        """
        found = self._drain(active) if flowing() else {}
        if not found:
            self._arrived.clear()
            try:
                async with asyncio.timeout(timeout):
                    await self._arrived.wait()
            except TimeoutError:
                return {}
            found = self._drain(active) if flowing() else {}
            if not found:
                # Something came for a partition that Faust does not listen to now; it will again.
                await asyncio.sleep(0.01)
        return found

    def _drain(self, active: set[TP] | None) -> dict[TP, list[RunMessage]]:
        ready = [tp for tp in self._waiting if active is None or tp in active]
        if ready:
            self._taken_at = time.monotonic()
        return {tp: [RunMessage(run) for run in self._waiting.pop(tp)] for tp in ready}


class _Forgetful(dict[TP, int | None]):
    """Where Faust notes what it has read, to drop what it thinks it has read already; lanes know better."""

    def __getitem__(self, tp: TP) -> int | None:
        return None

    def __setitem__(self, tp: TP, offset: int | None) -> None:
        return

    def update(self, *args: Any, **kwargs: Any) -> None:
        return


class EngineThread(AIOKafkaConsumerThread):
    """Keeps the membership, and fetches nothing."""

    def _create_worker_consumer(self, *args: Any, **kwargs: Any) -> Any:
        consumer: Any = super()._create_worker_consumer(*args, **kwargs)
        # Without tables Faust deals partitions out round robin over all topics, and a worker would get different ones
        # of each; by ranges it gets the same numbers of every topic that has as many partitions.
        consumer._partition_assignment_strategy = ASSIGNORS
        return consumer

    async def on_start(self) -> None:
        """Silences the fetcher from the first moment."""
        await super().on_start()
        consumer: Any = self._consumer
        consumer._fetcher._get_actions_per_node = lambda assignment: ([], {}, IDLE_S, False, [])
        # As if a fetch were under way for ever: a member that asks for no records is sent off after a while.
        consumer._subscription._fetch_count = 1


class EngineConsumer(FaustConsumer):
    """Takes runs from the source, and commits whole runs."""

    source: Source

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_offset = _Forgetful()

    def _new_consumer_thread(self) -> Any:
        return EngineThread(self, loop=self.loop, beacon=self.beacon)

    def on_buffer_full(self, tp: TP) -> None:
        """Faust would stop everything; the fetcher bounds what is on its way, lane by lane."""

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust would look for aiokafka's fetches; the watchdog looks at the fetcher's."""

    def highwater(self, tp: TP) -> int:
        """Asked for every run, for a metric of Faust that nobody reads; aiokafka knows it from fetches only."""
        return 0

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ASYNC109 - Faust's
        return await type(self).source.take(active_partitions, timeout, lambda: bool(self.flow_active))

    def _new_offset(self, tp: TP) -> int | None:
        acked = self._acked[tp]
        if not acked:
            return None
        newest = max(acked)
        acked.clear()
        self._acked_index[tp].clear()
        self._gap[tp].clear()
        # Kafka's convention is the next offset; Faust's is the last, which shows as a lag of one for ever.
        return newest + 1


def transport_for(source: Source) -> type[FaustTransport]:
    """A Faust transport that reads from this source."""
    consumer = type("Consumer", (EngineConsumer,), {"source": source})
    return type("Transport", (FaustTransport,), {"Consumer": consumer})
