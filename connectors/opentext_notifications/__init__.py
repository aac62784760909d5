"""OpenText SMS & Email Notifications: hands messages over and reports what became of them."""

from typing import Any

from connectors.contract import Connector
from connectors.opentext_notifications.notify import open_client
from connectors.opentext_notifications.settings import Settings


def _sandbox(config: Any = None) -> Any:
    # A worker has no use for the stand-in and what it draws with.
    from connectors.opentext_notifications.sandbox import app

    return app(config)


CONNECTOR = Connector(
    name="opentext_notifications",
    roles=frozenset({"ingest", "notify", "track"}),
    settings=Settings,
    open=open_client,
    sandbox=_sandbox,
    channels=frozenset({"EMAIL", "SMS"}),
)
