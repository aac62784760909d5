"""The variables of the demo profile fit the stand-ins they are for."""

import importlib
import os

import pytest
from pydantic import SecretStr

from connectors.discovery import discover
from streams.runtime.environment import check_names, load
from tests.house.tree import ROOT

SANDBOX = "http://sandbox:8080"
NAMES = {"account", "base_url", "brand", "client_id", "domain", "templates", "tenant", "user"}
LINES = (ROOT / "deploy/docker/sandbox.env").read_text(encoding="utf-8").splitlines()
VARIABLES = dict(line.split("=", 1) for line in LINES if line and not line.startswith("#"))


@pytest.fixture(autouse=True)
def _only_these(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the container: nothing but the file."""
    for name in [name for name in os.environ if name.startswith("TIDINGS_")]:
        monkeypatch.delenv(name)
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)


def test_every_variable_is_read_by_a_connector() -> None:
    """A setting that was renamed cannot linger."""
    check_names(connector.settings for connector in discover().values())


def test_connectors_can_talk_to_their_stand_ins() -> None:
    """The file names each stand-in's address and the credentials it accepts."""
    for name, connector in discover().items():
        expected = importlib.import_module(f"connectors.{name}.testing").PROFILE.settings(f"{SANDBOX}/{name}")
        found = load(connector.settings)
        decisive = [field for field, value in expected if isinstance(value, SecretStr) or field in NAMES]
        assert {field: getattr(found, field) for field in decisive} == {
            field: getattr(expected, field) for field in decisive
        }, name
