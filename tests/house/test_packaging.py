"""Tidings is an application with three generic package names, so it makes sure that they are its own."""

import tomllib
from importlib.metadata import entry_points, packages_distributions

from tests.house.tree import PACKAGES, ROOT, files

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_our_package_names_belong_to_us_alone() -> None:
    """Nothing else in the environment installs streams, schemas or connectors."""
    owners = packages_distributions()
    assert {name: set(owners.get(name, ["tidings"])) for name in PACKAGES} == {name: {"tidings"} for name in PACKAGES}


def test_the_command_is_installed() -> None:
    """`tidings` runs what the project file says."""
    [script] = [point for point in entry_points(group="console_scripts") if point.name == "tidings"]
    assert script.value == PROJECT["project"]["scripts"]["tidings"]


def test_everything_the_product_reads_is_shipped() -> None:
    """Schemas, policies, templates and fixtures lie inside the packages, so the wheel holds them."""
    assert PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == list(PACKAGES)
    data = [name for name in files() if name.endswith((".avsc", "rule.yaml"))]
    assert all(name.split("/")[0] in PACKAGES for name in data)


def test_the_licence_is_complete() -> None:
    """The file holds the licence that the project file names."""
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert PROJECT["project"]["license"] == "Apache-2.0"
    assert "Version 2.0, January 2004" in licence
    assert "END OF TERMS AND CONDITIONS" in licence
