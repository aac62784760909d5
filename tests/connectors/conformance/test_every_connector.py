"""The contract, proved for every connector that discovery finds. A new folder appears here by itself."""

import pytest

from tests.connectors.conformance import folder, inbound, wire
from tests.connectors.conformance.case import Case, cases
from tests.connectors.conformance.registry import Check, checks_of

MODULES = (folder, inbound, wire)
EVERY = [
    pytest.param(case, check, id=f"{case.connector.name}-{check.__name__}")
    for case in cases()
    for check in checks_of(case)
]


@pytest.mark.parametrize(("case", "check"), EVERY)
async def test_a_connector_keeps_the_contract(case: Case, check: Check) -> None:
    """Every connector keeps every promise of its roles; the check's name says which."""
    await check(case)


def test_connectors_are_found_at_all() -> None:
    """The suite is not green because it found nothing to test."""
    assert len(EVERY) > len(MODULES)
