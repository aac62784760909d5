"""One run of one contestant: warm up, a phase at a steady rate, a burst, and the proof that all of it was done.

The burst lies on the topic, complete and invisible, before the contestant may read any of it: it is produced inside one
transaction and committed when everything is at rest. So producing it takes nothing from the contestant, and its JIT,
caches and connections are warm.
"""

import itertools
import shutil
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.bench.engine import orders, readback, schemas
from tests.bench.engine.contestants.task import Task
from tests.bench.engine.crew import Crew, Feeder, RunFailed
from tests.bench.engine.feed import Feed
from tests.bench.engine.figures import SPEED, Result, percentile
from tests.bench.engine.meter import Meter, Sample, between, peak_mb
from tests.bench.engine.oracle import Expected, Sent
from tests.bench.engine.roster import Contestant
from tests.bench.engine.workload import (
    FIRST_BURST_TS,
    FIRST_PACED_ID,
    PARTITIONS,
    decide,
    enc_request,
    paced_orders,
    profile_of,
    request_number,
)

QUIET_S = 3.0
STALLED_S = 60.0
DROPPED = 0.25
"""The first part of the steady phase that is not measured."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What every run of a bench has in common."""

    bootstrap: str
    broker_pid: int
    profiles: str
    kept: Path
    logs: Path
    events: int
    warmup: int
    rate: int
    seconds: float
    limit_s: float

    def paced(self) -> int:
        """Events of the steady phase."""
        return int(self.rate * self.seconds)


@dataclass(slots=True)
class Timing:
    """Moments of a run, seconds since 1970."""

    paced_at: float = 0.0
    paced_end: float = 0.0
    late_ms: float = 0.0
    burst_at: float = 0.0


Profiler = Callable[[int], Callable[[], None]]
"""Attaches to a process and gives what detaches it."""


