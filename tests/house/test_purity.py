"""What decides is pure: no clock, no chance, no environment; and the network is reached through one module."""

import ast

from tests.house.test_promises import used
from tests.house.tree import PACKAGES, functions, imported, modules, parse

PURE = [
    name
    for name in modules("streams", "connectors")
    if name.startswith("streams/core/") or name.endswith("/mapping.py")
]
OUTSIDE = {
    "datetime.now",
    "datetime.today",
    "datetime.utcnow",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.date.today",
    "date.today",
    "os.environ",
    "os.getenv",
    "os.urandom",
    "random",
    "secrets",
    "time.time",
    "time.time_ns",
    "time.monotonic",
    "time.perf_counter",
    "time.sleep",
    "uuid.uuid1",
    "uuid.uuid4",
}
CLIENTS = {"aiohttp", "httpx", "httpx2", "requests", "urllib3", "http.client", "urllib.request"}
THE_CLIENT = "connectors/http.py"
LOCAL = "streams/local/"
"""Starts a broker and a registry on this machine and asks them whether they are up."""


def test_time_and_chance_are_arguments() -> None:
    """The same input gives the same output, today and in a replay."""
    found = {name: OUTSIDE & set(used(parse(name))) for name in PURE}
    assert {name: words for name, words in found.items() if words} == {}


def test_nothing_pure_waits() -> None:
    """A pure function has nothing to await."""
    waiting = [
        f"{name}:{node.lineno} {node.name}"
        for name in PURE
        for node in functions(parse(name))
        if isinstance(node, ast.AsyncFunctionDef)
    ]
    assert waiting == []


def test_one_module_talks_http() -> None:
    """Limits, retries, redaction and metrics of outgoing requests cannot be gone round: there is one client."""
    found = {
        name
        for name in modules(*PACKAGES)
        if not name.startswith(LOCAL)
        for module in imported(parse(name))
        if module in CLIENTS or module.split(".")[0] in CLIENTS
    }
    assert found == {THE_CLIENT}
