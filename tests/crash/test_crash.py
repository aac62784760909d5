"""The engine under faults, on a broker of its own: nothing lost, repeated, reordered or miscounted, no timer off.

And the tests of that test: builds known to be bad are called wrong.
"""

import dataclasses
import json
import signal

import pytest

from tests.crash.run import carry_out
from tests.crash.scenarios import BROKEN, EVERYDAY, EVERYDAY_BROKEN, SCENARIOS, TRIES, chosen

pytestmark = [pytest.mark.broker, pytest.mark.slow]
QUIET_S = 12.0


@pytest.mark.parametrize("name", chosen(SCENARIOS, EVERYDAY))
async def test_whatever_breaks_every_record_counts_once(name: str) -> None:
    """Faults at seeded moments change no output, no state and no timer; the workers end when asked to."""
    report = await carry_out(SCENARIOS[name])
    assert report.right, f"{json.dumps(report.summary())}\n{json.dumps(report.tails, indent=1)}"
    assert len(report.faults) == SCENARIOS[name].count
    assert set(report.left) <= {0, -signal.SIGTERM}, "none is stuck or fails on its way out"


@pytest.mark.parametrize("name", chosen(BROKEN, EVERYDAY_BROKEN))
async def test_a_bad_build_is_called_wrong(name: str) -> None:
    """A build that breaks one promise is found out, by the wrongness that promise is about."""
    plan, kind = BROKEN[name]
    seen = []
    for again in range(TRIES):
        report = await carry_out(dataclasses.replace(plan, seed=plan.seed + again, broken=name, quiet_s=QUIET_S))
        if kind in report.verdict.counts and "behind" not in report.verdict.counts:
            return
        seen.append(report.summary())
    pytest.fail(f"{name} was not caught: {json.dumps(seen)}")
