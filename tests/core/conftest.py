"""The shipped policy, read once."""

import pytest

from streams.communications.loader import load
from streams.core.policy import Policy


@pytest.fixture(scope="session")
def policy() -> Policy:
    """What is shipped, with nothing overridden."""
    return load()
