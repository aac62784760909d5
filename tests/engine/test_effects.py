"""Effects: intents before acts, many keys at once, and what becomes of those that fail."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.engine import Record, Stage, Step, each
from streams.engine.batch import Batch
from streams.engine.effects import Effects, waves
from streams.engine.step import Changes
from streams.errors import Fatal, Retry, Skip
from tests.engine.given import Counts, batch, record, stage


@given(st.lists(st.sampled_from([b"a", b"b", b"c"]), max_size=20))
def test_waves_hold_each_key_once_and_keep_its_order(keys: list[bytes]) -> None:
    """No key is in flight twice, and a key's records act in the order they came."""
    cut = waves([record(i, key) for i, key in enumerate(keys)])
    assert all(len({r.key for r in wave}) == len(wave) for wave in cut)
    for key in set(keys):
        offsets = [r.offset for wave in cut for r in wave if r.key == key]
        assert offsets == [i for i, k in enumerate(keys) if k == key]


async def effects(of: Stage, records: list[Record], committed: list[Changes] | None = None) -> tuple[Batch, Counts]:
    counts = Counts()
    work = batch(of, counts)

    async def commit(changes: Changes) -> None:
        work.state.absorb("state", [(key, value) for (_, key), value in changes.puts.items()])
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

    of = stage(handle=each(lambda r, s: s.put(r.key, b"intent")), act=act)
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
        await effects(stage(handle=each(handle), act=act), [record(), record(1)], committed)
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


async def test_what_ends_the_process_is_no_dead_letter() -> None:
    """A Fatal out of an effect is passed on: its record comes again after the restart."""
    with pytest.raises(Fatal):
        await effects(stage(act=failing(1, Fatal("disk_full"))), [record()])
