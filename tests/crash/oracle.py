"""The judge of a run: from what the topics hold, committed, to everything that is wrong with it.

A pure function of records, so that it can be shown to see each kind of wrongness. What must be there has a closed form:
per key a stage answers the records of its source in order, once each, with the numbers 1..n, and keeps the count and
the last five ids. A timer that was set is one more record of the source, not before its time.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from tests.crash.tally import Answer, Tally, ident_of, parse_output, parse_value

RESERVED = b"\x00"
TIMER = b"\x00timer:"


class Read(NamedTuple):
    """One committed record; `timestamp` in epoch milliseconds."""

    partition: int
    offset: int
    timestamp: int
    key: bytes
    value: bytes | None


class Sent(NamedTuple):
    """One input as it was meant; `delay` in milliseconds sets a timer."""

    ident: bytes
    key: bytes
    delay: int | None


@dataclass(frozen=True, slots=True)
class Hop:
    """What one stage was given and what it left; `final` is the state a key must end with."""

    name: str
    source: Sequence[Read]
    outputs: Sequence[Read]
    changelog: Sequence[Read]
    dead: Sequence[Read] = ()
    final: Callable[[Sequence[Read]], bytes] = field(default=lambda records: Tally.of(records).dump())


@dataclass(slots=True)
class Verdict:
    """Every finding under its kind; no finding, nothing wrong."""

    found: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, kind: str, what: str) -> None:
        """One thing that is wrong."""
        self.found[kind].append(what)

    @property
    def right(self) -> bool:
        """Nothing is wrong."""
        return not self.counts

    @property
    def counts(self) -> dict[str, int]:
        """How much is wrong, by kind."""
        return {kind: len(those) for kind, those in sorted(self.found.items()) if those}

    @property
    def examples(self) -> dict[str, list[str]]:
        """The first few of each kind."""
        return {kind: those[:3] for kind, those in sorted(self.found.items()) if those}


def judge(sent: Sequence[Sent], hops: Sequence[Hop], journal: Sequence[tuple[bytes, bytes]] | None = None) -> Verdict:
    """What is wrong after a run; the first hop's source is where `sent` went, `journal` holds (key, id) of effects."""
    verdict = Verdict()
    _inputs(verdict, sent, hops[0].source)
    _timers(verdict, sent, hops[0])
    for hop in hops:
        _answers(verdict, hop)
        _state(verdict, hop)
        for letter in hop.dead:
            verdict.add("dead", f"{hop.name}: {letter.value!r}")
    if journal is not None:
        _effects(verdict, hops[-1], journal)
    return verdict


def _inputs(verdict: Verdict, sent: Sequence[Sent], source: Sequence[Read]) -> None:
    there = Counter(ident_of(record.value) for record in source)
    for one in sent:
        if there[one.ident] != 1:
            verdict.add("input", f"{one.ident!r} is {there[one.ident]} times in the source")


def _timers(verdict: Verdict, sent: Sequence[Sent], hop: Hop) -> None:
    fired = defaultdict(list)
    appeared = {}
    for record in hop.source:
        ident, _, due = parse_value(record.value)
        appeared[ident] = record.timestamp
        if due is not None:
            fired[ident].append((record, due))
    for one in sent:
        if one.delay is None:
            continue
        times = fired.pop(b"t" + one.ident, [])
        if len(times) != 1:
            verdict.add("timer_repeated" if times else "timer_lost", f"of {one.ident!r}, fired {len(times)} times")
        for record, due in times:
            if record.timestamp < max(due, appeared.get(one.ident, 0) + one.delay):
                verdict.add("timer_early", f"of {one.ident!r}: {due - record.timestamp} ms before its time")
    for ident in fired:
        verdict.add("timer_invented", f"{ident!r}")
    _pending(verdict, hop)


def _pending(verdict: Verdict, hop: Hop) -> None:
    for key, value in _last(hop.changelog).items():
        if key.startswith(TIMER) and value is not None:
            verdict.add("timer_left", f"{key!r} is still pending")


