"""Reads a lane's state back from its changelogs, read_committed, to the end; refuses what only looks like a state.

The end is the last stable offset at the time of reading; because the lane was fenced first, nothing can be committed
behind it. A changelog is refused when its head was cut off, and when it knows no position although the group has
committed one: going on would mean to repeat or to lose, and only a person can say which is the lesser evil.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from streams.engine.stage import EngineConfig
from streams.engine.state import Pair, State
from streams.engine.store import Store
from streams.engine.transaction import CLIENT_LOG
from streams.errors import Fatal, Misconfigured

BATCH = 10_000
REPAIR = "see `tidings position --help`"


class Source(NamedTuple):
    """Where a store comes from: its changelog, and the mirror of it that is here already."""

    topic: str
    store: Store
    start: int


Opening = Callable[[str, int, int, int], tuple[Store, int]]
"""Opens a mirror: (changelog, partition, its first offset, its end) to the store and the offset to read on from."""


class Restorer:
    """Restores one lane. Blocking; used once. `progress` is called while there is some."""

    def __init__(self, config: EngineConfig, partition: int, progress: Callable[[], None] = lambda: None) -> None:
        self._config, self._partition, self._progress = config, partition, progress
        self._consumer = Consumer(
            {
                "bootstrap.servers": config.bootstrap,
                # Never joins the group; it only asks what the group has committed.
                "group.id": config.group,
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "auto.offset.reset": "error",
                "fetch.message.max.bytes": 8_000_000,
                "queued.max.messages.kbytes": 65_536,
                "fetch.wait.max.ms": 20,
                "reconnect.backoff.ms": 10,
                "reconnect.backoff.max.ms": 2000,
            },
            logger=CLIENT_LOG,
        )

    def state(self, topics: Mapping[str, str], opening: Opening, load: Callable[[bytes], Any] | None = None) -> State:
        """The committed state of the lane; `topics` names the changelog of each store. Raises Misconfigured, Fatal."""
        sources = {name: self._source(topic, opening) for name, topic in topics.items()}
        state = State({name: source.store for name, source in sources.items()}, load)
        self._read(state, sources)
        return state

    def demand_news(self, sources: Sequence[str], state: State) -> None:
        """Raises Misconfigured when the group has worked through a source of which the changelog knows no position."""
        missing = [TopicPartition(topic, self._partition) for topic in sources if topic not in state.positions]
        if not missing:
            return
        for found in self._ask(lambda: self._consumer.committed(missing, timeout=self._config.transaction_s)):
            if found.offset > 0 and found.offset > self._watermarks(found.topic)[0]:
                raise Misconfigured(
                    "changelog_lost",
                    f"the group has read {found.topic} {self._partition} up to {found.offset}, its changelog knows "
                    f"nothing of that: it was emptied or made anew. Restore it, or place the lane: {REPAIR}",
                )

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()

    def _source(self, topic: str, opening: Opening) -> Source:
        low, end = self._watermarks(topic)
        if low > 0:
            raise Misconfigured(
                "changelog_trimmed",
                f"{topic} {self._partition} begins at {low}: its head was deleted, so its state is not whole. "
                f"Only cleanup.policy=compact keeps one. Restore it, or begin a new one and place the lane: {REPAIR}",
            )
        return Source(topic, *opening(topic, self._partition, low, end))

    def _watermarks(self, topic: str) -> tuple[int, int]:
        at = TopicPartition(topic, self._partition)
        low, end = self._ask(lambda: self._consumer.get_watermark_offsets(at, timeout=self._config.transaction_s))
        return int(low), int(end)

    def _read(self, state: State, sources: Mapping[str, Source]) -> None:
        names = {source.topic: name for name, source in sources.items()}
        open_ends = set(names)
        deadline = time.monotonic() + self._config.step_deadline_s
        starts = [TopicPartition(source.topic, self._partition, source.start) for source in sources.values()]
        self._ask(lambda: self._consumer.assign(starts))
        while open_ends:
            pairs: dict[str, list[Pair]] = {}
            marks: dict[str, int] = {}
            # A short wait: consume() uses all of it at the end of a partition.
            for message in self._ask(lambda: self._consumer.consume(BATCH, 0.02)):
                topic = message.topic()
                error = message.error()
                if error is None:
                    pairs.setdefault(topic, []).append((message.key() or b"", message.value()))
                    marks[topic] = message.offset() + 1
                elif error.code() == KafkaError._PARTITION_EOF:
                    open_ends.discard(topic)
                    marks[topic] = message.offset()
                    pairs.setdefault(topic, [])
                else:
                    raise Fatal("restore_failed", f"{topic} {self._partition}: {error}")
            for topic, found in pairs.items():
                state.absorb(names[topic], found, marks[topic])
            if pairs:
                self._progress()
                deadline = time.monotonic() + self._config.step_deadline_s
            elif time.monotonic() > deadline:
                raise Fatal("restore_stalled", f"no answer from {', '.join(sorted(open_ends))} {self._partition}")

    @staticmethod
    def _ask(question: Callable[[], Any]) -> Any:
        try:
            return question()
        except KafkaException as error:
            raise Fatal("restore_failed", str(error)) from error
