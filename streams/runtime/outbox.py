"""Produces single records and waits for the broker's acknowledgement: the step before a webhook gets its 2xx.

Stages never use it; they produce inside their lane's transaction.
"""

import asyncio
import logging
import math
import threading
import time
from collections.abc import Sequence

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from streams.errors import Retry
from streams.runtime.logs import KAFKA_CLIENT
from streams.topics import MESSAGE_MAX_BYTES

ACK_S = 4.0
ASK_S = 5.0


class Outbox:
    """An idempotent producer for use on an event loop. A record that was not acknowledged in time may still arrive.

    `trouble` says why nothing can be stored now, or None; for a readiness check.
    """

    def __init__(self, bootstrap: str) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "acks": "all",
                "linger.ms": 2,
                "message.max.bytes": MESSAGE_MAX_BYTES,
                "partitioner": "murmur2_random",
                # Shorter than the patience of the platforms that wait for our answer.
                "message.timeout.ms": int(ACK_S * 1000),
            },
            logger=logging.getLogger(KAFKA_CLIENT),
        )
        self.trouble: str | None = "not asked yet"
        self._stopped = threading.Event()
        self._poller = threading.Thread(target=self._poll, name="outbox", daemon=True)
        self._poller.start()

    async def send(self, topic: str, records: Sequence[tuple[bytes, bytes]]) -> None:
        """Produce (key, value) pairs and return once all are acknowledged. Raises Retry("kafka_unavailable")."""
        await asyncio.gather(*(self._send(topic, key, value) for key, value in records))

    async def _send(self, topic: str, key: bytes, value: bytes) -> None:
        loop = asyncio.get_running_loop()
        acknowledged: asyncio.Future[None] = loop.create_future()

        def settle(error: KafkaError | None) -> None:
            if acknowledged.done():
                return
            if error is None:
                acknowledged.set_result(None)
            else:
                acknowledged.set_exception(Retry("kafka_unavailable", f"{topic}: {error.name()}"))

        def delivered(error: KafkaError | None, _message: Message) -> None:
            loop.call_soon_threadsafe(settle, error)

        try:
            self._producer.produce(topic, value, key, on_delivery=delivered)
        except (KafkaException, BufferError) as error:
            raise Retry("kafka_unavailable", f"{topic}: {type(error).__name__}") from error
        await acknowledged

    def close(self) -> None:
        """Wait for what is under way, then stop."""
        self._producer.flush(ACK_S)
        self._stopped.set()
        self._poller.join(ACK_S)

    def _poll(self) -> None:
        asked = -math.inf
        while not self._stopped.is_set():
            self._producer.poll(0.1)
            if time.monotonic() - asked > ASK_S:
                asked = time.monotonic()
                self._ask()

    def _ask(self) -> None:
        try:
            self._producer.list_topics(timeout=ACK_S)
            self.trouble = None
        except KafkaException as error:
            self.trouble = f"the broker does not answer ({error.args[0].name()})"
