"""Fetches for all lanes of a worker with one librdkafka consumer, each lane from exactly where it stands.

A lane is given nothing before it is restored, so there is no position to guess, to seek to or to commit: what Faust
knows of offsets is for lag tools only. The consumer joins no group. What is fetched and not yet worked off is bounded:
when it is too much nothing more is taken, and a lane that holds most of it is left out so that the others go on.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from queue import SimpleQueue
from typing import Any, NamedTuple, Protocol

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition

from streams.engine.lag import Lag
from streams.engine.model import Record
from streams.engine.stage import EngineConfig
from streams.engine.transaction import CLIENT_LOG
from streams.errors import Failure, Fatal, Misconfigured

At = tuple[str, int]
RUN_MAX = 5000
POLL_S = 0.05
LOOK_S = 1.0
RECORD_COST = 300
"""Bytes a record costs in memory beside its value."""

OUT_OF_RANGE = (
    "the lane stands where the topic has nothing: it was made anew, or its records were deleted before they were read. "
    "Find out which, then place the lane: see `tidings position --help`"
)


class Feed:
    """One opening of a lane, as the fetcher sees it. Each counter is written by one thread alone.

    `behind` are the topics of which the lane wants to know when they were read to their end.
    """

    __slots__ = (
        "behind",
        "done",
        "fetched",
        "first",
        "partition",
        "paused",
        "positions",
        "stage",
        "urgent_done",
        "urgent_fetched",
    )

    def __init__(
        self, stage: str, partition: int, positions: Mapping[str, int | None], first: Collection[str] = ()
    ) -> None:
        self.stage, self.partition, self.positions = stage, partition, positions
        self.first, self.behind = frozenset(first), set(first)
        self.fetched = self.urgent_fetched = 0
        self.done = self.urgent_done = 0
        self.paused = False

    @property
    def held(self) -> int:
        """Bytes fetched and not yet worked off."""
        return self.fetched - self.done

    @property
    def urgent(self) -> int:
        """Bytes of them that belong to what goes first."""
        return self.urgent_fetched - self.urgent_done

    @property
    def parts(self) -> list[TopicPartition]:
        """Where it starts to read."""
        return [
            TopicPartition(topic, self.partition, OFFSET_BEGINNING if at is None else at)
            for topic, at in self.positions.items()
        ]


class Run(NamedTuple):
    """Consecutive records of one topic for one feed; `before` is where the client stood, `size` their bytes."""

    feed: Feed
    topic: str
    partition: int
    before: int | None
    records: Sequence[Record]
    size: int


class Deliver(Protocol):
    """Where a fetcher's thread hands over what it has; it must pass on to wherever that belongs."""

    def runs(self, runs: Sequence[Run], /) -> None:
        """Records."""
        ...

    def caught_up(self, feed: Feed, topic: str, end: int | None, /) -> None:
        """Everything up to the end of a topic was handed over; the last of it ends at `end`, None if there is none."""
        ...

    def failed(self, failure: Failure, /) -> None:
        """Nothing more will come."""
        ...


