"""Retries inside the HTTP client happen without waiting in these tests; their number stays what the limits say."""

from collections.abc import Iterator

import pytest
import stamina


@pytest.fixture(autouse=True)
def impatient() -> Iterator[None]:
    """Retries at once."""
    with stamina.set_testing(True, attempts=100, cap=True):
        yield
