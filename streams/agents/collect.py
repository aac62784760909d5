"""collect: a stored thin event becomes canonical facts, fetched from the platform it came from.

A platform may deliver an event several times; the last ids per platform object are remembered and a repeat is skipped.
"""

import orjson

from schemas.models import RawDelivery
from streams.agents.ports import Ports
from streams.engine import Record, Stage, Step
from streams.errors import Skip
from streams.topics import BY_SCHEMA

REMEMBERED = 64
"""Event ids kept per platform object: more than any object gets within a platform's two days of redelivery."""


def stage(ports: Ports) -> Stage:
    """collect.raw -> commerce.*."""

    async def act(record: Record, step: Step) -> None:
        raw = ports.codec.decode_as(record.value or b"", RawDelivery)
        seen: list[str] = orjson.loads(step.get(record.key) or b"[]")
        if raw.event_id in seen:
            raise Skip("duplicate_event")
        for fact in await ports.client(raw.connector).hydrate(raw):
            topic = BY_SCHEMA[fact.avro_name]
            step.send(topic, fact.who.customer_ref.encode(), ports.codec.encode(topic, fact))
        step.put(record.key, orjson.dumps([*seen, raw.event_id][-REMEMBERED:]))

    return Stage(
        name="collect",
        sources=("collect.raw",),
        changelog="collect.changelog",
        dead_letters="collect.dlq",
        dead_letter=ports.dead_letter,
        act=act,
        retry="requeue",
        batch_max=64,
    )
