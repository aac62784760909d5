"""OpenText Exstream (cloud-native): composes documents on demand over REST."""

from typing import Any

from connectors.contract import Connector
from connectors.exstream.compose import open_client
from connectors.exstream.settings import Settings


def _sandbox(config: Any = None) -> Any:
    # A worker has no use for the stand-in and what it draws with.
    from connectors.exstream.sandbox import app

    return app(config)


CONNECTOR = Connector(
    name="exstream", roles=frozenset({"compose"}), settings=Settings, open=open_client, sandbox=_sandbox
)
