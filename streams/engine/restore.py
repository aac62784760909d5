"""Reads a lane's state back from its changelogs: state, timers and positions, to the end, read_committed.

The end is the last stable offset at the time of reading; because the lane was fenced first, nothing can be committed
behind it.
"""

import uuid
from collections.abc import Iterator, Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from streams.engine.model import Timer
from streams.engine.stage import EngineConfig
from streams.engine.step import STATE, State
from streams.engine.transaction import CLIENT_LOG, POSITION, TIMER, unpack_offset
from streams.errors import Fatal


def restore(config: EngineConfig, partition: int, stores: Mapping[str, str]) -> tuple[State, dict[str, int]]:
    """The committed state of a lane and, per source topic, the next offset to process. Blocking."""
    state = State(stores)
    positions: dict[str, int] = {}
    names = {topic: store for store, topic in stores.items()}
    consumer = _consumer(config)
    try:
        for message in _read(consumer, [TopicPartition(topic, partition, 0) for topic in names]):
            _apply(state, positions, names[str(message.topic())], message.key() or b"", message.value())
    except KafkaException as error:
        raise Fatal("restore_failed", str(error)) from error
    finally:
        consumer.close()
    return state, positions


def low_watermark(config: EngineConfig, topic: str, partition: int) -> int:
    """The first offset the broker still has: where a lane without a position starts."""
    consumer = _consumer(config)
    try:
        low, _ = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=config.transaction_s)
    except KafkaException as error:
        raise Fatal("restore_failed", str(error)) from error
    finally:
        consumer.close()
    return int(low)


def _apply(state: State, positions: dict[str, int], store: str, key: bytes, value: bytes | None) -> None:
    if store == STATE and key.startswith(POSITION):
        if value is not None:
            positions[key[len(POSITION) :].decode()] = unpack_offset(value)
    elif store == STATE and key.startswith(TIMER):
        timer_id = key[len(TIMER) :].decode()
        if value is None:
            state.timers.pop(timer_id, None)
        else:
            state.timers[timer_id] = Timer.unpack(timer_id, value)
    elif value is None:
        state.stores[store].pop(key, None)
    else:
        state.stores[store][key] = value


def _read(consumer: Consumer, partitions: list[TopicPartition]) -> Iterator[Message]:
    open_ends = {(str(p.topic), p.partition) for p in partitions}
    consumer.assign(partitions)
    while open_ends:
        # A short wait: consume() uses all of it at the end of a partition.
        for message in consumer.consume(5000, 0.05):
            error = message.error()
            if error is None:
                yield message
            elif error.code() == KafkaError._PARTITION_EOF:
                open_ends.discard((str(message.topic()), int(message.partition() or 0)))
            else:
                raise KafkaException(error)


def _consumer(config: EngineConfig) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": config.bootstrap,
            # Never joins a group; librdkafka only wants a name.
            "group.id": f"{config.group}-restore-{uuid.uuid4().hex}",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "fetch.message.max.bytes": 8_000_000,
            "queued.max.messages.kbytes": 131_072,
            "fetch.wait.max.ms": 20,
        },
        logger=CLIENT_LOG,
    )
