"""Servers inside this process, for where nothing else can be had: librdkafka's mock cluster and our own registry.

Other processes reach them over the loopback interface, and they end with this process: whoever starts workers must be
the one who holds them.
"""

import socket
import threading
from typing import Any

import uvicorn
from confluent_kafka import Producer

from schemas.registry import MemoryRegistry
from schemas.registry_server import app
from streams.errors import Misconfigured
from streams.local.ports import HOST


class MockCluster:
    """librdkafka's mock cluster: in memory, four partitions per topic, no fencing, aborted records are visible."""

    def __init__(self) -> None:
        self.address = ""
        self._holder: Producer | None = None

    def start(self) -> None:
        """Creates the cluster; the producer is only its holder."""
        settings: dict[str, Any] = {"test.mock.num.brokers": 1, "bootstrap.servers": "unused", "log_level": 0}
        self._holder = Producer(settings)
        broker = next(iter(self._holder.list_topics(timeout=10).brokers.values()))
        self.address = f"{broker.host}:{broker.port}"

    def kill(self) -> None:
        """Refused: its data would be gone."""
        raise Misconfigured("not_real", "the embedded broker keeps nothing over a kill: set TIDINGS_KAFKA=local")

    def stop(self) -> None:
        """Drops the cluster with all it holds."""
        self._holder = None

    def died(self) -> str | None:
        """It lives as long as we do."""
        return None


class RegistryThread:
    """`schemas.registry_server` served by a thread of this process."""

    def __init__(self) -> None:
        self.address = ""
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Binds a free port and serves."""
        listener = socket.create_server((HOST, 0))
        self.address = f"http://{HOST}:{listener.getsockname()[1]}"
        config = uvicorn.Config(app(MemoryRegistry()), log_config=None, access_log=False, lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([listener],), name="registry", daemon=True)
        self._thread.start()

    def kill(self) -> None:
        """Refused: its data would be gone."""
        raise Misconfigured("not_real", "the embedded registry keeps nothing over a kill: set TIDINGS_REGISTRY=local")

    def stop(self) -> None:
        """Ends the thread; what was registered is gone."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()

    def died(self) -> str | None:
        """The thread ended without being told to."""
        alive = self._thread is not None and self._thread.is_alive()
        return None if alive else "its thread ended"
