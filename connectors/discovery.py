"""Finds every connector by looking, so that a new one is a folder or an installed package and never a line in a list.

A connector is a sub-package of `connectors` with a `CONNECTOR`, or an entry point of the group "tidings.connectors"
that names such a package. One that cannot be loaded stops the start with its name, instead of being absent silently.
"""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import entry_points
from types import ModuleType

import connectors
from connectors.contract import Connector
from streams.errors import Misconfigured

GROUP = "tidings.connectors"


def discover(packages: Iterable[str] | None = None) -> Mapping[str, Connector]:
    """Every connector by name, sorted. Raises Misconfigured("broken_connector" | "duplicate_connector")."""
    found: dict[str, Connector] = {}
    for package in sorted(set(packages if packages is not None else installed())):
        connector = load(package)
        if connector.name in found:
            raise Misconfigured(
                "duplicate_connector", f"{package} is named {connector.name!r} as another one is; rename it"
            )
        found[connector.name] = connector
    return dict(sorted(found.items()))


def find(name: str) -> Connector:
    """One connector by name. Raises Misconfigured("unknown_connector") and tells which there are."""
    known = discover()
    if name not in known:
        raise Misconfigured("unknown_connector", f"there is no connector {name!r}; known: {', '.join(known) or 'none'}")
    return known[name]


def installed() -> Iterator[str]:
    """The dotted names of all connector packages, ours and those of other distributions."""
    for module in pkgutil.iter_modules(connectors.__path__, "connectors."):
        if module.ispkg:
            yield module.name
    for point in entry_points(group=GROUP):
        yield point.value.partition(":")[0]


def load(package: str) -> Connector:
    """The connector of one package. Raises Misconfigured("broken_connector") that names the package and the fault."""
    connector = getattr(_import(package), "CONNECTOR", None)
    if not isinstance(connector, Connector):
        raise Misconfigured("broken_connector", f"{package} has no CONNECTOR of type connectors.contract.Connector")
    return connector


def _import(package: str) -> ModuleType:
    try:
        return importlib.import_module(package)
    except Exception as cause:
        raise Misconfigured(
            "broken_connector", f"{package} cannot be imported: {type(cause).__name__}: {cause}"
        ) from cause
