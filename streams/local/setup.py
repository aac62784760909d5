"""Makes a broker and a registry fit to be used: the topics of the table and the schemas they carry."""

from contextlib import closing

from schemas.commands import publish
from schemas.registry import ConfluentRegistry
from streams.errors import Misconfigured
from streams.local.choice import Kind
from streams.local.topics_admin import create_topics
from streams.topics import TABLE


def prepare(bootstrap: str, registry_url: str, kind: Kind, partitions: int, replication_factor: int = 1) -> None:
    """Create topics and publish schemas; repeating it changes nothing. Raises Misconfigured, Retry."""
    create_topics(bootstrap, kind, partitions, replication_factor=replication_factor)
    with closing(ConfluentRegistry(registry_url)) as registry:
        problems = publish(registry, TABLE).problems
    if problems:
        raise Misconfigured("schemas_refused", "; ".join(problems))