class Fetcher:
    """One thread.

    `ends` holds the end of every partition that is read, as of its last fetch; `silent_since` the monotonic time since
    when there is something on the broker that is not fetched.
    """

    def __init__(self, config: EngineConfig, deliver: Deliver) -> None:
        self.mark = self._looked = time.monotonic()
        self.ends: Mapping[At, int] = {}
        self.silent_since: float | None = None
        self._lag = Lag(config)
        self._config, self._deliver = config, deliver
        self._orders: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._feeds: dict[At, Feed] = {}
        self._before: dict[At, int | None] = {}
        self._room = threading.Event()
        self._stopping = False
        self._consumer = Consumer(
            {
                "bootstrap.servers": config.bootstrap,
                "group.id": f"{config.group}-fetch",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "isolation.level": "read_committed",
                # An offset the broker does not have is found out, never papered over.
                "auto.offset.reset": "error",
                "enable.partition.eof": True,
                "check.crcs": not config.embedded,
                "fetch.wait.max.ms": config.fetch_wait_ms,
                "fetch.min.bytes": config.fetch_min_bytes,
                "fetch.message.max.bytes": 1_000_000,
                "queued.max.messages.kbytes": max(1024, config.buffer_bytes // 1024),
                "reconnect.backoff.max.ms": 2000,
                # A partition that had no leader when it was assigned is found again with the next refresh, which
                # would be five minutes away.
                "topic.metadata.refresh.interval.ms": 5000,
            },
            logger=CLIENT_LOG,
        )
        self._thread = threading.Thread(target=self._live, name="fetch", daemon=True)

    def open(self) -> None:
        """Start the thread."""
        self._thread.start()

    def start(self, feed: Feed) -> None:
        """Fetch for a lane from where it stands."""
        self._orders.put(lambda: self._begin(feed))

    def stop(self, feed: Feed) -> None:
        """Fetch no more for a lane; what it has not worked off is forgotten."""
        self._orders.put(lambda: self._end(feed))

    def done(self, run: Run) -> None:
        """A lane has worked off a run."""
        run.feed.done += run.size
        if run.topic in run.feed.first:
            run.feed.urgent_done += run.size
        self._room.set()

    def close(self) -> None:
        """Stop for good."""
        self._stopping = True
        self._room.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def _live(self) -> None:
        try:
            while not self._stopping:
                if (now := time.monotonic()) - self._looked > LOOK_S:
                    self._look(now)
                self.mark = now
                while not self._orders.empty():
                    self._orders.get()()
                if self._full():
                    self._room.wait(POLL_S)
                    self._room.clear()
                elif (first := self._consumer.poll(POLL_S)) is not None:
                    # Compared with None: a message is as false as its value is short, and a tombstone is none at all.
                    self._pass_on([first, *self._consumer.consume(RUN_MAX - 1, 0)])
            self._consumer.close()
        except Failure as failure:
            self._deliver.failed(failure)
        except Exception as error:  # noqa: BLE001 - the thread's outermost boundary: its end must not go unnoticed
            self._deliver.failed(Fatal("fetch_failed", repr(error)))

    def _look(self, now: float) -> None:
        # Only ever on this thread: asked from another one, librdkafka may wait for the poll and the poll for the GIL.
        ends = {}
        for topic, partition in self._feeds:
            _, ends[topic, partition] = self._consumer.get_watermark_offsets(
                TopicPartition(topic, partition), cached=True
            )
        self.ends, self._looked = ends, now
        idle = [at for at, feed in self._feeds.items() if not feed.held and not feed.paused]
        self.silent_since = self._lag.look(now, ends, idle)

    def _begin(self, feed: Feed) -> None:
        for topic, at in feed.positions.items():
            self._feeds[topic, feed.partition] = feed
            self._before[topic, feed.partition] = at
        self._consumer.incremental_assign(feed.parts)

    def _end(self, feed: Feed) -> None:
        gone = [part for part in feed.parts if self._feeds.get((part.topic, part.partition)) is feed]
        for part in gone:
            del self._feeds[part.topic, part.partition]
        if gone:
            if feed.paused:
                # librdkafka would remember it for the partition's next start.
                self._pause(feed, paused=False)
            self._consumer.incremental_unassign(gone)

    def _full(self) -> bool:
        """Whether to wait; on the way, lanes that hold too much are left out and taken in again."""
        limit = self._config.buffer_bytes
        feeds = set(self._feeds.values())
        for feed in feeds:
            if feed.paused and feed.held < limit // 16:
                self._pause(feed, paused=False)
        # A lane always takes what goes first, so waiting until it has cannot last.
        if sum(feed.urgent for feed in feeds) > limit:
            return True
        flowing = [feed for feed in feeds if not feed.paused]
        if sum(feed.held for feed in flowing) <= limit:
            return False
        most = max(flowing, key=lambda feed: feed.held)
        hogs = most.held > limit // 4 and min(feed.held for feed in flowing) < most.held // 4
        if hogs or any(feed.behind for feed in feeds):
            self._pause(most, paused=True)
            return False
        return True

    def _pause(self, feed: Feed, *, paused: bool) -> None:
        feed.paused = paused
        # What goes first is never left out: it is what the rest may be waiting for.
        parts = [part for part in feed.parts if part.topic not in feed.first]
        (self._consumer.pause if paused else self._consumer.resume)(parts)

    def _pass_on(self, messages: Iterable[Message]) -> None:
        found: dict[At, list[Record]] = {}
        caught_up: set[At] = set()
        for message in messages:
            if (error := message.error()) is not None:
                if error.code() == KafkaError._PARTITION_EOF:
                    caught_up.add((str(message.topic()), int(message.partition() or 0)))
                else:
                    self._complain(message, error)
                continue
            record = _record(message)
            at = (record.topic, record.partition)
            if at in found:
                found[at].append(record)
            else:
                found[at] = [record]
        if runs := [run for at, records in found.items() if (run := self._run(at, records))]:
            self._deliver.runs(runs)
        for at in caught_up & self._feeds.keys():
            feed = self._feeds[at]
            if at[0] in feed.behind:
                feed.behind.discard(at[0])
                self._deliver.caught_up(feed, at[0], self._before[at])

    def _run(self, at: At, records: list[Record]) -> Run | None:
        feed = self._feeds.get(at)
        if feed is None:
            return None
        before, self._before[at] = self._before[at], records[-1].offset + 1
        size = sum([len(record.value or b"") for record in records]) + RECORD_COST * len(records)
        feed.fetched += size
        if at[0] in feed.first:
            feed.urgent_fetched += size
        return Run(feed, *at, before, records, size)

    def _complain(self, message: Message, error: KafkaError) -> None:
        where = f"{message.topic()} {message.partition()}"
        match error.name():
            case "_AUTO_OFFSET_RESET" | "OFFSET_OUT_OF_RANGE":
                raise Misconfigured("position_out_of_range", f"{where}: {OUT_OF_RANGE}")
            case "TOPIC_AUTHORIZATION_FAILED" | "GROUP_AUTHORIZATION_FAILED" | "_AUTHENTICATION":
                raise Misconfigured("not_authorized", f"{where}: {error}")
            case "_TRANSPORT" | "_ALL_BROKERS_DOWN" | "_TIMED_OUT" | "_RESOLVE":
                # librdkafka goes on trying and says so in its own log.
                return
            case _:
                raise Fatal("fetch_failed", f"{where}: {error}")


def _record(message: Any) -> Record:
    # Any: by its types every part of a message may be missing, which only those of errors are.
    headers = message.headers()
    return Record(
        message.topic(),
        message.partition(),
        message.offset(),
        message.timestamp()[1],
        message.key() or b"",
        message.value(),
        tuple((name, value or b"") for name, value in headers) if headers else (),
    )
