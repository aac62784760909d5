"""The stand-ins of the outside systems as one process, with their vices on: webhooks come twice, late and out of order.

Run as `python -m streams.demo.sandboxes PORT`; `tidings sandbox` serves the same ones well-behaved.
"""

import asyncio
import signal
import sys

from starlette.routing import Mount

from connectors.bigcommerce.sandbox.config import SandboxConfig
from connectors.discovery import discover
from connectors.exstream.sandbox.state import Communication
from connectors.exstream.sandbox.state import Config as ExstreamConfig
from connectors.opentext_notifications.sandbox.state import Config, Knobs
from streams.demo.keys import DOMAIN, KEY, STORE, TEMPLATE, USER
from streams.runtime.health import Health
from streams.runtime.metrics import Metrics
from streams.runtime.web import create, serve

SHOP = SandboxConfig(store_hash=STORE, token=KEY, client_secret=KEY, duplicate_rate=0.15, shuffle=0.3, shuffle_s=0.5)
COMPOSER = ExstreamConfig(client_id=USER, client_secret=KEY, domain=DOMAIN, communications={TEMPLATE: Communication()})
MESSENGER = Config(user=USER, password=KEY, knobs=Knobs(life_s=2.5, duplicate_rate=0.15, shuffle_rate=0.2))
CONFIGS = {"bigcommerce": SHOP, "exstream": COMPOSER, "opentext_notifications": MESSENGER}


async def main(port: int) -> None:
    """Each under /<connector>, until SIGTERM or SIGINT."""
    health, stop = Health(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    found = discover()
    mounts = [Mount(f"/{name}", found[name].sandbox(config)) for name, config in CONFIGS.items()]
    async with serve(create(Metrics(), health, mounts), "127.0.0.1", port):
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
