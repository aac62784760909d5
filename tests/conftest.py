"""Fixtures shared by all tests: the broker and the registry of this run, started once and said aloud."""

import pytest


@pytest.fixture(scope="session")
def kafka() -> str:
    return "127.0.0.1:39092"
