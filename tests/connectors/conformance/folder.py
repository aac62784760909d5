"""What every connector's folder holds, and what its code may not reach for."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import SecretStr

from tests.connectors.conformance.case import Case, World
from tests.connectors.conformance.registry import check

_FILES = ("__init__.py", "settings.py", "api.py", "mapping.py", "testing.py", "README.md", "fixtures")
_BY_ROLE = {
    "ingest": "ingest.py",
    "write_back": "writeback.py",
    "compose": "compose.py",
    "notify": "notify.py",
    "track": "receipts.py",
}
_METHODS = {
    "ingest": ("accept",),
    "hydrate": ("hydrate",),
    "write_back": ("write_back",),
    "compose": ("compose",),
    "notify": ("submit", "promise"),
    "track": ("receipts", "poll"),
}
_HEADINGS = ("set-up", "limits", "known gaps", "certification checklist")
_HTTP = {"httpx", "requests", "aiohttp", "urllib3", "urllib.request", "http.client", "socket"}
_IMPURE = _HTTP | {
    "asyncio",
    "confluent_kafka",
    "aiokafka",
    "connectors.http",
    "faust",
    "os",
    "pathlib",
    "random",
    "secrets",
    "structlog",
    "subprocess",
    "threading",
    "time",
    "uuid",
}
_CLOCKS = {"now", "utcnow", "today"}


@check()
async def has_the_usual_files(case: Case) -> None:
    """A connector's folder has the same file names as its siblings."""
    wanted = [*_FILES, *(_BY_ROLE[role] for role in sorted(case.connector.roles) if role in _BY_ROLE)]
    missing = [name for name in wanted if not (case.folder / name).exists()]
    assert not missing, f"{case.folder.name} lacks {', '.join(missing)}"
    sandboxes = [name for name in ("sandbox.py", "sandbox/__init__.py") if (case.folder / name).exists()]
    assert sandboxes, f"{case.folder.name} has no sandbox"
    assert case.connector.name == case.folder.name, f"{case.folder.name} calls itself {case.connector.name}"


@check()
async def offers_what_its_roles_promise(case: Case) -> None:
    """The client has the methods of every role, and the profile has a call for each role that uses the wire."""
    client = World(case).client
    lacking = [m for role in case.connector.roles for m in _METHODS[role] if not hasattr(client, m)]
    assert not lacking, f"{case.connector.name}: the client has no {', '.join(lacking)}"
    untested = case.connector.roles - {"ingest"} - {call.role for call in case.profile.calls}
    assert not untested, f"{case.connector.name}: testing.py has no call for {', '.join(sorted(untested))}"
    assert "notify" not in case.connector.roles or case.connector.channels, f"{case.connector.name} names no channel"


@check()
async def keeps_its_settings_apart_and_its_secrets_hidden(case: Case) -> None:
    """Settings have the connector's own prefix, and neither their text nor their errors show a secret."""
    settings = case.connector.settings
    prefix = settings.model_config.get("env_prefix")
    assert prefix == f"TIDINGS_{case.connector.name.upper()}_", f"{case.connector.name}: the prefix is {prefix}"
    for name, about in settings.model_fields.items():
        secret = re.search(r"(^|_)(token|secret|password|passphrase)$", name)
        hidden = "SecretStr" in str(about.annotation) or about.annotation is SecretStr
        assert not secret or hidden, f"{case.connector.name}: {name} is no SecretStr"
    shown = repr(case.settings) + str(case.settings)
    assert case.secrets, f"{case.connector.name}: the settings hold no secret at all"
    assert not [secret for secret in case.secrets if secret in shown], f"{case.connector.name}: repr shows a secret"


@check()
async def tells_people_how_to_set_it_up_and_certify_it(case: Case) -> None:
    """The README says how to set up, what the limits and gaps are, and lists what to certify before going live."""
    text = (case.folder / "README.md").read_text(encoding="utf-8")
    headings = [line.lstrip("#").strip().lower() for line in text.splitlines() if line.startswith("#")]
    missing = [name for name in _HEADINGS if name not in headings]
    assert not missing, f"{case.connector.name}/README.md has no section {', '.join(missing)}"
    assert "- [ ]" in text.lower().partition("certification checklist")[2], (
        f"{case.connector.name}: nothing to tick off"
    )


@check()
async def brings_readable_fixtures(case: Case) -> None:
    """Every fixture parses, and a connector that takes events brings one per kind."""
    fixtures = sorted((case.folder / "fixtures").rglob("*.json"))
    assert fixtures, f"{case.connector.name} has no fixtures"
    for path in fixtures:
        json.loads(path.read_text(encoding="utf-8"))
    assert case.events or "ingest" not in case.connector.roles, f"{case.connector.name} has no fixtures/events/*.json"


@check()
async def maps_without_looking_around(case: Case) -> None:
    """mapping.py is pure: no network, no files, no clock, no chance."""
    path = case.folder / "mapping.py"
    reached = {name for name in _imports(path) if any(_within(name, bad) for bad in _IMPURE)}
    assert not reached, f"{case.connector.name}/mapping.py imports {', '.join(sorted(reached))}"
    called = {node.attr for node in ast.walk(_tree(path)) if isinstance(node, ast.Attribute) and node.attr in _CLOCKS}
    assert not called, f"{case.connector.name}/mapping.py reads the clock: {', '.join(sorted(called))}"


@check()
async def speaks_only_through_the_one_client(case: Case) -> None:
    """No module has an HTTP client of its own, and none knows another connector or the workers."""
    for path in sorted(case.folder.rglob("*.py")):
        for name in _imports(path):
            where = f"{path.relative_to(case.folder.parent)} imports {name}"
            assert not any(_within(name, client) for client in _HTTP), f"{where}; use connectors.http"
            assert not name.startswith("streams.") or name.startswith("streams.errors"), f"{where}; workers are above"
            assert _own_or_shared(case, name), f"{where}; connectors do not know one another"


def _own_or_shared(case: Case, name: str) -> bool:
    parts = name.split(".")
    if parts[0] != "connectors" or len(parts) < 2 or name.startswith(case.package):
        return True
    root = Path(__file__).parents[3] / "connectors"
    return (root / f"{parts[1]}.py").exists()


def _within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def _tree(path: Path) -> ast.AST:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
