"""Timers that wait: what comes out, when, and in which order."""

import pickle

from hypothesis import given
from hypothesis import strategies as st

from streams.engine import Timer
from streams.engine.timers import Timers

dues = st.integers(0, 2**40)
timers = st.builds(Timer, st.text(min_size=1), dues, st.text(max_size=30), st.binary(), st.binary(), st.integers(0, 99))


@given(timers)
def test_a_timer_survives_its_changelog(timer: Timer) -> None:
    """A timer read back from the changelog is the timer that was set."""
    assert Timer.unpack(timer.timer_id, timer.pack()) == timer


@given(st.dictionaries(st.text(min_size=1, max_size=4), st.integers(0, 50), max_size=20), st.integers(0, 60))
def test_timers_fire_in_due_order_and_never_early(dues: dict[str, int], now: int) -> None:
    """Exactly the timers that are due come out, in due order, and none comes out twice."""
    due = Timers()
    due.apply({i: Timer(i, at, "t", b"", b"").pack() for i, at in dues.items()})
    taken = due.take(now, 1000)
    assert [t.due for t in taken] == sorted(at for at in dues.values() if at <= now)
    assert due.take(now, 1000) == []


@given(st.lists(st.tuples(st.sampled_from("abc"), st.none() | st.integers(0, 9)), max_size=30))
def test_a_replaced_or_cancelled_timer_leaves_no_trace(script: list[tuple[str, int | None]]) -> None:
    """After any series of sets, replacements and cancellations only the last word of each timer fires."""
    due, last = Timers(), dict[str, int | None]()
    for timer_id, at in script:
        last[timer_id] = at
        due.apply({timer_id: None if at is None else Timer(timer_id, at, "t", b"", b"").pack()})
    fired = {t.timer_id: t.due for t in due.take(100, 1000)}
    assert fired == {i: at for i, at in last.items() if at is not None}


def test_a_timer_that_is_put_off_again_and_again_costs_one() -> None:
    """Replacing a timer leaves nothing of its former times, neither when it fires nor in what is kept."""
    due = Timers()
    for at in range(10_000):
        due.apply({"cart": Timer("cart", at, "t", b"", b"").pack()})
    assert (len(due), len(pickle.dumps(due)) < 50_000) == (1, True)
    assert [timer.due for timer in due.take(10_000, 10)] == [9_999]
