"""Puts the schemas where a contestant that is not Python can read them, and the profiles on their topic."""

import json
from pathlib import Path
from typing import Any

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.bench.engine.workload import CUSTOMERS, PARTITIONS, SCHEMAS, enc_profile, key_of, partition_of, profile_of

PROFILES = "bench.profiles"


def write(folder: Path) -> None:
    """Every schema as `<name>.avsc`."""
    for name, schema in SCHEMAS.items():
        (folder / f"{name}.avsc").write_text(json.dumps(schema), encoding="utf-8")


def publish_profiles(bootstrap: str) -> None:
    """The profiles of all customers, once per broker."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    topic = NewTopic(PROFILES, PARTITIONS, 1, config={"cleanup.policy": "compact"})
    admin.create_topics([topic])[PROFILES].result()
    settings: dict[str, Any] = {
        "bootstrap.servers": bootstrap,
        "linger.ms": 20,
        "queue.buffering.max.messages": 1_000_000,
    }
    producer = Producer(settings)
    for customer in range(CUSTOMERS):
        value = enc_profile(profile_of(customer))
        producer.produce(PROFILES, value, key_of(customer), partition_of(customer))
    producer.flush()
