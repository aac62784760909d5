"""Metrics have bounded labels, base units, and survive the exit they report."""

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from streams.engine import Observer, Standing
from streams.runtime.bounds import OTHER, SERIES_MAX, Bounds
from streams.runtime.catalog import LABELS, METRICS
from streams.runtime.lastwords import LastWords
from streams.runtime.metrics import Metrics
from streams.topics import STAGES


def samples(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample a scrape would read, by name and labels."""
    families = text_string_to_metric_families(metrics.render().decode())
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    """One sample."""
    return samples(metrics).get((name, frozenset(labels.items())))


SHOWN = ("lanes", "lanes_ready", "lane_fetched_records", "lane_lag_records", "lane_timers", "commit_age_seconds")


def flood(metrics: Metrics, count: int) -> None:
    """Calls everything with labels that never repeat."""
    for i in range(count):
        word = f"w{i}"
        metrics.outcome(word, word)
        metrics.outcome("decide", word)
        metrics.dead("notify", word)
        metrics.decision(word, word, word)
        metrics.opened(word, i, 1, 0.1)
        metrics.stepped(word, i, 1, 0.1)
        metrics.lanes(word, Standing(1, 1, 1, 1, 1, 0.1))
        metrics.waiting("report", i, word)
        metrics.guard(word)
        metrics.set_aside(word)
        metrics.request(word, word, word, 0.1)
        metrics.webhook(word, word)
        metrics.sink_refused(word, word)


def test_no_caller_can_create_unbounded_series() -> None:
    """Whatever is passed as a label, each metric stays within its bound and the excess is counted as other."""
    metrics = Metrics()
    flood(metrics, 3000)
    seen: dict[str, set[frozenset[tuple[str, str]]]] = {}
    for name, labels in samples(metrics):
        if name.startswith("tidings_"):
            seen.setdefault(name, set()).add(frozenset(pair for pair in labels if pair[0] != "le"))
    assert {metric.name for metric in METRICS if metric.kind != "histogram"} <= set(seen)
    for name, sets in seen.items():
        assert len(sets) <= SERIES_MAX + len(STAGES) + 1, name
    assert value(metrics, "tidings_events_total", stage=OTHER, outcome=OTHER)


@pytest.mark.parametrize("label", sorted({label for metric in METRICS for label in metric.labels}))
def test_every_label_has_a_bound(label: str) -> None:
    """A metric cannot use a label nobody bounded."""
    bounds = Bounds()
    values = {bounds.apply({label: f"w{i}"})[label] for i in range(1000)}
    limit = LABELS[label]
    assert len(values) <= (limit if isinstance(limit, int) else len(limit)) + 1


@pytest.mark.parametrize("wanted", ["ada@example.test", "Order 4711", "", "x" * 65, "a\nb"])
def test_a_label_that_is_no_plain_word_becomes_other(wanted: str) -> None:
    """Personal data and free text cannot become a label."""
    assert Bounds().apply({"reason": wanted}) == {"reason": OTHER}


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_is_named_by_the_rules(metric: object) -> None:
    """One prefix, and no unit but base units."""
    name = getattr(metric, "name", "")
    assert name.startswith("tidings_")
    assert not name.endswith(("_ms", "_millis", "_minutes", "_kb"))


def test_the_engine_can_report_to_it() -> None:
    """It is the observer the engine asks for, and what it is told can be scraped."""
    metrics: Observer = Metrics()
    metrics.outcome("decide", "processed", 3)
    metrics.dead("decide", "bad_avro")
    assert isinstance(metrics, Metrics)
    assert value(metrics, "tidings_events_total", stage="decide", outcome="processed") == 3
    assert value(metrics, "tidings_dead_letters_total", stage="decide", reason="bad_avro") == 1


def test_how_lanes_stand_is_shown_by_stage() -> None:
    """What waits on the broker, in memory and on timers, and since when, can be told apart."""
    metrics = Metrics()
    metrics.lanes("decide", Standing(total=4, ready=3, fetched=5, behind=70, timers=9, age_s=60.0))
    shown = {name: value(metrics, f"tidings_{name}", stage="decide") for name in SHOWN}
    assert shown == dict(zip(SHOWN, (4, 3, 5, 70, 9, 60), strict=True))


def test_a_waiting_lane_is_shown_until_it_goes_on() -> None:
    """The reason a sink is held up is visible, and gone when it is over."""
    metrics = Metrics()
    metrics.waiting("notify", 1, "unauthorized")
    metrics.waiting("notify", 1, "unauthorized")
    assert value(metrics, "tidings_lanes_waiting", stage="notify", reason="unauthorized") == 1
    metrics.waiting("notify", 1, None)
    assert value(metrics, "tidings_lanes_waiting", stage="notify", reason="unauthorized") == 0


def test_why_a_process_left_is_counted_by_its_successor(tmp_path: Path) -> None:
    """A guard ends the process before anyone can scrape it, so the next start tells, once."""
    data_dir = tmp_path / "data"
    Metrics(LastWords(data_dir)).guard("stuck")
    successor = Metrics(LastWords(data_dir))
    assert value(successor, "tidings_guard_total", guard="stuck") == 1
    assert value(Metrics(LastWords(data_dir)), "tidings_guard_total", guard="stuck") is None
    assert list(data_dir.iterdir()) == []


def test_a_disk_that_refuses_does_not_keep_a_process_from_leaving(tmp_path: Path) -> None:
    """Losing the reason is better than not leaving."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    words = LastWords(blocked)
    words.leave("stuck")
    assert words.take() == []
