"""What a lane is given: in order, without holes, and the urgent first."""

from collections.abc import Collection, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.engine.fetch import Feed, Run
from streams.engine.intake import Intake
from streams.engine.model import Record
from streams.errors import Fatal


class Acks:
    """Faust's event."""

    def ack(self) -> None:
        """Nothing more."""


def intake(before: Mapping[str, int | None], first: Collection[str] = ()) -> Intake:
    return Intake(Feed("stage", 0, before, first), first, before)


def run(of: Intake, topic: str, before: int | None, *offsets: int) -> Run:
    return Run(of.feed, topic, 0, before, [Record(topic, 0, offset, 0, b"k", b"v") for offset in offsets], 1)


def taken(of: Intake, limit: int = 100) -> list[tuple[str, int]]:
    return [(record.topic, record.offset) for record in of.take(limit).records]


@pytest.mark.parametrize("before", [None, 4, 6])
def test_a_run_that_does_not_follow_the_last_ends_the_process(before: int | None) -> None:
    """A hole or a repetition between broker and lane is found before anything is made of it."""
    of = intake({"in": 2})
    of.put(run(of, "in", 2, 2, 3, 4), Acks())
    with pytest.raises(Fatal, match="gap"):
        of.put(run(of, "in", before, 7), Acks())


def test_holes_that_the_broker_made_are_none() -> None:
    """Markers and compacted records leave offsets out; a run that begins where the client stood follows."""
    of = intake({"in": None})
    of.put(run(of, "in", None, 17, 40), Acks())
    of.put(run(of, "in", 41, 45), Acks())
    assert taken(of) == [("in", 17), ("in", 40), ("in", 45)]


@given(st.lists(st.integers(1, 7), min_size=1, max_size=8), st.integers(1, 9))
def test_portions_split_runs_without_loss_or_repetition(sizes: list[int], limit: int) -> None:
    """Whatever the sizes, records come out once and in order, positions follow, and a run ends with its last record."""
    of, offset, events = intake({"in": 0}), 0, [Acks() for _ in sizes]
    for size, event in zip(sizes, events, strict=True):
        of.put(run(of, "in", offset, *range(offset, offset + size)), event)
        offset += size
    seen: list[int] = []
    ended = 0
    while portion := of.take(limit):
        if not portion.records:
            break
        assert len(portion.records) <= limit
        seen += [record.offset for record in portion.records]
        ended += len(portion.ended)
        assert portion.positions == {"in": len(seen)}
        assert sum(sizes[:ended]) <= len(seen)
    assert (seen, ended, of.depth) == (list(range(sum(sizes))), len(sizes), 0)


def test_urgent_records_go_before_what_waits_already() -> None:
    """A withdrawal that arrives last is taken first, and alone."""
    of = intake({"requests": 0, "permissions": 0}, first=("permissions",))
    of.caught_up("permissions", 0)
    of.put(run(of, "requests", 0, 0, 1), Acks())
    of.put(run(of, "permissions", 0, 0), Acks())
    assert taken(of) == [("permissions", 0)]
    assert taken(of) == [("requests", 0), ("requests", 1)]


def test_nothing_is_taken_before_what_goes_first_was_read_to_its_end() -> None:
    """After an outage requests wait until every permission that waited with them has been taken up."""
    of = intake({"requests": 0, "permissions": 0}, first=("permissions",))
    of.put(run(of, "requests", 0, 0), Acks())
    assert (of.ready, taken(of)) == (False, [])
    of.caught_up("permissions", 3)
    assert not of.ready
    of.put(run(of, "permissions", 0, 0, 2), Acks())
    assert taken(of) == [("permissions", 0), ("permissions", 2)]
    assert taken(of) == [("requests", 0)]


def test_an_empty_topic_that_goes_first_holds_up_nothing() -> None:
    """A lane whose urgent topic has nothing goes on as soon as that is known."""
    of = intake({"requests": 0, "permissions": None}, first=("permissions",))
    of.put(run(of, "requests", 0, 0), Acks())
    of.caught_up("permissions", None)
    assert taken(of) == [("requests", 0)]
