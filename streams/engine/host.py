"""Faust as host: worker life cycle, consumer group, assignment and rebalances. Everything else is the lanes'.

A worker runs one or several stages. Faust hands topics with equal partition counts out together, so a worker that owns
partition 3 of one source of a stage owns partition 3 of them all, and one lane can own the number.
"""

import asyncio
import gc
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import faust
import structlog
from faust.types import TP

from streams.engine import guards
from streams.engine.edge import RAW, Source, transport_for
from streams.engine.fetch import Feed, Fetcher, Run
from streams.engine.lane import Lane, now_ms
from streams.engine.mirrors import Mirrors
from streams.engine.stage import EngineConfig, Observer, Stage, Standing
from streams.engine.watchdog import Pulse, Watchdog
from streams.engine.work import Means
from streams.errors import Failure

log = structlog.get_logger("engine")
BEAT_S = 1.0
# A collection walks everything that is alive, and the state of a worker is alive; it is rarely a cycle.
GC_THRESHOLDS = (200_000, 50, 1000)


class Host:
    """Runs stages until stopped. One per process."""

    def __init__(
        self,
        config: EngineConfig,
        stages: Sequence[Stage],
        observer: Observer,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        guards.check_versions()
        self.config, self.stages, self.observer = config, tuple(stages), observer
        self.lanes: dict[tuple[str, int], Lane] = {}
        self._clock = clock
        self._by_topic = {topic: stage for stage in stages for topic in stage.sources}
        self._means: Means | None = None
        self._source = Source()
        self._watchdog = Watchdog(observer, self._pulses)
        self._beat = self._rebalancing = time.monotonic()
        self._assigned: bool | None = None

    @property
    def topics(self) -> frozenset[str]:
        """Everything this worker reads or keeps state in."""
        kept = {topic for stage in self.stages for topic in stage.topics_by_store.values()}
        return frozenset(self._by_topic) | kept | {stage.dead_letters for stage in self.stages}

    def ready(self) -> str | None:
        """None when every assigned lane is open, else why not."""
        if not self._assigned:
            return "no partitions assigned"
        closed = [lane for lane in list(self.lanes.values()) if not lane.ready]
        return f"{len(closed)} lanes are restoring" if closed else None

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. Leaves the process with 70 when it can no longer keep its promises, with 78 when only a
        person can mend what is wrong. Raises Misconfigured when it cannot even start.
        """
        if self.config.embedded:
            log.warning(
                "engine.at_least_once", why="the embedded broker does not fence: one worker, and no promise more"
            )
        with Mirrors(self.config, self.observer) as mirrors, tempfile.TemporaryDirectory(prefix="tidings-") as scratch:
            loop = asyncio.get_running_loop()
            ids = await loop.run_in_executor(None, guards.preflight, self.config, sorted(self.topics))
            fetcher = Fetcher(self.config, _Arrivals(self, loop))
            # A lane blocks a thread while it opens or commits; more threads than cores only wait for the broker.
            executor = ThreadPoolExecutor(max_workers=32, thread_name_prefix="lane")
            self._means = Means(self.config, self.observer, executor, fetcher, mirrors.opening(ids), ids, self._clock)
            gc.set_threshold(*GC_THRESHOLDS)
            app = self._build(scratch)
            app.finalize()
            fetcher.open()
            await app.start()
            self._rebalancing = time.monotonic()
            self._watchdog.start()
            await self._until(stop, app, fetcher)
            self._watchdog.stop()
            await asyncio.gather(*(lane.close() for lane in self.lanes.values()))
            fetcher.close()
            await app.stop()
            executor.shutdown(wait=False)

    async def _until(self, stop: asyncio.Event, app: faust.App, fetcher: Fetcher) -> None:
        while not stop.is_set():
            self._beat = time.monotonic()
            if app.crashed:
                guards.leave(self.observer, "faust_crashed", repr(app.crash_reason))
            self._report(fetcher)
            try:
                async with asyncio.timeout(BEAT_S):
                    await stop.wait()
            except TimeoutError:
                continue

    def _build(self, scratch: str) -> faust.App:
        config = self.config
        app = faust.App(
            config.group,
            broker=f"kafka://{config.bootstrap}",
            store="memory://",
            # Nothing is kept there, but Faust insists on having it.
            datadir=str(Path(scratch)),
            # Faust would create an assignor topic and answer on HTTP with whatever it holds; the engine needs neither.
            topic_disable_leader=True,
            topic_allow_declare=False,
            web_enabled=False,
            topic_partitions=config.partitions,
            topic_replication_factor=config.replication,
            table_standby_replicas=0,
            broker_session_timeout=config.session_s,
            broker_heartbeat_interval=config.session_s / 4,
            broker_rebalance_timeout=config.session_s * 2,
            broker_commit_interval=1.0,
            consumer_auto_offset_reset="earliest",
            # A worker that joins with stale metadata is assigned nothing.
            consumer_metadata_max_age_ms=5000,
            stream_buffer_maxsize=8,
            stream_wait_empty=False,
        )
        app.transport = transport_for(self._source)(app.conf.broker_consumer, app)
        app.on_partitions_assigned.connect(self._on_assigned)
        app.on_partitions_revoked.connect(self._on_revoked)
        for stage in self.stages:
            topic = app.topic(
                *stage.sources, partitions=config.partitions, key_serializer="raw", value_serializer=RAW, key_type=bytes
            )
            app.agent(topic, name=f"tidings.{stage.name}")(self._feed)
        return app

    async def _feed(self, stream: Any) -> None:
        async for event in stream.noack().events():
            run: Run = event.value
            # No lane: the partition was revoked while the run was on its way, and its next owner reads it again.
            if lane := self.lanes.get((run.feed.stage, run.partition)):
                lane.put(run, event)

    # Faust passes (app, assigned, signal=...), which its own type for handlers does not describe.
    async def _on_assigned(self, *args: Any, **_: Any) -> None:
        assert self._means is not None
        wanted = self._wanted(args[1])
        gone = [key for key, lane in self.lanes.items() if key not in wanted or lane.fenced]
        await asyncio.gather(*(self.lanes.pop(key).close() for key in gone))
        self._source.clear()
        for kept in self.lanes.values():
            kept.resume()
        by_name = {stage.name: stage for stage in self.stages}
        for name, partition in sorted(wanted - set(self.lanes)):
            self.lanes[name, partition] = Lane(self._means, by_name[name], partition)
        self._assigned, self._rebalancing = bool(wanted), time.monotonic()
        log.info("engine.assigned", lanes=len(wanted))

    async def _on_revoked(self, *_args: Any, **_: Any) -> None:
        # Every rebalance revokes everything. A lane in the middle of a step would be fenced by its next owner, so all
        # of them finish what they do before this worker joins again; those it gets back go on where they were.
        self._assigned, self._rebalancing = None, time.monotonic()
        await asyncio.gather(*(lane.hold() for lane in self.lanes.values()))

    def _wanted(self, assigned: set[TP]) -> set[tuple[str, int]]:
        wanted: set[tuple[str, int]] = set()
        for stage in self.stages:
            owned = {topic: {tp.partition for tp in assigned if tp.topic == topic} for topic in stage.sources}
            partitions = set.union(*owned.values())
            if any(owned[topic] != partitions for topic in stage.sources):
                guards.leave(self.observer, "uneven_assignment", f"{stage.name}: {owned}")
            if strange := [number for number in partitions if number >= self.config.partitions]:
                detail = f"{stage.name} was dealt partition {strange[0]} of {self.config.partitions}: {guards.RESHARD}"
                guards.leave(self.observer, "partitions_changed", detail, guards.REFUSED)
            wanted |= {(stage.name, partition) for partition in partitions}
        return wanted

    def arrived(self, runs: Sequence[Run]) -> None:
        """Runs are on their way to Faust. Called on the loop."""
        self._source.put(runs)

    def caught_up(self, feed: Feed, topic: str, end: int | None) -> None:
        """A lane has been given all there was of a topic. Called on the loop."""
        if lane := self.lanes.get((feed.stage, feed.partition)):
            lane.caught_up(feed, topic, end)

    def failed(self, failure: Failure) -> None:
        """Nothing will arrive any more. Called on the loop."""
        guards.leave_for(self.observer, failure, "fetch")

    def _pulses(self) -> Iterator[Pulse]:
        config = self.config
        yield Pulse("loop_stalled", "the event loop", self._beat, config.stall_s)
        if self._means is not None:
            fetcher = self._means.fetcher
            yield Pulse("fetch_stalled", "the fetcher", fetcher.mark, config.step_deadline_s)
            if (silent := fetcher.silent_since) is not None:
                yield Pulse("not_fetching", "the consumer, with records on the broker,", silent, config.silent_s)
        yield Pulse("delivery_stalled", "Faust, with records waiting for it,", self._source.mark, config.rebalance_s)
        if self._assigned is None:
            # The first assignment waits for the broker's own delays and for others to leave.
            limit = config.rebalance_s if self.lanes else config.empty_assignment_s
            yield Pulse("rebalance_stuck", "an assignment", self._rebalancing, limit)
        elif not self._assigned:
            yield Pulse("empty_assignment", "an assignment", self._rebalancing, config.empty_assignment_s)
        for lane in list(self.lanes.values()):
            if lane.pending:
                yield Pulse("stuck", f"lane {lane.name}", lane.alive, config.step_deadline_s)

    def _report(self, fetcher: Fetcher) -> None:
        ends, now = fetcher.ends, time.monotonic()
        for stage in self.stages:
            lanes = [lane for (name, _), lane in self.lanes.items() if name == stage.name]
            behind = sum(
                max(0, ends.get((topic, lane.partition), 0) - (at or 0))
                for lane in lanes
                for topic, at in lane.positions.items()
            )
            standing = Standing(
                total=len(lanes),
                ready=sum(lane.ready for lane in lanes),
                fetched=sum(lane.depth for lane in lanes),
                behind=behind,
                timers=sum(lane.timers for lane in lanes),
                age_s=max((now - lane.alive for lane in lanes if lane.pending), default=0.0),
            )
            self.observer.lanes(stage.name, standing)


class _Arrivals:
    """What the fetcher's thread has, brought to the host's loop."""

    def __init__(self, host: Host, loop: asyncio.AbstractEventLoop) -> None:
        self._host, self._loop = host, loop

    def runs(self, runs: Sequence[Run]) -> None:
        self._call(self._host.arrived, runs)

    def caught_up(self, feed: Feed, topic: str, end: int | None) -> None:
        self._call(self._host.caught_up, feed, topic, end)

    def failed(self, failure: Failure) -> None:
        self._call(self._host.failed, failure)

    def _call(self, function: Callable[..., object], *args: object) -> None:
        try:
            self._loop.call_soon_threadsafe(function, *args)
        except RuntimeError:
            # The loop has ended before the fetcher did; whatever this was, the next owner fetches it.
            return
