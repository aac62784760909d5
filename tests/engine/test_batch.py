"""A stage's function over a micro-batch: what it sees, what it changes, and what a bad record costs."""

from collections.abc import Sequence

import pytest

from streams.engine import RECORD_MAX, Record, Step, Timer, each
from streams.errors import Reject, Retry, Skip
from tests.engine.given import Counts, batch, record, stage


def test_a_bad_record_is_thrown_away_whole_and_its_neighbours_are_not() -> None:
    """A record that fails after changing things changes nothing, and a dead letter with its bytes takes its place."""

    def handle(bad: Record, step: Step) -> None:
        step.put(bad.key, bad.value)
        step.send("out", bad.key, b"done")
        if bad.value == b"poison":
            raise Reject("bad_avro", "byte 3")

    work = batch(stage(handle=each(handle)))
    good = work.handle([record(0, b"a"), record(1, b"b", b"poison"), record(2, b"c")])
    assert [r.offset for r in good] == [0, 2]
    assert set(work.changes.puts) == {("state", b"a"), ("state", b"c")}
    assert [(o.topic, o.value) for o in work.changes.outs] == [
        ("out", b"done"),
        ("out", b"done"),
        ("test.dlq", b"test|1|bad_avro|poison"),
    ]


def test_what_does_not_fit_costs_its_record_and_not_the_process() -> None:
    """A value no topic can carry is refused when it is made, and becomes a dead letter like any other bad record."""
    work = batch(stage(handle=each(lambda r, step: step.send("out", r.key, b"x" * (RECORD_MAX + 1)))))
    work.handle([record()])
    assert [(o.topic, o.value) for o in work.changes.outs] == [("test.dlq", b"test|0|too_large|v")]


