"""Throw-away containers for machines with Docker, by testcontainers, which removes them even when the run is killed."""

from collections.abc import Iterator
from contextlib import contextmanager

from testcontainers.core.container import DockerContainer

from streams.local import broker as brokers
from streams.local import registry as registries
from streams.local.ports import HOST, free_port


@contextmanager
def broker() -> Iterator[brokers.Broker]:
    """Apache Kafka in KRaft mode, answering."""
    port = free_port()
    container = DockerContainer(brokers.IMAGE, env=brokers.container_environment(port)).with_bind_ports(9092, port)
    with container, brokers.open_broker(f"{HOST}:{port}") as started:
        yield started


@contextmanager
def registry() -> Iterator[registries.Registry]:
    """Apicurio in memory, answering."""
    port = free_port()
    container = DockerContainer(registries.IMAGE).with_bind_ports(8080, port)
    with container, registries.open_registry(registries.registry_url(port)) as started:
        yield started
