"""A BigCommerce store that runs anywhere: the API, the webhooks and their bad habits, all state in memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.types import ASGIApp

from connectors.bigcommerce.sandbox.config import SandboxConfig
from connectors.bigcommerce.sandbox.control import Control
from connectors.bigcommerce.sandbox.fields import Fields
from connectors.bigcommerce.sandbox.gate import Gate
from connectors.bigcommerce.sandbox.hooks import Hooks
from connectors.bigcommerce.sandbox.state import Shop
from connectors.bigcommerce.sandbox.v2 import V2
from connectors.bigcommerce.sandbox.v3 import V3
from connectors.bigcommerce.sandbox.webhooks import Dispatcher

__all__ = ["SandboxConfig", "app"]


def app(config: SandboxConfig | None = None) -> Starlette:
    """One store. `state.shop` and `state.dispatcher` are what it holds and sends.

    A mounted app is not told about the end; whoever mounts it calls `state.dispatcher.aclose()`.
    """
    config = config or SandboxConfig()
    dispatcher = Dispatcher(config)
    shop = Shop(config, dispatcher.emit)
    control = Control(shop, dispatcher)
    v3 = [*Hooks(dispatcher, config.store_hash).routes(), *Fields(shop).routes(), *V3(shop).routes()]

    def gate(inner: ASGIApp) -> Gate:
        control.gate = Gate(inner, config)
        return control.gate

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await dispatcher.aclose()

    made = Starlette(
        routes=[
            Mount("/_sandbox", routes=control.routes()),
            Mount(f"/stores/{config.store_hash}/v2", routes=V2(shop).routes()),
            Mount(f"/stores/{config.store_hash}/v3", routes=v3),
        ],
        middleware=[Middleware(gate)],
        lifespan=lifespan,
    )
    made.state.shop, made.state.dispatcher = shop, dispatcher
    return made
