"""OpenText SMS & Email Notifications: hands messages over and reports what became of them."""

from connectors.contract import Connector
from connectors.opentext_notifications.notify import open_client
from connectors.opentext_notifications.sandbox import app
from connectors.opentext_notifications.settings import Settings

CONNECTOR = Connector(
    name="opentext_notifications",
    roles=frozenset({"ingest", "notify", "track"}),
    settings=Settings,
    open=open_client,
    sandbox=app,
    channels=frozenset({"EMAIL", "SMS"}),
)
