"""Creates the topics of the table and waits until they can be used. Doing it again changes nothing.

An embedded broker knows no such request: there a topic comes to be when it is asked for, with four partitions.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import wait

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from streams.errors import Misconfigured, Retry
from streams.local.broker import SILENT
from streams.local.choice import Kind
from streams.local.waiting import until
from streams.topics import TABLE, Topic

PATIENCE_S = 30.0
BROKER_DEFAULT = -1


def create_topics(
    bootstrap: str,
    kind: Kind,
    partitions: int = 4,
    *,
    topics: Sequence[Topic] = TABLE,
    replication_factor: int = BROKER_DEFAULT,
) -> list[str]:
    """Creates what is missing, gives the names created, and returns when every partition of every topic has a leader.

    Raises Misconfigured("partition_count") when a topic exists with another number of partitions: lanes own the same
    number of everything they read and write, and keys would move.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap, **SILENT})
    if kind == "embedded":
        for topic in topics:
            admin.list_topics(topic.name, timeout=PATIENCE_S)
        missing: list[str] = []
    else:
        existing = _leaders(admin)
        new = [_new(topic, partitions, replication_factor) for topic in topics if topic.name not in existing]
        missing = _create(admin, new)
    _await_leaders(admin, [topic.name for topic in topics], partitions)
    return missing


def _new(topic: Topic, partitions: int, replication_factor: int) -> NewTopic:
    return NewTopic(topic.name, partitions, replication_factor, config=topic.config)


def _create(admin: AdminClient, new: list[NewTopic]) -> list[str]:
    if not new:
        return []
    pending = admin.create_topics(new, operation_timeout=PATIENCE_S, request_timeout=PATIENCE_S)
    wait(pending.values())
    created = []
    for name, future in pending.items():
        error = future.exception()
        if error is None:
            created.append(name)
        elif not _exists_already(error):
            raise Misconfigured("topic_refused", f"the broker does not create {name}: {error}")
    return created


def _exists_already(error: BaseException) -> bool:
    cause = error.args[0] if isinstance(error, KafkaException) and error.args else None
    return isinstance(cause, KafkaError) and cause.code() == KafkaError.TOPIC_ALREADY_EXISTS


def _leaders(admin: AdminClient) -> Mapping[str, Sequence[int]]:
    """The leader of each partition by topic; -1 where there is none yet."""
    try:
        seen = admin.list_topics(timeout=PATIENCE_S).topics
    except KafkaException as error:
        raise Retry("broker_unavailable", f"the broker does not answer: {error}") from None
    return {name: [part.leader for part in topic.partitions.values()] for name, topic in seen.items()}


def _await_leaders(admin: AdminClient, names: list[str], partitions: int) -> None:
    def usable() -> bool:
        seen = _leaders(admin)
        for name in names:
            found = seen.get(name, ())
            if found and len(found) != partitions:
                raise Misconfigured(
                    "partition_count",
                    f"topic {name} has {len(found)} partitions, wanted {partitions}: set TIDINGS_PARTITIONS to "
                    f"{len(found)}, or use other topics",
                )
            if not found or min(found) < 0:
                return False
        return True

    if not until(usable, PATIENCE_S):
        raise Retry("topics_not_ready", f"not all of {len(names)} topics had leaders after {PATIENCE_S:.0f} s")
