"""Shows where lanes stand, and places them by hand: the way out when the engine refuses to guess.

A lane refuses to go on when its changelog was emptied, its topic made anew, or its records deleted before it read them.
Then a person decides what is worse, to do something twice or not at all, and says so here. Nothing else ever moves a
position. Placing fences the lane first, so that a worker which still runs cannot overwrite it.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from confluent_kafka import Consumer, KafkaException, TopicPartition

from streams.engine import guards
from streams.engine.mirrors import in_memory
from streams.engine.restore import Restorer
from streams.engine.stage import EngineConfig
from streams.engine.state import POSITION, STATE, Position
from streams.engine.transaction import CLIENT_LOG, Transactions, lane_id
from streams.errors import Misconfigured, Retry

To = int | Literal["start", "end"]


def show(config: EngineConfig, changelog: str) -> Mapping[int, Mapping[str, Position]]:
    """Where each lane of a stage stands, by partition and source topic. Blocking. Raises Fatal, Misconfigured."""
    found = {}
    for partition in range(config.partitions):
        restorer = Restorer(config, partition)
        try:
            found[partition] = dict(restorer.state({STATE: changelog}, in_memory).positions)
        finally:
            restorer.close()
    return found


def place(config: EngineConfig, stage: str, changelog: str, topic: str, partitions: Sequence[int], to: To) -> list[int]:
    """Place lanes in a source topic; the offsets they will go on from, in the order of `partitions`. Blocking.

    Raises Misconfigured("no_such_offset") when the topic does not have the offset, Retry when the broker is away.
    """
    topic_id = guards.preflight(config, [topic, changelog]).get(topic, "")
    offsets = [_offset(config, topic, partition, to) for partition in partitions]
    for partition, offset in zip(partitions, offsets, strict=True):
        lane = Transactions(config, lane_id(config, stage, partition), partition, {STATE: changelog}, marks=False)
        lane.fence()
        lane.write([], {STATE: [(POSITION + topic.encode(), Position(offset, topic_id).pack())]})
        lane.commit()
    return offsets


def _offset(config: EngineConfig, topic: str, partition: int, to: To) -> int:
    consumer = Consumer({"bootstrap.servers": config.bootstrap, "group.id": config.group}, logger=CLIENT_LOG)
    try:
        low, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=config.transaction_s)
    except KafkaException as error:
        raise Retry("broker_unavailable", str(error)) from error
    finally:
        consumer.close()
    offset = {"start": low, "end": end}.get(to, to) if isinstance(to, str) else to
    if not isinstance(offset, int) or not low <= offset <= end:
        raise Misconfigured("no_such_offset", f"{topic} {partition} holds {low} to {end}, not {to}")
    return offset
