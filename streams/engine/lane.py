"""One lane: a stage's partition number, with its state, its positions and its transactional producer.

A lane is one task. It opens (fence, then restore), takes what is queued, runs the stage over it, commits, and only then
acknowledges. Whatever goes wrong outside the stage's function ends the process: state in memory is right only because
every failed commit does.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Protocol

import structlog

from streams.engine import guards
from streams.engine.batch import Batch
from streams.engine.effects import Effects
from streams.engine.model import Record
from streams.engine.restore import low_watermark, restore
from streams.engine.stage import EngineConfig, Observer, Stage
from streams.engine.step import Changes, State
from streams.engine.timers import DueTimers
from streams.engine.transaction import Fenced, Transactions
from streams.errors import Fatal, Misconfigured, Retry

log = structlog.get_logger("engine")
RETRY_S = 1.0
CLOSE_S = 4.0


class Event(Protocol):
    """What Faust hands over and wants acknowledged."""

    def ack(self) -> object:
        """The lane is done with the run."""
        ...


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive records of one topic, and where the client stood before it fetched them."""

    topic: str
    before: int | None
    records: Sequence[Record]
    event: Event


def now_ms() -> int:
    """The wall clock; the engine's only one."""
    return time.time_ns() // 1_000_000


class Lane:
    """Owned by one task on the loop; blocking calls go to the executor."""

    def __init__(
        self,
        config: EngineConfig,
        stage: Stage,
        partition: int,
        observer: Observer,
        executor: Executor,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self.config, self.stage, self.partition, self.observer = config, stage, partition, observer
        self.depth = 0
        self.ready = False
        self.mark = time.monotonic()
        self._executor = executor
        self._clock = clock
        self._queue: deque[Run] = deque()
        self._urgent: deque[Run] = deque()
        self._unplaced: set[str] = set()
        self._arrived = asyncio.Event()
        self.fenced = False
        self._busy = asyncio.Lock()
        self._gate = asyncio.Event()
        self._gate.set()
        self._positions: dict[str, int] = {}
        self._transactions = Transactions(
            config, f"{config.namespace}-{stage.name}-{partition}", partition, stage.topics_by_store
        )
        self._state = State(stage.topics_by_store)
        self._due = DueTimers({})
        self._task = asyncio.create_task(self._live(), name=f"lane-{stage.name}-{partition}")

    def put(self, run: Run) -> None:
        """Queue a fetched run."""
        self.depth += len(run.records)
        (self._urgent if run.topic in self.stage.first else self._queue).append(run)
        self._arrived.set()

    async def hold(self) -> None:
        """Start no further step, and return when the one in progress is over or has had its time."""
        self._gate.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S), self._busy:
                pass

    def resume(self) -> None:
        """Go on after a hold."""
        self._gate.set()

    async def close(self) -> None:
        """Stop after the step in progress; what is queued comes back to the next owner."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await self._busy.acquire()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _live(self) -> None:
        try:
            await self._blocking(self._open)
            self.ready = True
            while True:
                runs = await self._next()
                async with self._turn():
                    await self._fire()
                if runs:
                    await self._work(runs)
        except asyncio.CancelledError:
            raise
        except Misconfigured as error:
            guards.leave(self.observer, error.code, f"{self._name}: {error.detail}")
        except Fenced:
            await self._await_end()
        except Exception as error:  # the outermost boundary: a lane that cannot go on takes the process with it
            log.exception("engine.lane_failed", lane=self._name)
            guards.leave(self.observer, getattr(error, "code", "lane_failed"), f"{self._name}: {error!r}")

    @contextlib.asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """One step at a time, and none while the lane is held."""
        await self._gate.wait()
        async with self._busy:
            self.mark = time.monotonic()
            yield
            self.mark = time.monotonic()

    async def _await_end(self) -> None:
        """Another worker owns the lane: nothing of ours can become visible any more, and what we know is void.

        The assignment that says so is on its way. If it never comes, two workers believe to own the lane.
        """
        self.fenced = True
        self.observer.outcome(self.stage.name, "fenced")
        log.warning("engine.fenced", lane=self._name)
        await asyncio.sleep(self.config.session_s * 2)
        guards.leave(self.observer, "fenced", f"{self._name} was taken over and is still assigned here")

    @property
    def _name(self) -> str:
        return f"{self.stage.name}-{self.partition}"

    async def _blocking(self, function: Callable[..., None], *args: object) -> None:
        await asyncio.get_running_loop().run_in_executor(self._executor, function, *args)

    def _open(self) -> None:
        started = time.monotonic()
        self._transactions.fence()
        self._state, self._positions = restore(self.config, self.partition, self.stage.topics_by_store)
        for topic in self.stage.sources:
            if topic not in self._positions:
                self._unplaced.add(topic)
                self._positions[topic] = low_watermark(self.config, topic, self.partition)
        self._due = DueTimers(self._state.timers)
        keys = sum(len(store) for store in self._state.stores.values())
        self.observer.opened(self.stage.name, self.partition, keys, time.monotonic() - started)

    async def _next(self) -> list[Run]:
        """The runs to work on, up to the batch limit; empty when a timer is due first."""
        if not self._queue and not self._urgent:
            self._arrived.clear()
            # Not wait_for: in Python 3.11 it may swallow the cancellation that closes the lane.
            try:
                async with asyncio.timeout(self._due.wait_s(self._clock())):
                    await self._arrived.wait()
            except TimeoutError:
                return []
        if self._urgent:
            return self._take_urgent()
        runs: list[Run] = []
        size = 0
        while self._queue and size < self.stage.batch_max:
            runs.append(self._queue.popleft())
            size += len(runs[-1].records)
        return runs

    def _take_urgent(self) -> list[Run]:
        runs = list(self._urgent)
        self._urgent.clear()
        return runs

    async def _fire(self) -> None:
        while due := self._due.take(self._clock(), self.config.timer_batch):
            changes = Changes()
            for timer in due:
                changes.outs.append(timer.out(self.partition))
                changes.timers[timer.timer_id] = None
            await self._commit(changes, {})
            self.observer.outcome(self.stage.name, "timer_fired", len(due))

    async def _work(self, runs: list[Run]) -> None:
        records = self._fresh(runs)
        for start in range(0, len(records), self.stage.batch_max):
            batch = records[start : start + self.stage.batch_max]
            if self._urgent:
                await self._work(self._take_urgent())
            async with self._turn():
                started = time.monotonic()
                await self._process(batch)
                self.observer.stepped(self.stage.name, self.partition, len(batch), time.monotonic() - started)
        for run in runs:
            self.depth -= len(run.records)
            run.event.ack()

    def _fresh(self, runs: list[Run]) -> list[Record]:
        """Records at or after the position; raises Fatal when something before them was never delivered."""
        records: list[Record] = []
        positions = dict(self._positions)
        for run in runs:
            position = positions[run.topic]
            first = run.records[0].offset
            # Offsets of transactional or compacted topics have holes, so only the client's own position proves a gap.
            # A first run may begin behind a hole nobody was before: aborted or compacted records at the head.
            hole = run.before is None and run.topic in self._unplaced
            self._unplaced.discard(run.topic)
            if first > position and not hole and (run.before is None or run.before > position):
                detail = f"{self._name} is at {run.topic} {position}, was given {first} by a client at {run.before}"
                raise Fatal("gap", detail)
            records.extend(record for record in run.records if record.offset >= position)
            positions[run.topic] = max(position, run.records[-1].offset + 1)
        return records

    async def _process(self, records: list[Record]) -> None:
        while True:
            batch = Batch(self.stage, self._state, self.partition, self.observer, self._clock)
            try:
                if self.stage.act is None:
                    await self._blocking(self._handle_all, batch, records)
                else:
                    await Effects(batch, self._commit_intents, self._waiting).run(records)
                break
            except Retry as error:
                # Raised by `handle`, so typically the registry is away; waves that are over were committed.
                self._waiting(error.code)
                await asyncio.sleep(error.after or RETRY_S)
        self._waiting(None)
        positions = {record.topic: record.offset + 1 for record in records}
        await self._commit(batch.take(), positions)
        self._positions.update(positions)
        self.observer.outcome(self.stage.name, "processed", len(records))

    @staticmethod
    def _handle_all(batch: Batch, records: list[Record]) -> None:
        for record in records:
            batch.handle(record)

    async def _commit_intents(self, changes: Changes) -> None:
        await self._commit(changes, {})

    async def _commit(self, changes: Changes, positions: dict[str, int]) -> None:
        await self._blocking(self._transactions.commit, changes, positions)
        self._state.apply(changes)
        self._due.apply(changes.timers)
        self.mark = time.monotonic()

    def _waiting(self, why: str | None) -> None:
        self.mark = time.monotonic()
        self.observer.waiting(self.stage.name, self.partition, why)
