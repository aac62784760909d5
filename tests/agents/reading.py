"""Reads what is committed on a topic, from the beginning."""

import uuid

from confluent_kafka import Consumer, TopicPartition


def committed(bootstrap: str, topic: str) -> list[bytes]:
    """Every committed value of a topic at this moment."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"reader-{uuid.uuid4().hex}",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
        }
    )
    try:
        numbers = list(consumer.list_topics(topic, timeout=10).topics[topic].partitions)
        consumer.assign([TopicPartition(topic, number, 0) for number in numbers])
        values, ends = list[bytes](), 0
        while ends < len(numbers):
            for message in consumer.consume(500, 0.1):
                if message.error() is None:
                    values.append(message.value() or b"")
                else:
                    ends += 1
        return values
    finally:
        consumer.close()
