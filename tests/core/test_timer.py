"""Alarms are records that have not happened yet."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from streams.core.timer import alarm, later
from tests.core.given import at

OWNER = ("a" * 16, "demo", "example")


def test_the_same_alarm_set_twice_is_one() -> None:
    """An alarm's id follows from what it is about and when, so setting it again sets nothing new."""
    assert alarm(OWNER, "due", "c-1", at(60)) == alarm(OWNER, "due", "c-1", at(60))
    assert alarm(OWNER, "due", "c-1", at(60)).timer_id != alarm(OWNER, "due", "c-1", at(61)).timer_id


def test_an_alarm_comes_back_at_its_own_time() -> None:
    """The record of an alarm carries the due time, so a late scan changes no decision."""
    timer = alarm(OWNER, "due", "c-1", at(60))
    record = timer.record(b"fact")
    assert (record.recorded_at, record.kind, record.record_id) == (at(60), "timer.due", timer.timer_id)
    assert timer.due().due_at == at(60)


@given(st.floats(min_value=0, max_value=1e6))
def test_computed_instants_survive_a_record(seconds: float) -> None:
    """Computed instants are whole milliseconds, which is what a record holds: they are reached exactly."""
    instant = later(at(0), seconds)
    assert alarm(OWNER, "due", "c-1", instant).due().due_at == instant
    assert timedelta(0) <= at(0) + timedelta(seconds=seconds) - instant < timedelta(milliseconds=1)
