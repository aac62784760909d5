"""Faust as host: worker life cycle, consumer group, assignment and rebalances. Everything else is the lanes'.

A worker runs one or several stages. Faust hands topics with equal partition counts out together, so a worker that owns
partition 3 of one source of a stage owns partition 3 of them all, and one lane can own the number.
"""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import faust
import structlog
from faust.types import TP

from streams.engine import guards
from streams.engine.edge import RAW, transport_for
from streams.engine.lane import Lane, Run
from streams.engine.stage import EngineConfig, Observer, Stage

log = structlog.get_logger("engine")
WATCH_S = 1.0


class Host:
    """Runs stages until stopped. One per process."""

    def __init__(self, config: EngineConfig, stages: Sequence[Stage], observer: Observer) -> None:
        guards.check_versions()
        self.config, self.stages, self.observer = config, tuple(stages), observer
        self.lanes: dict[tuple[str, int], Lane] = {}
        self._by_topic = {topic: stage for stage in stages for topic in stage.sources}
        # A lane blocks a thread while it opens or commits; more threads than cores only wait for the broker.
        self._executor = ThreadPoolExecutor(max_workers=16, thread_name_prefix="lane")
        self._assigned_at = time.monotonic()
        self._partitions = 0
        self._app = self._build()
        self._watchdog: asyncio.Task[None] | None = None

    @property
    def topics(self) -> frozenset[str]:
        """Everything this worker reads or keeps state in."""
        kept = {topic for stage in self.stages for topic in stage.topics_by_store.values()}
        return frozenset(self._by_topic) | kept | {stage.dead_letters for stage in self.stages}

    def ready(self) -> str | None:
        """None when every assigned lane is open, else why not."""
        if not self._partitions:
            return "no partitions assigned"
        closed = [lane for lane in self.lanes.values() if not lane.ready]
        return f"{len(closed)} lanes are restoring" if closed else None

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. Leaves the process with 70 when it can no longer keep its promises."""
        await asyncio.get_running_loop().run_in_executor(None, guards.preflight, self.config, sorted(self.topics))
        self._app.finalize()
        await self._app.start()
        self._assigned_at = time.monotonic()
        self._watchdog = asyncio.create_task(self._watch())
        await stop.wait()
        self._watchdog.cancel()
        await asyncio.gather(*(lane.close() for lane in self.lanes.values()))
        await self._app.stop()
        self._executor.shutdown(wait=False)

    def _build(self) -> faust.App:
        config = self.config
        # Nothing is kept there, but Faust insists on having it.
        Path(config.data_dir).mkdir(parents=True, exist_ok=True)
        app = faust.App(
            config.group,
            broker=f"kafka://{config.bootstrap}",
            store="memory://",
            datadir=str(Path(config.data_dir)),
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
            broker_max_poll_records=2000,
            broker_commit_interval=1.0,
            broker_check_crcs=config.check_crcs,
            consumer_auto_offset_reset="earliest",
            # A worker that joins with stale metadata is assigned nothing.
            consumer_metadata_max_age_ms=5000,
            stream_buffer_maxsize=8,
            stream_wait_empty=False,
        )
        app.transport = transport_for(frozenset(self._by_topic), self._full, config.fetch_wait_ms)(
            app.conf.broker_consumer, app
        )
        app.on_partitions_assigned.connect(self._assigned)
        app.on_partitions_revoked.connect(self._revoked)
        for stage in self.stages:
            topic = app.topic(
                *stage.sources, partitions=config.partitions, key_serializer="raw", value_serializer=RAW, key_type=bytes
            )
            app.agent(topic, name=f"tidings.{stage.name}")(self._feed)
        return app

    async def _feed(self, stream: Any) -> None:
        async for event in stream.noack().events():
            message = event.message
            stage = self._by_topic[message.topic]
            lane = self.lanes.get((stage.name, message.partition))
            # No lane: the partition was revoked while the run was on its way, and its next owner reads it again.
            if lane is not None:
                before, records = event.value
                lane.put(Run(message.topic, before, records, event))

    # Faust passes (app, assigned, signal=...), which its own type for handlers does not describe.
    async def _assigned(self, *args: Any, **_: Any) -> None:
        assigned: set[TP] = args[1]
        wanted: set[tuple[str, int]] = set()
        for stage in self.stages:
            owned = {topic: {tp.partition for tp in assigned if tp.topic == topic} for topic in stage.sources}
            partitions = set.union(*owned.values())
            if any(owned[topic] != partitions for topic in stage.sources):
                guards.leave(self.observer, "uneven_assignment", f"{stage.name}: {owned}")
            wanted |= {(stage.name, partition) for partition in partitions}
        gone = [key for key, lane in self.lanes.items() if key not in wanted or lane.fenced]
        await asyncio.gather(*(self.lanes.pop(key).close() for key in gone))
        for kept in self.lanes.values():
            kept.resume()
        by_name = {stage.name: stage for stage in self.stages}
        for name, partition in sorted(wanted - set(self.lanes)):
            self.lanes[name, partition] = Lane(self.config, by_name[name], partition, self.observer, self._executor)
        self._partitions, self._assigned_at = len(wanted), time.monotonic()
        log.info("engine.assigned", lanes=len(wanted))

    async def _revoked(self, *_args: Any, **_: Any) -> None:
        # Every rebalance revokes everything. A lane in the middle of a step would be fenced by its next owner, so all
        # of them finish what they do before this worker joins again; those it gets back go on where they were.
        await asyncio.gather(*(lane.hold() for lane in self.lanes.values()))

    def _full(self, topic: str, partition: int) -> bool:
        lane = self.lanes.get((self._by_topic[topic].name, partition))
        return lane is not None and lane.depth > self.config.high_water

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_S)
            now = time.monotonic()
            if self._app.crashed:
                guards.leave(self.observer, "faust_crashed", repr(self._app.crash_reason))
            if not self._partitions and now - self._assigned_at > self.config.empty_assignment_s:
                guards.leave(self.observer, "empty_assignment", f"nothing assigned for {now - self._assigned_at:.0f} s")
            for (stage, partition), lane in self.lanes.items():
                if lane.depth and lane.ready and now - lane.mark > self.config.step_deadline_s:
                    guards.leave(self.observer, "stuck", f"{stage}-{partition}: no step for {now - lane.mark:.0f} s")
            for one in self.stages:
                lanes = [lane for (name, _), lane in self.lanes.items() if name == one.name]
                depth = sum(lane.depth for lane in lanes)
                self.observer.lanes(one.name, sum(lane.ready for lane in lanes), len(lanes), depth)
