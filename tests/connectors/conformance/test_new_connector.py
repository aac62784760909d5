"""A new platform is one folder: discovery finds it and the whole suite applies to it, with no line changed anywhere."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import connectors
from connectors.discovery import discover, find, installed, load
from streams.errors import Misconfigured
from tests.connectors.conformance import folder, inbound, wire
from tests.connectors.conformance.case import case_of
from tests.connectors.conformance.registry import checks_of

MODULES = (folder, inbound, wire)
NAME = "corner_shop"
PACKAGE = f"connectors.{NAME}"


@pytest.fixture
def extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A second place for connectors, as an editable checkout or a plug-in directory would be."""
    monkeypatch.setattr(connectors, "__path__", [*connectors.__path__, str(tmp_path)])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("connectors."):
            del sys.modules[name]
            vars(connectors).pop(name.split(".")[1], None)


@pytest.fixture
def corner_shop(extra: Path) -> Path:
    """A whole connector under a new name, made from one that exists."""
    source, target = Path(connectors.__file__).parent / "bigcommerce", extra / NAME
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    for path in target.rglob("*"):
        if path.suffix in (".py", ".md"):
            text = path.read_text(encoding="utf-8")
            path.write_text(text.replace("bigcommerce", NAME).replace("BIGCOMMERCE", NAME.upper()), encoding="utf-8")
    return target


async def test_a_new_folder_is_found_and_passes_the_suite(corner_shop: Path) -> None:
    """A folder that appears is discovered under its name and inherits every check of its roles."""
    assert PACKAGE in set(installed())
    assert find(NAME).settings.model_config.get("env_prefix") == "TIDINGS_CORNER_SHOP_"
    assert list(discover()) == sorted(discover())
    case = case_of(PACKAGE)
    checks = checks_of(case)
    assert len(checks) > 10
    for check in checks:
        await check(case)


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        ("README.md", folder.has_the_usual_files),
        ("writeback.py", folder.has_the_usual_files),
        ("fixtures/order.json", folder.brings_readable_fixtures),
    ],
)
async def test_the_suite_notices_what_is_missing(corner_shop: Path, broken: str, check: object) -> None:
    """A connector that lacks a file or holds an unreadable fixture does not pass."""
    case = case_of(PACKAGE)
    path = corner_shop / broken
    path.write_text("{") if path.suffix == ".json" else path.unlink()
    assert callable(check)
    with pytest.raises((AssertionError, ValueError)):
        await check(case)


async def test_the_suite_notices_an_impure_mapping(corner_shop: Path) -> None:
    """A mapping that reads the clock does not pass."""
    case = case_of(PACKAGE)
    path = corner_shop / "mapping.py"
    path.write_text(path.read_text() + "\n\nNOW = datetime.now(UTC)\n")
    with pytest.raises(AssertionError, match="clock"):
        await folder.maps_without_looking_around(case)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("raise RuntimeError('no licence')", "no licence"),
        ("import no_such_module", "no_such_module"),
        ("CONNECTOR = 'soon'", "CONNECTOR"),
        ("", "CONNECTOR"),
    ],
)
def test_a_broken_connector_stops_the_start_by_name(extra: Path, text: str, told: str) -> None:
    """A folder that cannot be loaded is never silently absent: the error names it and its fault."""
    (extra / "half_done").mkdir()
    (extra / "half_done" / "__init__.py").write_text(text)
    with pytest.raises(Misconfigured) as caught:
        discover()
    assert caught.value.code == "broken_connector"
    assert "connectors.half_done" in str(caught.value)
    assert told in str(caught.value)


def test_two_connectors_of_one_name_are_refused(corner_shop: Path) -> None:
    """Which of two connectors would run is never left to chance."""
    path = corner_shop / "__init__.py"
    path.write_text(path.read_text().replace(f'name="{NAME}"', 'name="bigcommerce"'))
    with pytest.raises(Misconfigured) as caught:
        discover(["connectors.bigcommerce", PACKAGE])
    assert caught.value.code == "duplicate_connector"


def test_an_unknown_name_tells_what_there_is() -> None:
    """Whoever mistypes a connector's name reads the names there are."""
    with pytest.raises(Misconfigured, match="bigcommerce"):
        find("bigcomerce")


def test_an_installed_package_is_a_connector_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A distribution that names its package in the entry point group is found like a folder."""
    from importlib.metadata import EntryPoint

    point = EntryPoint("elsewhere", "connectors.bigcommerce:CONNECTOR", "tidings.connectors")
    monkeypatch.setattr("connectors.discovery.entry_points", lambda group: [point])
    monkeypatch.setattr("connectors.discovery.pkgutil.iter_modules", lambda *_: [])
    assert list(installed()) == ["connectors.bigcommerce"]
    assert load("connectors.bigcommerce").name == "bigcommerce"
