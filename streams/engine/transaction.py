"""A lane's transactional producer: the fence and the atomic commit.

The transactional id is the lane's, so opening it ends whatever a former owner left open and fences that owner for good.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from streams.engine.model import WIRE_MAX, Out
from streams.engine.stage import EngineConfig
from streams.engine.state import Pair
from streams.errors import Fatal, Misconfigured

CLIENT_LOG = logging.getLogger("librdkafka")
FENCED = frozenset({"_FENCED", "PRODUCER_FENCED", "INVALID_PRODUCER_EPOCH"})
DENIED = frozenset(
    {"TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "CLUSTER_AUTHORIZATION_FAILED", "SASL_AUTHENTICATION_FAILED"}
)


class Fenced(Fatal):
    """Another owner opened the lane; nothing this one does can become visible."""


def lane_id(config: EngineConfig, stage: str, partition: int) -> str:
    """The transactional id of a lane: one for all workers that may ever own it."""
    return f"{config.namespace}-{stage}-{partition}"


class Transactions:
    """Blocking; called from worker threads, by one lane only.

    `topics` names the changelog of each store. `marks`: whether commits report how far each changelog got, which only
    a store that outlives the process asks for.
    """

    def __init__(
        self, config: EngineConfig, transactional_id: str, partition: int, topics: Mapping[str, str], *, marks: bool
    ) -> None:
        self._timeout = config.transaction_s
        self._partition = partition
        self._topics = topics
        self._marks: dict[str, int] | None = {} if marks else None
        self._producer = Producer(
            {
                "bootstrap.servers": config.bootstrap,
                "transactional.id": transactional_id,
                "transaction.timeout.ms": int(config.transaction_s * 1000),
                "linger.ms": 5,
                "batch.size": 400_000,
                "message.max.bytes": WIRE_MAX,
                "queue.buffering.max.messages": 500_000,
                "queue.buffering.max.kbytes": 500_000,
                "delivery.report.only.error": not marks,
                # Opening a lane is a row of short conversations, each of which would wait out the default.
                "reconnect.backoff.ms": 10,
                "reconnect.backoff.max.ms": 2000,
                # A leader that was gone for a moment is not looked for again before this is over.
                "topic.metadata.refresh.interval.ms": 10_000,
                # The partitioner of Java clients and of Faust, so that everyone agrees where a key lives.
                "partitioner": "murmur2_random",
            },
            logger=CLIENT_LOG,
        )

    def fence(self) -> None:
        """End a former owner. Must come before the changelog is read, or a commit still on its way is missed."""
        try:
            # librdkafka looks for its coordinator every half second until it has a connection; so have one first.
            self._producer.list_topics("__consumer_offsets", timeout=self._timeout)
            self._producer.init_transactions(self._timeout)
        except KafkaException as error:
            raise _failure("fence_failed", error) from error

    def write(self, outs: Sequence[Out], kept: Mapping[str, Sequence[Pair]]) -> None:
        """Begin a transaction and put outputs and what is kept, by store, into it; waits for nothing. Raises Fatal."""
        with self._meant():
            self._producer.begin_transaction()
            self._send(outs)
            for store, pairs in kept.items():
                self._keep(store, pairs)

    def commit(self) -> Mapping[str, int]:
        """All that was written becomes visible together, or the process must end: raises Fatal.

        Returns per store the changelog offset after what was kept, if `marks` were asked for. Raises Fenced when the
        lane belongs to another owner by now.
        """
        with self._meant():
            if self._marks is not None:
                self._producer.flush(self._timeout)
            self._producer.commit_transaction(self._timeout)
        return dict(self._marks or {})

    @contextmanager
    def _meant(self) -> Iterator[None]:
        try:
            yield
        except (KafkaException, SystemError) as error:
            raise _failure("commit_failed", self._cause(error)) from error
        except BufferError as error:
            raise Fatal("commit_failed", str(error)) from error

    def _cause(self, error: Exception) -> KafkaException:
        # Raised while reports are delivered, librdkafka's error is buried under what its callbacks trip over.
        found: BaseException | None = error
        while found is not None and not isinstance(found, KafkaException):
            found = found.__cause__ or found.__context__
        if found is None:
            raise error
        if found.args[0].name() == "_FATAL":
            try:
                # It says only that there was a fatal error before; asked for anything more it says which.
                self._producer.abort_transaction(1)
            except KafkaException as first:
                return first
        return found

    def _send(self, outs: Iterable[Out]) -> None:
        produce = self._producer.produce
        for topic, key, value, headers, partition in outs:
            if headers:
                produce(topic, value, key, -1 if partition is None else partition, headers=list(headers))
            elif partition is None:
                produce(topic, value, key)
            else:
                produce(topic, value, key, partition)

    def _keep(self, store: str, pairs: Sequence[Pair]) -> None:
        produce, topic, partition = self._producer.produce, self._topics[store], self._partition
        if self._marks is None or not pairs:
            for key, value in pairs:
                produce(topic, value, key, partition)
            return
        for key, value in pairs[:-1]:
            produce(topic, value, key, partition)
        marks, (key, value) = self._marks, pairs[-1]

        def reached(error: KafkaError | None, message: Message) -> None:
            offset = message.offset()
            if error is None and offset is not None:
                marks[store] = offset + 1

        produce(topic, value, key, partition, reached)


def _failure(code: str, error: KafkaException) -> Fatal | Misconfigured:
    name = error.args[0].name()
    if name in FENCED:
        return Fenced("fenced", str(error))
    if name in DENIED:
        return Misconfigured("not_authorized", f"{name}: let this worker use its transactional ids")
    return Fatal(code, str(error))
