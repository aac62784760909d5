"""collect: a stored thin event becomes canonical facts, fetched from the platform it came from.

What is fetched is the present state, so a repeat that was received before the fetch of its first copy began is covered
by it and skipped. A later one is fetched again: platforms do not promise that two changes never share an event id, and
what is the same in the end collapses further on by its derived id.
"""

import orjson

from schemas.models import RawDelivery
from streams.agents.ports import Ports, millis
from streams.engine import Record, Stage, Step
from streams.errors import Skip
from streams.topics import BY_SCHEMA

REMEMBERED = 64
"""Event ids kept per platform object: more than any object gets within a platform's two days of redelivery."""

MARGIN_MS = 2000
"""For clocks of two machines, and for platforms whose times are whole seconds."""


def stage(ports: Ports) -> Stage:
    """collect.raw -> commerce.*."""

    async def act(record: Record, step: Step) -> None:
        raw = ports.codec.decode_as(record.value or b"", RawDelivery)
        fetched: dict[str, int] = orjson.loads(step.get(record.key) or b"{}")
        if millis(raw.received_at) + MARGIN_MS <= fetched.pop(raw.event_id, 0):
            raise Skip("duplicate_event")
        for fact in await ports.client(raw.connector).hydrate(raw):
            topic = BY_SCHEMA[fact.avro_name]
            step.send(topic, fact.who.customer_ref.encode(), ports.codec.encode(topic, fact))
        newest = [*fetched.items(), (raw.event_id, step.now)][-REMEMBERED:]
        step.put(record.key, orjson.dumps(dict(newest)))

    return Stage(
        name="collect",
        sources=("collect.raw",),
        changelog="collect.changelog",
        dead_letters="collect.dlq",
        dead_letter=ports.dead_letter,
        act=act,
        attempts=ports.attempts,
        retry="requeue",
        batch_max=64,
    )
