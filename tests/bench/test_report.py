"""The benchmark's arithmetic and tables: what is compared, and what is left out of a comparison."""

import random
from pathlib import Path

import pytest

from tests.bench.engine import orders, report, toolchains
from tests.bench.engine.figures import SPEED, Result, percentile, ratios, spread
from tests.bench.engine.meter import Sample, between
from tests.bench.engine.orders import Order, pack, unpack
from tests.bench.engine.roster import KSTREAMS, RAW, ROSTER, choose, rotated
from tests.bench.engine.workload import (
    decide,
    enc_order,
    enc_request,
    order_of,
    paced_orders,
    profile_of,
    request_number,
)

MODULES = {path.stem for path in (toolchains.HERE / "contestants").glob("[!_]*.py")} - {"task"}


def run(contestant: str, number: int, speed: float, *, verified: bool = True, failure: str = "") -> Result:
    return Result(contestant, number, verified, failure, {SPEED: speed})


def test_ratios_compare_neighbours_only() -> None:
    """A ratio is taken within a round, whatever the rounds' speeds were."""
    results = [run("tidings", 0, 10), run("raw", 0, 20), run("raw", 1, 5), run("tidings", 1, 4)]
    assert ratios(results, "tidings", "raw") == [0.5, 0.8]


def test_a_round_without_both_has_no_ratio() -> None:
    """What failed or was not verified, on either side, is compared with nothing."""
    results = [
        run("tidings", 0, 10),
        run("raw", 0, 20, verified=False),
        run("tidings", 1, 10, failure="over its time"),
        run("raw", 1, 20),
        run("tidings", 2, 10),
        run("raw", 2, 40),
        run("tidings", 3, 10),
    ]
    assert ratios(results, "tidings", "raw") == [0.25]


def test_spread_is_low_middle_high() -> None:
    """The middle of an even number of values lies between two of them; of nothing there is no spread."""
    found = spread([4.0, 1.0, 3.0, 2.0])
    assert found is not None
    assert (found.low, found.middle, found.high) == (1.0, 2.5, 4.0)
    assert spread([]) is None


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.0, 1)])
def test_percentiles_are_values_that_occurred(share: float, value: int) -> None:
    """A percentile is one of the measured values, the smallest that enough of them do not exceed."""
    assert percentile(random.Random(4).sample(range(1, 101), 100), share) == value


def test_processor_time_is_taken_between_samples() -> None:
    """What was used between two moments is interpolated, and nothing beyond the samples is made up."""
    samples = [Sample(0, 10, 1), Sample(10, 20, 2), Sample(20, 20, 4)]
    assert between(samples, 5, 15) == (5.0, 1.5)
    assert between(samples, -5, 40) == (10, 3)


def test_a_failed_run_is_shown_and_not_counted() -> None:
    """The table counts the run, the failure says why, and no speed of it appears."""
    raw = choose([RAW], short=False)
    results = [run(RAW, 0, 123.0), run(RAW, 1, 777.0, verified=False, failure="lost 3")]
    table = report.speeds(raw, results)
    assert "1/2" in table
    assert "777" not in table
    assert report.failures(results) == "FAILED: raw, round 1: lost 3"
    assert report.line(results[1]).endswith("FAILED: lost 3")


def test_ratios_stand_beside_both_yardsticks() -> None:
    """Each contestant has a ratio to the raw loop and one to Kafka Streams, with every round's value."""
    results = [run("tidings", 0, 10), run(RAW, 0, 20), run(KSTREAMS, 0, 40)]
    [_, _, row] = report.comparison(choose(["tidings"], short=False), results).splitlines()
    assert " ".join(row.split()) == "tidings 0.50 / 0.50 / 0.50 (0.50) 0.25 / 0.25 / 0.25 (0.25)"


def test_the_roster_is_complete() -> None:
    """Everyone promised is there once, both yardsticks in the short form too, and every module is used by somebody."""
    names = [contestant.name for contestant in ROSTER]
    assert len(names) == len(set(names))
    assert {"tidings", "tidings2", RAW, KSTREAMS, "quix", "bytewax", "faust"} <= set(names)
    assert {"tidings", RAW, KSTREAMS} == {contestant.name for contestant in choose([], short=True)}
    assert {name.rstrip("2") for name in names} == MODULES | {KSTREAMS}
    assert {contestant.name for contestant in ROSTER if not contestant.exactly_once} == {"bytewax", "faust"}


def test_everyone_is_first_once() -> None:
    """As many rounds as contestants put each of them at each place once."""
    contestants = choose([], short=False)
    turns = [rotated(contestants, turn) for turn in range(len(contestants))]
    assert all(len({turn[place].name for turn in turns}) == len(contestants) for place in range(len(contestants)))


def test_an_unknown_contestant_is_refused() -> None:
    """A typing error does not run an empty bench."""
    with pytest.raises(ValueError, match="tydings"):
        choose(["tydings"], short=False)


def test_packed_orders_come_back() -> None:
    """The cache gives what was put into it."""
    some = [Order(5, 6, 7.25, b"value"), Order(1, 2**32 - 1, 0.1, b"")]
    assert list(unpack(b"".join(pack(order) for order in some))) == some


def test_any_stretch_of_orders_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks join without a seam, from any number on."""
    monkeypatch.setattr(orders, "CHUNK", 3)
    all_of_them = [Order(number, number, 1.0, b"%d" % number) for number in range(9)]
    for chunk in range(3):
        packed = b"".join(pack(order) for order in all_of_them[chunk * 3 : chunk * 3 + 3])
        (tmp_path / f"{chunk:05d}.bin").write_bytes(packed)
    for first, count in [(0, 9), (0, 3), (2, 4), (4, 1), (7, 2)]:
        assert list(orders.read(tmp_path, first, count)) == all_of_them[first : first + count]


def test_paced_orders_are_the_same_whenever_asked() -> None:
    """What was sent at a steady rate can be made again to compare with, and is due evenly."""
    once, again = list(paced_orders(50, 1000, 10**15)), list(paced_orders(50, 1000, 10**15))
    assert once == again
    assert [fields["ts"] - 10**15 for _, fields in once] == [1000 * i for i in range(50)]


def test_the_sizes_are_those_of_the_workload() -> None:
    """Orders have about 410 bytes, requests about 337, and a request tells the number of its order."""
    chance = random.Random(5)
    made = [order_of(number, chance, 10**15) for number in range(300)]
    requests = [enc_request(decide(fields, profile_of(customer), None)[0]) for customer, fields in made]
    assert 400 < sum(len(enc_order(fields)) for _, fields in made) / 300 < 420
    assert 330 < sum(map(len, requests)) / 300 < 345
    assert [request_number(request) for request in requests] == list(range(300))
