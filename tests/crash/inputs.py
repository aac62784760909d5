"""The input of a run: the same for the same seed, produced at a rate by a client that loses and repeats nothing."""

import asyncio
import random
import time
import zlib
from collections.abc import Sequence

from confluent_kafka import KafkaError, Message, Producer

from streams.errors import Fatal
from tests.crash.oracle import Sent

KEYS = 200
HOT = 0.1
TIMERS = 0.05
PAUSE_S = 0.02
FOREVER_MS = 900_000


def inputs(seed: int, events: int) -> list[Sent]:
    """One in ten for a hot key, one in twenty with a timer of up to six seconds."""
    dice = random.Random(zlib.crc32(b"inputs %d" % seed))
    keys = [b"key-%03d" % number for number in range(KEYS)]
    sent = []
    for number in range(events):
        key = keys[0] if dice.random() < HOT else dice.choice(keys)
        delay = dice.randrange(200, 6000) if dice.random() < TIMERS else None
        sent.append(Sent(b"%d" % number, key, delay))
    return sent


def partition_of(key: bytes, partitions: int) -> int:
    """Where a key lives."""
    return int(key.rpartition(b"-")[2]) % partitions


class Feeder:
    """Produces inputs; a broker that is away for minutes costs nothing."""

    def __init__(self, bootstrap: str, topic: str, partitions: int) -> None:
        self._topic, self._partitions = topic, partitions
        self._failed: KafkaError | None = None
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "linger.ms": 5,
                "message.timeout.ms": FOREVER_MS,
                # A paused broker leaves partitions without a leader for a moment; do not wait five minutes for one.
                "topic.metadata.refresh.interval.ms": 2000,
                "log_level": 2,
            }
        )

    async def feed(self, sent: Sequence[Sent], rate: float) -> None:
        """All of it, `rate` a second. Raises Fatal when the broker refuses one for good."""
        started = time.monotonic()
        done = 0
        while done < len(sent):
            due = min(len(sent), int((time.monotonic() - started) * rate) + 1)
            for one in sent[done:due]:
                self._put(one)
            done = due
            self._producer.poll(0)
            await asyncio.sleep(PAUSE_S)
        await asyncio.to_thread(self._producer.flush)
        if self._failed is not None:
            raise Fatal("input_refused", str(self._failed))

    def _put(self, one: Sent) -> None:
        value = one.ident if one.delay is None else b"%s+%d" % (one.ident, one.delay)
        where = partition_of(one.key, self._partitions)
        self._producer.produce(self._topic, value, one.key, where, on_delivery=self._delivered)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failed = error
