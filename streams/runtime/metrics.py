"""What is counted and measured. It is the engine's observer and the HTTP client's, so neither knows Prometheus."""

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.process_collector import ProcessCollector

from streams.runtime.bounds import Bounds
from streams.runtime.catalog import METRICS
from streams.runtime.lastwords import LastWords

if TYPE_CHECKING:
    from streams.engine import Standing


class Metrics:
    """One per process. `last_words` brings in what made the former process leave."""

    def __init__(self, last_words: LastWords | None = None) -> None:
        self.registry = CollectorRegistry()
        self._bounds = {metric.name: Bounds() for metric in METRICS}
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}
        self._register()
        self._last_words = last_words
        self._waits: dict[tuple[str, int], str] = {}
        for word in last_words.take() if last_words else ():
            self._count("tidings_guard_total", guard=word)

    def _register(self) -> None:
        for metric in METRICS:
            if metric.kind == "counter":
                made = Counter(metric.name, metric.about, metric.labels, registry=self.registry)
                self._counters[metric.name] = made
            elif metric.kind == "gauge":
                self._gauges[metric.name] = Gauge(metric.name, metric.about, metric.labels, registry=self.registry)
            else:
                self._histograms[metric.name] = Histogram(
                    metric.name, metric.about, metric.labels, buckets=metric.buckets, registry=self.registry
                )
        ProcessCollector(registry=self.registry)

    def render(self) -> bytes:
        """The text Prometheus scrapes."""
        return generate_latest(self.registry)

    def _count(self, name: str, by: int = 1, /, **labels: str) -> None:
        self._counters[name].labels(**self._bounds[name].apply(labels)).inc(by)

    def _gauge(self, name: str, /, **labels: str) -> Gauge:
        return self._gauges[name].labels(**self._bounds[name].apply(labels))

    def _observe(self, name: str, value: float, /, **labels: str) -> None:
        self._histograms[name].labels(**self._bounds[name].apply(labels)).observe(value)

    def opened(self, stage: str, partition: int, keys: int, seconds: float) -> None:
        """A lane is restored."""
        self._observe("tidings_lane_restore_seconds", seconds, stage=stage)

    def stepped(self, stage: str, partition: int, records: int, seconds: float) -> None:
        """A lane committed a step."""
        self._observe("tidings_step_seconds", seconds, stage=stage)
        self._observe("tidings_batch_records", records, stage=stage)

    def outcome(self, stage: str, outcome: str, count: int = 1) -> None:
        """Records that ended one way."""
        self._count("tidings_events_total", count, stage=stage, outcome=outcome)

    def dead(self, stage: str, reason: str) -> None:
        """A record went to the stage's dead-letter topic."""
        self._count("tidings_dead_letters_total", stage=stage, reason=reason)

    def guard(self, name: str) -> None:
        """A guard ends this process, so the count is left for the next start."""
        self._count("tidings_guard_total", guard=name)
        if self._last_words:
            self._last_words.leave(name)

    def set_aside(self, reason: str) -> None:
        """A local store could not be used and was built anew from its changelog."""
        self._count("tidings_stores_set_aside_total", reason=reason)

    def waiting(self, stage: str, partition: int, why: str | None) -> None:
        """A lane is held up by something outside, or no longer."""
        before = self._waits.pop((stage, partition), None)
        if before is not None:
            self._gauge("tidings_lanes_waiting", stage=stage, reason=before).dec()
        if why is not None:
            self._waits[stage, partition] = why
            self._gauge("tidings_lanes_waiting", stage=stage, reason=why).inc()

    def lanes(self, stage: str, standing: "Standing") -> None:
        """How a stage's lanes stand in this process; reported every second."""
        self._gauge("tidings_lanes", stage=stage).set(standing.total)
        self._gauge("tidings_lanes_ready", stage=stage).set(standing.ready)
        self._gauge("tidings_lane_lag_records", stage=stage).set(standing.behind)
        self._gauge("tidings_lane_fetched_records", stage=stage).set(standing.fetched)
        self._gauge("tidings_lane_timers", stage=stage).set(standing.timers)
        self._gauge("tidings_commit_age_seconds", stage=stage).set(standing.age_s)

    def decision(self, kind: str, outcome: str, reason: str | None) -> None:
        """A communication type was decided; a reason is given for whatever is not sent."""
        self._count("tidings_decisions_total", type=kind, outcome=outcome.lower(), reason=reason or "none")

    def request(self, connector: str, operation: str, status_class: str, seconds: float) -> None:
        """A request to an outside system ended; fits `Wire(observe=...)`."""
        labels = {"connector": connector, "operation": operation}
        self._count("tidings_connector_requests_total", **labels, status_class=status_class)
        self._observe("tidings_connector_seconds", seconds, **labels)

    def sink_refused(self, connector: str, reason: str) -> None:
        """A sink refuses us, not the message: wrong credentials or address."""
        self._count("tidings_sink_refused_total", connector=connector, reason=reason)

    def webhook(self, connector: str, answer: str | int) -> None:
        """An inbound request was answered."""
        self._count("tidings_webhooks_total", connector=connector, answer=str(answer))
