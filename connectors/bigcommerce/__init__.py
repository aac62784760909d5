"""BigCommerce: orders, shipments, carts, customers and newsletter consents come in, statuses and opt-outs go back."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from connectors.bigcommerce import api, hooks, hydrate, ingest, writeback
from connectors.bigcommerce.settings import Settings
from connectors.bigcommerce.store import Store
from connectors.contract import Connector, HttpRequest
from connectors.http import Wire
from schemas.models import Feedback, RawDelivery, WriteBackResult


class Client:
    """One store: Ingest, Hydrate and WriteBack of `connectors.contract`."""

    def __init__(self, settings: Settings, wire: Wire) -> None:
        self._settings = settings
        self._api = api.connect(settings, wire)
        self._store = Store(
            settings.tenant, settings.brand, settings.account, settings.default_locale, settings.default_country
        )

    def accept(self, request: HttpRequest) -> Sequence[RawDelivery]:
        """See `Ingest.accept`."""
        return ingest.accept(request, self._settings)

    async def hydrate(self, raw: RawDelivery) -> Sequence[BaseModel]:
        """See `Hydrate.hydrate`."""
        return await hydrate.hydrate(self._api, self._store, raw)

    async def write_back(self, feedback: Feedback) -> WriteBackResult:
        """See `WriteBack.write_back`."""
        return await writeback.write_back(self._api, self._settings.account, feedback)

    async def subscribe(self, destination: str) -> dict[str, str]:
        """Makes the store send its webhooks to `destination`; harmless to repeat."""
        return await hooks.subscribe(self._api, self._settings, destination)


def _sandbox(config: Any = None) -> Any:
    # A worker has no use for the stand-in and its web framework.
    from connectors.bigcommerce.sandbox import app

    return app(config)


CONNECTOR = Connector(
    name="bigcommerce",
    roles=frozenset({"ingest", "hydrate", "write_back"}),
    settings=Settings,
    open=Client,
    sandbox=_sandbox,
)
