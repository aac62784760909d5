"""The engine's parts that need no broker."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.engine import RECORD_MAX, Record, Stage, Step, Timer
from streams.engine.batch import Batch
from streams.engine.effects import Effects, waves
from streams.engine.guards import check_versions
from streams.engine.step import Changes, State
from streams.engine.timers import DueTimers
from streams.errors import Failure, Misconfigured, Reject, Retry, Skip


class Counts:
    """An observer that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *args, **_: self.told.append((name, args))


def record(offset: int = 0, key: bytes = b"k", value: bytes | None = b"v") -> Record:
    return Record("in", 0, offset, 0, key, value)


def letter(stage: str, bad: Record, failure: Failure, now: int) -> bytes:
    return f"{stage}|{bad.offset}|{failure.code}|".encode() + (bad.value or b"")


def stage(**changes: Any) -> Stage:
    return Stage("test", ("in",), "test.changelog", "test.dlq", letter, backoff_s=0, **changes)


def batch(of: Stage, observer: Any = None) -> Batch:
    return Batch(of, State(of.topics_by_store), 0, observer or Counts(), lambda: 1000)


dues = st.integers(0, 2**40)
timers = st.builds(Timer, st.text(min_size=1), dues, st.text(max_size=30), st.binary(), st.binary(), st.integers(0, 99))


@given(timers)
def test_a_timer_survives_its_changelog(timer: Timer) -> None:
    """A timer read back from the changelog is the timer that was set."""
    assert Timer.unpack(timer.timer_id, timer.pack()) == timer


@given(st.dictionaries(st.text(min_size=1, max_size=4), st.integers(0, 50), max_size=20), st.integers(0, 60))
def test_timers_fire_in_due_order_and_never_early(dues: dict[str, int], now: int) -> None:
    """Exactly the timers that are due come out, in due order, and none comes out twice."""
    due = DueTimers({i: Timer(i, at, "t", b"", b"") for i, at in dues.items()})
    taken = due.take(now, 1000)
    assert [t.due for t in taken] == sorted(at for at in dues.values() if at <= now)
    assert due.take(now, 1000) == []


@given(st.lists(st.tuples(st.sampled_from("abc"), st.none() | st.integers(0, 9)), max_size=30))
def test_a_replaced_or_cancelled_timer_leaves_no_trace(script: list[tuple[str, int | None]]) -> None:
    """After any series of sets, replacements and cancellations only the last word of each timer fires."""
    due, last = DueTimers({}), dict[str, int | None]()
    for timer_id, at in script:
        last[timer_id] = at
        due.apply({timer_id: None if at is None else Timer(timer_id, at, "t", b"", b"")})
    fired = {t.timer_id: t.due for t in due.take(100, 1000)}
    assert fired == {i: at for i, at in last.items() if at is not None}


@given(st.lists(st.sampled_from([b"a", b"b", b"c"]), max_size=20))
def test_waves_hold_each_key_once_and_keep_its_order(keys: list[bytes]) -> None:
    """No key is in flight twice, and a key's records act in the order they came."""
    cut = waves([record(i, key) for i, key in enumerate(keys)])
    assert all(len({r.key for r in wave}) == len(wave) for wave in cut)
    for key in set(keys):
        offsets = [r.offset for wave in cut for r in wave if r.key == key]
        assert offsets == [i for i, k in enumerate(keys) if k == key]


def test_a_bad_record_is_thrown_away_whole_and_its_neighbours_are_not() -> None:
    """A record that fails after changing things changes nothing, and a dead letter with its bytes takes its place."""

    def handle(bad: Record, step: Step) -> None:
        step.put(bad.key, bad.value)
        step.send("out", bad.key, b"done")
        if bad.value == b"poison":
            raise Reject("bad_avro", "byte 3")

    work = batch(stage(handle=handle))
    for r in (record(0, b"a"), record(1, b"b", b"poison"), record(2, b"c")):
        work.handle(r)
    assert set(work.changes.puts) == {("state", b"a"), ("state", b"c")}
    assert [(o.topic, o.value) for o in work.changes.outs] == [
        ("out", b"done"),
        ("test.dlq", b"test|1|bad_avro|poison"),
        ("out", b"done"),
    ]


def test_what_does_not_fit_costs_its_record_and_not_the_process() -> None:
    """A value no topic can carry is refused when it is made, and becomes a dead letter like any other bad record."""
    work = batch(stage(handle=lambda r, step: step.send("out", r.key, b"x" * (RECORD_MAX + 1))))
    work.handle(record())
    assert [(o.topic, o.value) for o in work.changes.outs] == [("test.dlq", b"test|0|too_large|v")]


