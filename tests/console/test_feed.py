"""The feed: reads everything from the beginning, joins nothing, and can be started again."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import Producer
from pydantic import BaseModel

from streams.console.feed import Feed
from streams.errors import Reject
from streams.local.broker import open_broker
from tests.console import records

TOPICS = ("collect.raw", "decide.dlq")


@pytest.fixture(scope="module")
def bootstrap() -> Iterator[str]:
    with open_broker("embedded") as broker:
        producer = Producer({"bootstrap.servers": broker.bootstrap, "log_level": 0})
        for number in range(20):
            producer.produce("collect.raw", str(number).encode(), str(number).encode())
        producer.produce("collect.raw", b"unreadable", b"x")
        producer.produce("decide.dlq", b"dead", b"x")
        producer.flush()
        yield broker.bootstrap


def decode(value: bytes) -> BaseModel:
    if value == b"unreadable":
        raise Reject("bad_framing")
    return records.dead_letter("l") if value == b"dead" else records.raw(value.decode())


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(1500):
        if condition():
            return
        await asyncio.sleep(0.02)
    pytest.fail("it never came true")


async def test_a_feed_reads_all_partitions_from_the_beginning(bootstrap: str) -> None:
    """What happened before anybody watched is shown too, and what cannot be read is counted."""
    feed = Feed(bootstrap, decode, TOPICS)
    feed.start()
    try:
        await until(lambda: feed.snapshot().summary["events"] == 20)
        await until(lambda: feed.snapshot().unreadable == 1 and feed.snapshot().dead == 1)
    finally:
        feed.stop()


async def test_a_feed_can_be_started_again(bootstrap: str) -> None:
    """Starting anew counts from nothing, not on top of what was counted before."""
    feed = Feed(bootstrap, decode, TOPICS)
    for _ in range(2):
        feed.start()
        await until(lambda: feed.snapshot().unreadable == 1 and feed.snapshot().summary["events"] == 20)
        feed.stop()
    assert feed.snapshot().repeats == 0


async def test_a_feed_without_a_broker_can_be_stopped() -> None:
    """A broker that is gone holds nobody up."""
    feed = Feed("127.0.0.1:1", decode, TOPICS)
    feed.start()
    feed.stop()
    assert feed.snapshot().summary["events"] == 0
