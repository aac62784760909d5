"""Every golden case of every communication type holds."""

import pytest

from streams.communications.loader import load, load_cases
from streams.core.cases import Case, differences, run

POLICY = load()
CASES = load_cases()


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{kind}-{case.id}") for kind, cases in CASES.items() for case in cases]
)
def test_the_case_holds(case: Case) -> None:
    """What the case promises is what happens: deliveries, texts, decisions and reasons."""
    assert differences(case, run(POLICY, case)) == ()


@pytest.mark.parametrize("kind", CASES)
def test_a_type_proves_itself(kind: str) -> None:
    """Each type has at least three cases with names of their own, and shows itself leaving and not leaving."""
    cases = CASES[kind]
    assert len({case.id for case in cases}) == len(cases) >= 3
    lines = [line for case in cases for line in case.expect.decisions if f" {kind} " in line]
    assert any(line.endswith(f"{kind} send") for line in lines)
    assert any("suppress(" in line or "supersede(" in line for line in lines)