def test_an_unforeseen_exception_is_a_dead_letter_and_not_a_crash_loop() -> None:
    """A bug in a handler costs one record, which is kept, and never the lane."""
    work = batch(stage(handle=lambda r, s: 1 // 0))
    work.handle(record())
    assert work.changes.outs[0].value == b"test|0|unforeseen_ZeroDivisionError|v"


def test_a_record_sees_what_earlier_records_of_its_batch_changed() -> None:
    """Two records of one key in one batch count to two."""

    def handle(r: Record, step: Step) -> None:
        step.put(r.key, b"%d" % (int(step.get(r.key) or b"0") + 1))

    work = batch(stage(handle=handle))
    work.handle(record(0))
    work.handle(record(1))
    assert work.changes.puts == {("state", b"k"): b"2"}


async def effects(of: Stage, records: list[Record], committed: list[Changes] | None = None) -> tuple[Batch, Counts]:
    counts = Counts()
    work = batch(of, counts)

    async def commit(changes: Changes) -> None:
        work.state.apply(changes)
        if committed is not None:
            committed.append(changes)

    await Effects(work, commit, lambda why: None).run(records)
    return work, counts


async def test_the_intent_is_committed_before_the_effect_runs_and_the_outcome_after() -> None:
    """What a handler wrote is durable before its effect runs, and what came of that before anything else is tried."""
    committed: list[Changes] = []
    seen: list[int] = []

    async def act(r: Record, step: Step) -> None:
        seen.append(len(committed))
        step.put(r.key, b"accepted")

    of = stage(handle=lambda r, s: s.put(r.key, b"intent"), act=act)
    await effects(of, [record(), record(1)], committed)
    assert seen == [1, 3]
    assert [change.puts["state", b"k"] for change in committed] == [b"intent", b"accepted"] * 2


async def test_a_registry_that_goes_away_takes_no_finished_effect_with_it() -> None:
    """When the handler of a later record cannot go on, the outcomes of earlier ones are durable already."""
    committed: list[Changes] = []

    def handle(r: Record, step: Step) -> None:
        if r.offset:
            raise Retry("registry_unavailable")
        step.put(r.key, b"intent")

    async def act(r: Record, step: Step) -> None:
        step.put(r.key, b"accepted")

    with pytest.raises(Retry):
        await effects(stage(handle=handle, act=act), [record(), record(1)], committed)
    assert committed[-1].puts == {("state", b"k"): b"accepted"}


async def test_many_keys_are_in_flight_and_one_per_key() -> None:
    """Effects of different subjects overlap; those of one subject never do."""
    flying: set[bytes] = set()
    most = 0

    async def act(r: Record, step: Step) -> None:
        nonlocal most
        assert r.key not in flying
        flying.add(r.key)
        most = max(most, len(flying))
        await asyncio.sleep(0)
        flying.discard(r.key)

    await effects(stage(act=act), [record(i, b"%d" % (i % 3)) for i in range(9)])
    assert most == 3


def failing(times: int, error: Exception) -> Callable[[Record, Step], Awaitable[None]]:
    left = [times]

    async def act(r: Record, step: Step) -> None:
        if left[0]:
            left[0] -= 1
            raise error
        step.send("out", r.key, b"done")

    return act


async def test_a_retry_in_place_keeps_trying_and_then_succeeds() -> None:
    """A passing fault costs time and nothing else."""
    work, _ = await effects(stage(act=failing(3, Retry("timeout"))), [record()])
    assert [o.topic for o in work.changes.outs] == ["out"]


async def test_a_retry_that_never_ends_becomes_a_dead_letter_with_its_reason() -> None:
    """After the last attempt the record is kept with the reason."""
    work, counts = await effects(stage(act=failing(99, Retry("timeout")), attempts=3), [record()])
    assert work.changes.outs[0].value == b"test|0|timeout|v"
    assert ("dead", ("test", "timeout")) in counts.told


async def test_a_requeued_record_comes_back_later_and_lets_others_pass() -> None:
    """The record is put on a timer with its attempt counted, so its lane goes on with other records."""
    work, _ = await effects(stage(act=failing(1, Retry("not_yet", after=7)), retry="requeue"), [record(5)])
    (timer,) = work.changes.timers.values()
    assert timer is not None
    assert (timer.topic, timer.value, timer.attempt, timer.due) == ("in", b"v", 1, 8000)


async def test_a_skip_is_counted_and_leaves_nothing() -> None:
    """Nothing to do is not an error."""
    work, counts = await effects(stage(act=failing(1, Skip("own_echo"))), [record()])
    assert not work.changes
    assert ("outcome", ("test", "skipped")) in counts.told


def test_a_wrong_library_version_refuses_to_start() -> None:
    """A worker never runs on a Faust whose internals were not tested with it."""
    with pytest.raises(Misconfigured, match="aiokafka"):
        check_versions({"aiokafka": "0.0.1"})