class Run:
    """One run; `go` does it."""

    def __init__(self, plan: Plan, contestant: Contestant, number: int, profiler: Profiler | None = None) -> None:
        self._plan, self._contestant, self._profiler = plan, contestant, profiler
        self._warmup, self._events = contestant.events(plan.warmup), contestant.events(plan.events)
        self._deadline = time.monotonic() + plan.limit_s
        self._admin = AdminClient({"bootstrap.servers": plan.bootstrap})
        self._result = Result(contestant.name, number)
        name = f"bench-{contestant.name}-{number}-{time.time_ns() // 10**6 % 10**9}"
        self._scratch = Path(tempfile.mkdtemp(prefix=f"{name}-"))
        self._tasks = [self._task(name, str(worker)) for worker in range(contestant.workers)]
        self._timing = Timing()

    def go(self) -> Result:
        """The result, whatever happens; topics and files are gone afterwards."""
        result = self._result
        try:
            self._contend(self._prepared())
        except RunFailed as failure:
            result.failure = str(failure)
        finally:
            task = self._tasks[0]
            mine = [name for name in self._admin.list_topics(timeout=30).topics if task.run in name]
            for future in self._admin.delete_topics(mine).values():
                future.exception()
            shutil.rmtree(self._scratch, ignore_errors=True)
        return result

    def _task(self, name: str, worker: str) -> Task:
        scratch = self._scratch / worker
        scratch.mkdir()
        schemas.write(scratch)
        return Task(
            bootstrap=self._plan.bootstrap,
            run=name,
            orders=f"{name}.orders",
            requests=f"{name}.requests",
            changelog=f"{name}.changelog",
            dead_letters=f"{name}.dlq",
            profiles=self._plan.profiles,
            worker=worker,
            scratch=str(scratch),
        )

    def _prepared(self) -> Crew:
        task = self._tasks[0]
        configs = {
            task.orders: {},
            task.requests: {"message.timestamp.type": "LogAppendTime"},
            task.changelog: {"cleanup.policy": "compact"},
            task.dead_letters: {},
        }
        topics = [NewTopic(name, PARTITIONS, 1, config=config) for name, config in configs.items()]
        for future in self._admin.create_topics(topics).values():
            future.result()
        logs = [self._plan.logs / f"{task.run}-{task.worker}.log" for task in self._tasks]
        argv = self._contestant.start(lambda _: None)
        return Crew(argv, [task.environ() for task in self._tasks], logs)

    def _contend(self, crew: Crew) -> None:
        with crew, Meter(crew.pids, self._plan.broker_pid) as meter:
            crew.await_ready()
            self._result.about = crew.about()
            self._warm_up(crew)
            seen = self._pace(crew)
            self._burst(crew)
            self._result.figures["peak_mb"] = peak_mb(crew.pids)
        self._measure(seen, meter.samples)

    def _warm_up(self, crew: Crew) -> None:
        Feeder(self._feed("burst", self._warmup)).done()
        self._settle(crew, self._warmup)

    def _pace(self, crew: Crew) -> dict[int, float]:
        starts = readback.ends(self._admin, self._tasks[0].requests)
        with readback.Witness(self._plan.bootstrap, self._tasks[0].requests, starts) as witness:
            said = Feeder(self._feed("paced", self._plan.paced(), rate=self._plan.rate)).done()
            self._settle(crew, self._warmup + self._plan.paced())
        timing = self._timing
        timing.paced_at, timing.paced_end, timing.late_ms = said["started"], said["ended"], said["late_ms"]
        return witness.seen

    def _burst(self, crew: Crew) -> None:
        feeder = Feeder(self._feed("burst", self._events, first=self._warmup, hold=self._contestant.held))
        detach = self._profiler(crew.pids[0]) if self._profiler else lambda: None
        if self._contestant.held:
            feeder.release()
        self._timing.burst_at = feeder.done()["started"]
        try:
            self._settle(crew, self._warmup + self._plan.paced() + self._events)
        finally:
            detach()

    def _feed(self, kind: str, count: int, *, first: int = 0, hold: bool = False, rate: int = 0) -> Feed:
        task = self._tasks[0]
        sort: Feed = Feed(
            kind="burst" if kind == "burst" else "paced",
            bootstrap=task.bootstrap,
            topic=task.orders,
            count=count,
            kept=str(self._plan.kept),
            first=first,
            hold=hold,
            rate=rate,
        )
        return sort

    def _settle(self, crew: Crew, wanted: int) -> None:
        """Until that many outputs are there and nothing moves any more; markers of transactions count as outputs."""
        pause = threading.Event()
        reached, since = -1, time.monotonic()
        while not pause.wait(0.25):
            crew.check()
            total = sum(readback.ends(self._admin, self._tasks[0].requests).values())
            now = time.monotonic()
            if total != reached:
                reached, since = total, now
            quiet = now - since
            if reached >= wanted and quiet > QUIET_S:
                return
            if quiet > STALLED_S:
                raise RunFailed(f"stands still at {reached} of {wanted} outputs: {crew.words()}")
            if now > self._deadline:
                raise RunFailed(f"over its {self._plan.limit_s:.0f} s at {reached} of {wanted} outputs")

    def _measure(self, seen: dict[int, float], samples: list[Sample]) -> None:
        task, plan = self._tasks[0], self._plan
        appended: list[int] = []
        states = {}
        for message in readback.records(plan.bootstrap, self._contestant.changelog(task)):
            if message.value() is not None and (found := self._contestant.decode(message.key(), message.value())):
                states[found[0]] = found[1]
        verdict = Expected(self._sent()).judge(self._outputs(appended), states)
        self._result.verified = verdict.ok
        self._result.failure = "" if verdict.ok else str(verdict)
        if not appended or not seen:
            raise RunFailed(f"no outputs to measure: {verdict}")
        self._figure(appended, seen, samples)

    def _outputs(self, appended: list[int]) -> Iterator[tuple[bytes, bytes]]:
        """All of them; when those of the burst were appended, in milliseconds since 1970, is noted on the way."""
        burst = range(self._warmup, self._warmup + self._events)
        for message in readback.records(self._plan.bootstrap, self._tasks[0].requests):
            if request_number(message.value()) in burst:
                appended.append(message.timestamp()[1])
            yield message.key(), message.value()

    def _figure(self, appended: list[int], seen: dict[int, float], samples: list[Sample]) -> None:
        plan, timing, events = self._plan, self._timing, self._events
        first, last = min(appended) / 1000, max(appended) / 1000
        cpu, broker = between(samples, timing.burst_at, last)
        kept_from = int(plan.paced() * DROPPED)
        start = timing.paced_at + kept_from / plan.rate
        waits = [
            (at - timing.paced_at - (number - FIRST_PACED_ID) / plan.rate) * 1000
            for number, at in seen.items()
            if number - FIRST_PACED_ID >= kept_from
        ]
        paced_cpu, paced_broker = between(samples, start, timing.paced_end)
        paced_s = timing.paced_end - start
        self._result.figures |= {
            SPEED: events / max(last - timing.burst_at, 1e-3),
            "first_to_last_s": last - first,
            "cpu_s_100k": cpu / events * 100_000,
            "broker_cpu_s_100k": broker / events * 100_000,
            "p50_ms": percentile(waits, 0.50),
            "p99_ms": percentile(waits, 0.99),
            "max_ms": max(waits),
            "idle_cpu_pct": 100 * paced_cpu / paced_s,
            "idle_broker_cpu_pct": 100 * paced_broker / paced_s,
            "feeder_late_ms": timing.late_ms,
            "events": events,
        }

    def _sent(self) -> Iterator[Sent]:
        cached = enumerate(orders.read(self._plan.kept, 0, self._warmup + self._events))
        for number, order in itertools.islice(cached, self._warmup):
            yield Sent(number, order.customer, FIRST_BURST_TS + number, order.total, order.request)
        start_us = round(self._timing.paced_at * 1e6)
        for customer, fields in paced_orders(self._plan.paced(), self._plan.rate, start_us):
            request, _ = decide(fields, profile_of(customer), None)
            number = int(fields["order_id"][4:])
            yield Sent(number, customer, fields["ts"], fields["total"], zlib.crc32(enc_request(request)))
        for number, order in cached:
            yield Sent(number, order.customer, FIRST_BURST_TS + number, order.total, order.request)
