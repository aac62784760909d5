"""Finds a consumer that no longer fetches although the broker has something for it.

After a broker was killed and later paused, librdkafka was seen to sit still on some partitions, without an error and
for good. Its own idea of where a partition ends comes from its fetches, so the broker is asked apart from them: a
consumer that is idle and does not come to know of an end the broker told us about does not fetch.
"""

from collections.abc import Collection, Mapping
from concurrent.futures import Future
from typing import Any

from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # exported, but not by its types

from streams.engine.stage import EngineConfig
from streams.engine.transaction import CLIENT_LOG

At = tuple[str, int]
ASK_S = 5.0
STALE_S = 15.0


def silent(known: Mapping[At, int], seen: Mapping[At, int], idle: Collection[At]) -> set[At]:
    """Partitions with nothing on its way to their lane, of which the consumer has not seen the end that is known."""
    return {at for at in idle if max(seen.get(at, 0), 0) < known.get(at, 0)}


class Lag:
    """Belongs to the fetcher's thread; waits for nothing."""

    def __init__(self, config: EngineConfig) -> None:
        self._admin = AdminClient({"bootstrap.servers": config.bootstrap}, logger=CLIENT_LOG)
        self._asked: Mapping[TopicPartition, Future[Any]] = {}
        self._known: dict[At, int] = {}
        self._since: dict[At, float] = {}
        self._asked_at = self._answered_at = float("-inf")

    def look(self, now: float, seen: Mapping[At, int], idle: Collection[At]) -> float | None:
        """Since when the first partition has been silent, on the clock of `now`; None while all is well.

        `seen` are the ends the consumer knows of every partition it reads.
        """
        if self._asked and all(answer.done() for answer in self._asked.values()):
            self._take(now)
        if now - self._asked_at > ASK_S:
            self._ask(now, seen)
        if now - self._answered_at > STALE_S:
            # A broker that does not answer us either is away, and nobody's fault.
            self._since.clear()
            return None
        late = silent(self._known, seen, idle)
        self._since = {at: self._since.get(at, now) for at in late}
        return min(self._since.values(), default=None)

    def _ask(self, now: float, parts: Collection[At]) -> None:
        self._asked_at = now
        if parts:
            end = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # it has no types
            latest = {TopicPartition(topic, partition): end for topic, partition in parts}
            self._asked = self._admin.list_offsets(
                latest, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=ASK_S
            )

    def _take(self, now: float) -> None:
        asked, self._asked = self._asked, {}
        try:
            self._known = {(part.topic, part.partition): answer.result().offset for part, answer in asked.items()}
            self._answered_at = now
        except KafkaException:
            return
