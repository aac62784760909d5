"""A consumer that no longer fetches is told from one that has nothing to fetch."""

import pytest

from streams.engine.lag import silent

AT = ("in", 0)


@pytest.mark.parametrize(
    ("known", "seen", "found"),
    [(0, -1001, False), (7, 7, False), (7, 9, False), (7, -1001, True), (7, 6, True)],
    ids=["empty", "all seen", "ahead", "never fetched", "behind"],
)
def test_a_partition_is_silent_when_its_end_is_known_and_not_seen(known: int, seen: int, found: bool) -> None:
    """Markers behind the last record make no difference: ends are compared with ends."""
    assert silent({AT: known}, {AT: seen}, [AT]) == ({AT} if found else set())


def test_a_lane_that_still_has_work_is_not_silent() -> None:
    """Nothing is fetched for a lane that is busy with what it has, and nothing needs to be."""
    assert silent({AT: 7}, {AT: 1}, []) == set()