def _answers(verdict: Verdict, hop: Hop) -> None:
    given, answers = _by_key(hop.source), defaultdict(list)
    reached: dict[int, int] = defaultdict(lambda: -1)
    for key, records in _by_key(hop.outputs).items():
        answers[key] = [parse_output(record.value) for record in records]
        for record, answer in zip(records, answers[key], strict=True):
            reached[record.partition] = max(reached[record.partition], answer.offset)
    for key in given.keys() | answers.keys():
        numbers, offsets = [one.number for one in answers[key]], [one.offset for one in answers[key]]
        if numbers != list(range(1, len(given.get(key, ())) + 1)):
            verdict.add("counter", f"{hop.name}: {key!r} counts {_first_jump(numbers)} of {len(given.get(key, ()))}")
        if offsets != sorted(offsets):
            verdict.add("order", f"{hop.name}: {key!r} {_first_jump(offsets)}")
        _one_by_one(verdict, hop.name, given.get(key, ()), Counter(answers[key]), reached)


def _one_by_one(
    verdict: Verdict, name: str, given: Sequence[Read], answers: Mapping[Answer, int], reached: Mapping[int, int]
) -> None:
    got: Counter[tuple[bytes, int, bytes]] = Counter()
    for answer, times in answers.items():
        got[answer.key, answer.offset, answer.ident] += times
    for record in given:
        what = (record.key, record.offset, ident_of(record.value))
        times = got.pop(what, 0)
        if not times:
            # Behind a record that was answered it is lost for good; otherwise the stage only never got there.
            verdict.add("lost" if record.offset < reached[record.partition] else "behind", f"{name}: {what}")
        if times > 1:
            verdict.add("repeated", f"{name}: {what} {times} times")
    for what in got:
        verdict.add("invented", f"{name}: {what}")


def _state(verdict: Verdict, hop: Hop) -> None:
    kept = {k: v for k, v in _last(hop.changelog).items() if not k.startswith(RESERVED) and v is not None}
    wanted = {key: hop.final(records) for key, records in _by_key(hop.source).items()}
    for key in kept.keys() | wanted.keys():
        if kept.get(key) != wanted.get(key):
            verdict.add("state", f"{hop.name}: {key!r} is {kept.get(key)!r}, must be {wanted.get(key)!r}")


def _effects(verdict: Verdict, hop: Hop, journal: Sequence[tuple[bytes, bytes]]) -> None:
    done = defaultdict(list)
    for key, ident in journal:
        done[key].append(ident)
    given = {key: [ident_of(record.value) for record in records] for key, records in _by_key(hop.source).items()}
    for key in given.keys() | done.keys():
        wanted, got = given.get(key, []), done.get(key, [])
        for ident in set(wanted) - set(got):
            verdict.add("effect_lost", f"{key!r} {ident!r}")
        for ident, times in Counter(got).items():
            if times > 1 or ident not in wanted:
                verdict.add("effect_repeated", f"{key!r} {ident!r} {times} times")
        if set(wanted) == set(got) and wanted != list(dict.fromkeys(got)):
            verdict.add("effect_order", f"{key!r}")


def _by_key(records: Iterable[Read]) -> Mapping[bytes, list[Read]]:
    by_key = defaultdict(list)
    for record in sorted(records, key=lambda record: (record.partition, record.offset)):
        by_key[record.key].append(record)
    return by_key


def _last(changelog: Iterable[Read]) -> dict[bytes, bytes | None]:
    return {record.key: record.value for record in sorted(changelog, key=lambda one: (one.partition, one.offset))}


def _first_jump(numbers: Sequence[int]) -> str:
    for at, (one, other) in enumerate(pairwise(numbers)):
        if other != one + 1:
            return f"..{one}, {other}.. at {at}"
    return f"{numbers[:1]}..{numbers[-1:]}"
