"""The judge itself: it finds nothing wrong with a right run, and each kind of wrongness by its name."""

import dataclasses
from collections.abc import Callable, Sequence

import pytest

from tests.crash.oracle import Hop, Read, Sent, Verdict, judge
from tests.crash.tally import Deed, Tally, ident_of, output

SENT = [
    Sent(b"0", b"a", None),
    Sent(b"1", b"a", 500),
    Sent(b"2", b"b", None),
    Sent(b"3", b"a", None),
    Sent(b"4", b"b", None),
]
FIRED = 1600
JOURNAL = [(b"a", b"0"), (b"a", b"1"), (b"b", b"2"), (b"a", b"3"), (b"b", b"4"), (b"a", b"t1")]


def source() -> list[Read]:
    """The inputs with one hole, as transactions leave it, and the timer of `1` at its time."""
    values = [one.ident if one.delay is None else b"%s+%d" % (one.ident, one.delay) for one in SENT]
    records = [
        Read(0, 2 * at, 1000 + at, one.key, value) for at, (one, value) in enumerate(zip(SENT, values, strict=True))
    ]
    return [*records, Read(0, 11, FIRED, b"a", b"t1@%d" % FIRED)]


def answers(records: Sequence[Read]) -> list[Read]:
    """What a stage that counts right says."""
    said, counts = [], dict[bytes, int]()
    for at, record in enumerate(records):
        counts[record.key] = counts.get(record.key, 0) + 1
        value = output(record.key, counts[record.key], record.offset, ident_of(record.value))
        said.append(Read(0, at, record.timestamp, record.key, value))
    return said


def changelog(records: Sequence[Read]) -> list[Read]:
    """What it keeps: state after every record, a position, and its timer, set and gone."""
    kept = [
        Read(0, 0, 0, b"\0position:in", b"0"),
        Read(0, 1, 0, b"\0timer:t1", b"x"),
        Read(0, 2, 0, b"\0timer:t1", None),
    ]
    for record in records:
        so_far = [one for one in records if one.key == record.key and one.offset <= record.offset]
        kept.append(Read(0, len(kept), 0, record.key, Tally.of(so_far).dump()))
    return kept


def hop(records: Sequence[Read] | None = None) -> Hop:
    """A stage after a right run."""
    records = source() if records is None else records
    return Hop("one", records, answers(records), changelog(records))


def swapped(records: Sequence[Read], one: int, other: int) -> list[Read]:
    """The same records with two values in each other's place."""
    values = [record.value for record in records]
    values[one], values[other] = values[other], values[one]
    return [record._replace(value=value) for record, value in zip(records, values, strict=True)]


def test_nothing_is_wrong_with_a_right_run() -> None:
    """Two chained stages that did what they should are found to be right."""
    first = hop()
    second = hop(first.outputs)
    assert judge(SENT, [first, second]).counts == {}


WRONG: dict[str, Callable[[Hop], Hop]] = {
    "lost": lambda one: dataclasses.replace(one, outputs=[*one.outputs[:2], *one.outputs[3:]]),
    "behind": lambda one: dataclasses.replace(one, outputs=one.outputs[:-1]),
    "repeated": lambda one: dataclasses.replace(one, outputs=[*one.outputs, one.outputs[0]._replace(offset=99)]),
    "invented": lambda one: dataclasses.replace(one, outputs=[*one.outputs, Read(0, 99, 0, b"a", b"a|5|77|99")]),
    "counter": lambda one: dataclasses.replace(
        one, outputs=[*one.outputs[:-1], one.outputs[-1]._replace(value=b"a|5|11|t1")]
    ),
    "order": lambda one: dataclasses.replace(one, outputs=swapped(one.outputs, 0, 1)),
    "state": lambda one: dataclasses.replace(one, changelog=one.changelog[:-1]),
    "dead": lambda one: dataclasses.replace(one, dead=[Read(0, 0, 0, b"a", b"unforeseen")]),
    "input": lambda one: hop(one.source[1:]),
    "timer_lost": lambda one: hop(one.source[:-1]),
    "timer_repeated": lambda one: hop([*one.source, one.source[-1]._replace(offset=12)]),
    "timer_early": lambda one: hop([*one.source[:-1], one.source[-1]._replace(timestamp=FIRED - 1)]),
    "timer_invented": lambda one: hop([*one.source, Read(0, 12, 0, b"a", b"t9@5")]),
    "timer_left": lambda one: dataclasses.replace(one, changelog=[r for r in one.changelog if r.offset != 2]),
}


@pytest.mark.parametrize("kind", WRONG)
def test_each_kind_of_wrongness_is_found(kind: str) -> None:
    """Whatever goes wrong in a run, and nothing else, is what the verdict says."""
    verdict = judge(SENT, [WRONG[kind](hop())])
    assert not verdict.right
    assert verdict.counts[kind] == 1


@pytest.mark.parametrize("kind", ["input", "timer_repeated", "timer_early", "timer_invented", "timer_left", "dead"])
def test_what_a_stage_did_right_is_not_called_wrong(kind: str) -> None:
    """A wrong source or a wrong timer is not blamed on the answers to it."""
    assert set(judge(SENT, [WRONG[kind](hop())]).counts) == {kind}


def test_a_timer_may_not_fire_before_its_delay_whatever_it_says_itself() -> None:
    """The due time a stage gave itself is no excuse."""
    early = Read(0, 11, 1100, b"a", b"t1@1100")
    assert judge(SENT, [hop([*source()[:-1], early])]).counts == {"timer_early": 1}


def test_a_wrong_second_stage_is_found_behind_a_right_first() -> None:
    """Every stage is held against what it was given, not only the last against the input."""
    first = hop()
    second = WRONG["lost"](hop(first.outputs))
    assert "lost" in judge(SENT, [first, second]).counts
    assert "lost" in judge(SENT, [WRONG["lost"](first), hop(WRONG["lost"](first).outputs)]).counts


def test_a_second_count_of_one_record_is_found_even_where_offsets_agree() -> None:
    """A record that was applied twice leaves a number too many and a state that is off."""
    records = source()
    doubled = [*records[:3], *records[2:]]
    twice = Hop("one", records, answers(doubled), changelog(doubled))
    assert {"repeated", "counter", "state"} <= set(judge(SENT, [twice]).counts)


def acted(journal: Sequence[tuple[bytes, bytes]]) -> Verdict:
    """The verdict on a stage with effects."""
    records = source()
    kept = [Read(0, at, 0, k, Deed.of([r for r in records if r.key == k]).dump()) for at, k in enumerate((b"a", b"b"))]
    one = Hop("deed", records, answers(records), kept, (), lambda of: Deed.of(of).dump())
    return judge(SENT, [one], journal)


def test_effects_are_counted_in_the_journal_and_not_in_our_own_words() -> None:
    """An effect that is missing, done twice or out of order for its key is wrong, whatever the outputs say."""
    assert acted(JOURNAL).counts == {}
    assert acted(JOURNAL[1:]).counts == {"effect_lost": 1}
    assert acted([*JOURNAL, JOURNAL[0]]).counts == {"effect_repeated": 1}
    assert acted([JOURNAL[1], JOURNAL[0], *JOURNAL[2:]]).counts == {"effect_order": 1}