def test_an_unforeseen_exception_is_a_dead_letter_and_not_a_crash_loop() -> None:
    """A bug in a handler costs one record, which is kept, and never the lane."""
    work = batch(stage(handle=lambda rs, s: 1 // 0))
    work.handle([record()])
    assert work.changes.outs[0].value == b"test|0|unforeseen_ZeroDivisionError|v"


def test_a_record_sees_what_earlier_records_of_its_batch_changed() -> None:
    """Three records of one key in one step count to three."""

    def handle(r: Record, step: Step) -> None:
        step.put(r.key, b"%d" % (int(step.get(r.key) or b"0") + 1))

    work = batch(stage(handle=each(handle)))
    work.handle([record(0), record(1)])
    work.handle([record(2)])
    assert work.changes.puts == {("state", b"k"): b"3"}


def test_a_function_over_a_batch_that_fails_costs_the_bad_record_alone() -> None:
    """What a failing batch changed is thrown away, and its records are run one by one: each counts once."""

    def handle(records: Sequence[Record], step: Step) -> None:
        for r in records:
            step.put(b"n", b"%d" % (int(step.get(b"n") or b"0") + 1))
            step.send("out", r.key, b"%d" % (100 // int(r.value or b"0")))

    work = batch(stage(handle=handle))
    good = work.handle([record(n, value=b"%d" % n) for n in range(4)])
    assert [r.offset for r in good] == [1, 2, 3]
    assert work.changes.puts == {("state", b"n"): b"3"}
    assert [o.topic for o in work.changes.outs] == ["test.dlq", "out", "out", "out"]


def test_a_batch_may_give_up_single_records_itself() -> None:
    """A record refused by a function over a batch is a dead letter, and the rest of its work stands."""

    def handle(records: Sequence[Record], step: Step) -> None:
        for r in records:
            if r.value is None:
                step.refuse(r, Reject("no_value"))
            else:
                step.send("out", r.key, r.value)

    work = batch(stage(handle=handle))
    assert [r.offset for r in work.handle([record(0), record(1, value=None), record(2)])] == [0, 2]
    assert [o.value for o in work.changes.outs] == [b"v", b"v", b"test|1|no_value|"]


def test_an_unavailable_dependency_is_nobodys_fault() -> None:
    """A Retry leaves nothing behind and refuses nobody: the same records are tried again."""

    def handle(records: Sequence[Record], step: Step) -> None:
        step.put(b"k", b"half")
        raise Retry("registry_unavailable")

    work = batch(stage(handle=handle))
    with pytest.raises(Retry):
        work.handle([record()])
    assert not work.changes


def test_skipped_records_are_counted_and_change_nothing() -> None:
    """A function that finds nothing to do after it began leaves no trace of having begun."""

    def handle(r: Record, step: Step) -> None:
        step.put(r.key, b"half")
        raise Skip("own_echo")

    counts = Counts()
    work = batch(stage(handle=each(handle)), counts)
    assert work.handle([record()]) == []
    assert not work.changes
    assert ("outcome", ("test", "skipped")) in counts.told


def test_outputs_carry_the_trace_of_the_record_that_caused_them() -> None:
    """Whoever follows a trace finds every record that came of the first."""
    traced = record()._replace(headers=(("traceparent", b"00-ab-cd-01"), ("other", b"x")))
    work = batch(stage(handle=each(lambda r, step: step.send("out", r.key, r.value or b""))))
    work.handle([traced, record(1)])
    assert [o.headers for o in work.changes.outs] == [(("traceparent", b"00-ab-cd-01"),), ()]


def test_no_key_from_outside_can_move_a_position_or_a_timer() -> None:
    """Keys that begin like the engine's own are refused, whoever made them."""
    work = batch(stage(handle=each(lambda r, step: step.put(r.key, b"\x00" * 8))))
    assert work.handle([record(0, key=b"\x00position:in")]) == []
    assert [o.value for o in work.changes.outs] == [b"test|0|reserved_key|v"]


def test_an_object_is_decoded_once_and_seen_by_later_records() -> None:
    """State kept as objects is loaded from its bytes at most once, and a saved object is what the next record loads."""
    loads: list[bytes] = []

    def load(raw: bytes) -> int:
        loads.append(raw)
        return int(raw)

    def handle(r: Record, step: Step) -> None:
        step.save(r.key, (step.load(r.key) or 0) + 1)

    work = batch(stage(handle=each(handle), load=load, dump=lambda n: b"%d" % n))
    work.state.absorb("state", [(b"k", b"40")])
    work.handle([record(0), record(1)])
    assert (work.changes.objects, loads) == ({b"k": 42}, [b"40"])


def test_only_a_timer_that_is_known_is_cancelled() -> None:
    """Cancelling what is not pending writes nothing; what was scheduled earlier in the batch is withdrawn."""
    work = batch(stage(handle=each(lambda r, step: step.cancel((r.value or b"").decode()))))
    work.handle([record(value=b"unknown")])
    assert not work.changes.timers
    work.changes.timers["set"] = Timer("set", 1, "in", b"k", b"")
    work.handle([record(1, value=b"set")])
    assert work.changes.timers == {"set": None}


def test_an_object_that_does_not_fit_costs_its_record_and_not_the_process() -> None:
    """State that outgrew what a topic carries is refused with the record that made it; others of its batch stand."""

    def handle(records: Sequence[Record], step: Step) -> None:
        for r in records:
            step.save(r.key, int(r.value or b"0"))

    work = batch(stage(handle=handle, load=len, dump=lambda size: b"x" * size))
    big = str(RECORD_MAX + 1).encode()
    assert [r.offset for r in work.handle([record(0, b"a", b"3"), record(1, b"b", big)])] == [0]
    assert (work.changes.dumped, work.changes.outs[0].value) == ({b"a": b"xxx"}, b"test|1|too_large|" + big)


def test_a_header_from_outside_is_no_number_of_tries() -> None:
    """Whatever somebody writes into the engine's own header, a record is never the end of its lane."""
    headers = (("tidings-attempt", b"junk"),)
    assert record()._replace(headers=headers).attempt == 0
