"""The schema registry of a run: an existing one, a container, a local process or one inside this process.

All speak Confluent's REST interface below `url`. `open_registry` chooses; the registry starts when it is entered.
"""

import http.client
import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from streams.errors import Failure
from streams.local import docker
from streams.local.choice import REGISTRY, Choice, Kind, Probe, choose
from streams.local.embedded import RegistryThread
from streams.local.fetch import Tell, fetched, untold
from streams.local.java import QUICK, find_java
from streams.local.machines import External, Machine, Program
from streams.local.ports import HOST, free_port
from streams.local.service import Service

VERSION = "2.5.11.Final"
IMAGE = f"apicurio/apicurio-registry-mem:{VERSION}"
_PATH = "/apis/ccompat/v7"
_UP = frozenset({200, 401, 403})


class Registry(Service):
    """A registry, started by entering it. What is registered is gone when it ends, unless it is an external one."""

    @property
    def url(self) -> str:
        """What a client of Confluent's registry takes as its URL; an embedded one has none before its start."""
        return self._machine.address


def open_registry(asked: str = "auto", *, require_real: bool = False, port: int = 0, tell: Tell = untold) -> Registry:
    """The registry that `asked` stands for: a URL, docker, local, embedded, or auto, which heeds TIDINGS_REGISTRY.

    `require_real` refuses the embedded one. Fetches what a local one needs, after having said so to `tell`; starts
    nothing.
    """
    probes: dict[Kind, Probe] = {"docker": docker.unavailable, "local": lambda: _local_unavailable(tell)}
    choice = choose(REGISTRY, asked, os.environ, probes, require_real=require_real)
    machine, label = _machine(choice, port, tell)
    return Registry(choice.kind, label, machine, _asking, choice.because)


def fetch(tell: Tell = untold) -> Path:
    """The directory with the unpacked registry."""
    return fetched("apicurio", VERSION, tell)


def _local_unavailable(tell: Tell) -> str | None:
    try:
        find_java()
        fetch(tell)
    except Failure as failure:
        return str(failure)
    return None


def _machine(choice: Choice, port: int, tell: Tell) -> tuple[Machine, str]:
    published = f"Apicurio Registry {VERSION.removesuffix('.Final')}"
    match choice.kind:
        case "external":
            return External(choice.address), "Schema registry"
        case "docker":
            port = port or free_port()
            return docker.Container(IMAGE, registry_url(port), f"{HOST}:{port}:8080", {}), published
        case "local":
            return _apicurio(port or free_port(), tell), published
        case "embedded":
            return RegistryThread(), "Registry of this process"


def registry_url(port: int) -> str:
    """What a client of a registry at 127.0.0.1:port takes as its URL."""
    return f"http://{HOST}:{port}{_PATH}"


def _apicurio(port: int, tell: Tell) -> Program:
    java, jar = find_java(), fetch(tell) / "app" / f"apicurio-registry-app-{VERSION}-runner.jar"

    options = [f"-Dquarkus.http.host={HOST}", f"-Dquarkus.http.port={port}", "-Dquarkus.log.console.color=false"]
    argv = [str(java), *QUICK, *options, "-jar", str(jar)]
    return Program("apicurio", registry_url(port), lambda _: argv)


def _asking(url: str) -> Callable[[], bool]:
    parts = urlsplit(url.partition(",")[0])
    connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection

    def answers() -> bool:
        connection = connect(parts.hostname or HOST, parts.port, timeout=2)
        try:
            connection.request("GET", f"{parts.path.rstrip('/')}/subjects")
            return connection.getresponse().status in _UP
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return answers
