"""Reads dead-letter topics and puts letters back where they came from, byte for byte.

A replayed record goes through its stage again like any other; whether it is new is decided there, by its ids.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from schemas.codec import Codec
from schemas.models import DeadLetter
from streams.errors import Misconfigured, Reject, Retry
from streams.topics import BY_NAME, MESSAGE_MAX_BYTES, STAGES, Stage

PATIENCE_S = 15.0
REPLAYED = "tidings-replayed"


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter and where it lies; `place` (stage-partition-offset) names it for `show` and `replay`."""

    place: str
    letter: DeadLetter


def letters(bootstrap: str, codec: Codec, stages: Sequence[Stage] = STAGES) -> Iterator[Letter]:
    """Every dead letter of the stages, oldest first per partition. Raises Retry when the broker does not answer."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"tidings-dlq-{uuid.uuid4().hex}",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "log_level": 2,
        }
    )
    try:
        consumer.assign(_partitions(consumer, stages))
        yield from _read(consumer, codec, len(consumer.assignment()))
    except KafkaException as error:
        raise Retry("kafka_unavailable", str(error)) from error
    finally:
        consumer.close()


def find(bootstrap: str, codec: Codec, place: str) -> Letter:
    """The letter at a place. Raises Reject when there is none."""
    stage = next((name for name in STAGES if place.startswith(f"{name}-")), None)
    if stage is None:
        raise Reject("unknown_place", f"{place}: expected STAGE-PARTITION-OFFSET as `tidings dlq list` prints it")
    for letter in letters(bootstrap, codec, [stage]):
        if letter.place == place:
            return letter
    raise Reject("unknown_place", f"{place}: no such dead letter")


def replay(bootstrap: str, chosen: Sequence[Letter]) -> None:
    """Put letters back on the topic and partition they came from, acknowledged.

    Raises Reject before anything is put back when one came from a compacted topic: its key may hold newer truth by now.
    Raises Retry when one was not acknowledged.
    """
    if stale := [one.place for one in chosen if BY_NAME[one.letter.topic].compacted]:
        raise Reject("not_replayable", f"{', '.join(stale)}: came from a compacted topic, which has moved on since")
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "enable.idempotence": True,
            "message.timeout.ms": 10_000,
            "message.max.bytes": MESSAGE_MAX_BYTES,
            "log_level": 2,
        }
    )
    failed: list[KafkaError] = []
    for one in chosen:
        letter = one.letter
        # Headers of the failed try, its attempt count among them, stay behind: this is a new start.
        headers: list[tuple[str, str | bytes | None]] = [(REPLAYED, one.place.encode())]
        producer.produce(
            letter.topic,
            letter.value,
            letter.key,
            letter.partition,
            headers=headers,
            on_delivery=lambda error, _: failed.append(error) if error else None,
        )
    if producer.flush(PATIENCE_S) or failed:
        raise Retry("kafka_unavailable", "not every letter was acknowledged; replay again, a repeat does no harm")


def _partitions(consumer: Consumer, stages: Sequence[Stage]) -> list[TopicPartition]:
    known = consumer.list_topics(timeout=PATIENCE_S).topics
    if missing := [f"{stage}.dlq" for stage in stages if f"{stage}.dlq" not in known]:
        raise Misconfigured("topics_not_ready", f"{', '.join(missing)}: run `tidings setup`")
    names = [f"{stage}.dlq" for stage in stages]
    return [TopicPartition(name, number, 0) for name in names for number in known[name].partitions]


def _read(consumer: Consumer, codec: Codec, open_ends: int) -> Iterator[Letter]:
    while open_ends:
        for message in consumer.consume(500, 0.05):
            error = message.error()
            if error is None:
                stage = str(message.topic()).removesuffix(".dlq")
                place = f"{stage}-{message.partition()}-{message.offset()}"
                yield Letter(place, codec.decode_as(message.value() or b"", DeadLetter))
            elif error.name() == "_PARTITION_EOF":
                open_ends -= 1
            else:
                raise KafkaException(error)
