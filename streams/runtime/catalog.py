"""Every metric in one table: the only place that names one. Dashboards and alerts are tested against it.

Base units and one prefix. A label takes one of a closed list of values, or of the first so many distinct words.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from streams.topics import STAGES

STEP = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
CALL = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
RECORDS = (1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0)
RESTORE = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)

STATUS = ("1xx", "2xx", "3xx", "4xx", "5xx", "breaker_open", "cancelled", "reset", "timeout", "unreachable")
LABELS: Mapping[str, tuple[str, ...] | int] = {
    "stage": STAGES,
    "outcome": 24,
    "reason": 96,
    "type": 128,
    "connector": 32,
    "operation": 64,
    "status_class": STATUS,
    "guard": 32,
    "answer": 24,
}
"""For each label the values it may take, or how many distinct ones; `other` comes on top."""


@dataclass(frozen=True, slots=True)
class Metric:
    """`buckets` makes it a histogram; a name that ends in `_total` is a counter, any other a gauge."""

    name: str
    about: str
    labels: tuple[str, ...]
    buckets: tuple[float, ...] = ()

    @property
    def kind(self) -> Literal["counter", "gauge", "histogram"]:
        """How Prometheus sees it."""
        if self.buckets:
            return "histogram"
        return "counter" if self.name.endswith("_total") else "gauge"


METRICS: tuple[Metric, ...] = (
    Metric("tidings_events_total", "Records by what became of them.", ("stage", "outcome")),
    Metric("tidings_dead_letters_total", "Records set aside with their bytes.", ("stage", "reason")),
    Metric("tidings_decisions_total", "Decisions, refusals included.", ("type", "outcome", "reason")),
    Metric("tidings_step_seconds", "Time of one atomic step.", ("stage",), STEP),
    Metric("tidings_batch_records", "Records in one atomic step.", ("stage",), RECORDS),
    Metric("tidings_lanes", "Lanes this process owns.", ("stage",)),
    Metric("tidings_lanes_ready", "Lanes that are restored and processing.", ("stage",)),
    Metric("tidings_lanes_waiting", "Lanes held up by something outside.", ("stage", "reason")),
    Metric("tidings_lane_lag_records", "Records on the broker behind the committed positions.", ("stage",)),
    Metric("tidings_lane_fetched_records", "Records fetched and not yet taken into a step.", ("stage",)),
    Metric("tidings_lane_timers", "Timers that wait.", ("stage",)),
    Metric("tidings_lane_restore_seconds", "Time to open a lane.", ("stage",), RESTORE),
    Metric("tidings_commit_age_seconds", "Time since the last commit while records wait.", ("stage",)),
    Metric("tidings_stores_set_aside_total", "Local stores that were of no use and built anew.", ("reason",)),
    Metric("tidings_guard_total", "Guards that ended a process; counted by the next start.", ("guard",)),
    Metric("tidings_connector_requests_total", "Requests sent out.", ("connector", "operation", "status_class")),
    Metric("tidings_connector_seconds", "Time of one request sent out.", ("connector", "operation"), CALL),
    Metric("tidings_sink_refused_total", "Hand-overs put off because a person must act.", ("connector", "reason")),
    Metric("tidings_webhooks_total", "Requests received, by answer.", ("connector", "answer")),
)
