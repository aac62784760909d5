"""One lane: a stage's partition number, with its state, its positions and its transactional producer.

A lane is one task. It opens (fence, then restore), has itself fetched for from where it stands, and then takes turns:
timers that are due, then a portion of records, each committed before the next. Whatever goes wrong outside the stage's
function ends the process: state in memory is right only because every failed commit does.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Future, wait
from typing import Any

import structlog

from streams.engine import guards
from streams.engine.effects import Effects
from streams.engine.fetch import Feed, Run
from streams.engine.intake import Event, Intake, Portion
from streams.engine.stage import Stage
from streams.engine.step import Changes
from streams.engine.transaction import Fenced
from streams.engine.work import Means, Work
from streams.errors import Failure, Fatal, Retry

log = structlog.get_logger("engine")
RETRY_S = 1.0
RETRY_CAP_S = 20.0
CLOSE_S = 4.0
LINGER_RECORDS = 500


def now_ms() -> int:
    """The wall clock; the engine's only one."""
    return time.time_ns() // 1_000_000


class Lane:
    """Owned by one task on the loop; blocking calls go to the executor, one at a time."""

    def __init__(self, means: Means, stage: Stage, partition: int) -> None:
        self.stage, self.partition = stage, partition
        self.ready = False
        self.fenced = False
        self.mark = time.monotonic()
        self._means = means
        self._work = Work(means, stage, partition)
        self._intake: Intake | None = None
        self._arrived = asyncio.Event()
        self._busy = asyncio.Lock()
        self._gate = asyncio.Event()
        self._gate.set()
        self._call: Future[Any] | None = None
        self._committed_at = 0.0
        self._task = asyncio.create_task(self._live(), name=f"lane-{self.name}")

    @property
    def name(self) -> str:
        """As it appears in logs."""
        return f"{self.stage.name}-{self.partition}"

    @property
    def depth(self) -> int:
        """Records fetched and not yet taken into a step."""
        return self._intake.depth if self._intake else 0

    @property
    def pending(self) -> bool:
        """Whether there is something a healthy lane would be getting on with."""
        return not self.fenced and (not self.ready or self.depth > 0 or self._busy.locked())

    @property
    def alive(self) -> float:
        """When it last showed a sign of life, on the monotonic clock."""
        return max(self.mark, self._work.mark)

    @property
    def timers(self) -> int:
        """Timers that wait."""
        return len(self._work.state.timers)

    @property
    def positions(self) -> Mapping[str, int | None]:
        """Where it stands per source topic."""
        return self._work.positions()

    def put(self, run: Run, event: Event) -> None:
        """Queue a fetched run; one that was fetched for an earlier opening is none of ours."""
        if self._intake is not None and run.feed is self._intake.feed:
            try:
                self._intake.put(run, event)
            except Fatal as failure:
                self._leave(failure)
            self._arrived.set()

    def caught_up(self, feed: Feed, topic: str, end: int | None) -> None:
        """A topic that goes first was fetched to its end."""
        if self._intake is not None and feed is self._intake.feed:
            self._intake.caught_up(topic, end)
            self._arrived.set()

    async def hold(self) -> None:
        """Start no further step, and return when the one in progress is over or has had its time."""
        self._gate.clear()
        # From here on Faust may drop a run and hand over the next; what comes after the rebalance is fetched anew.
        self._forget()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S), self._busy:
                pass

    def resume(self) -> None:
        """Go on after a hold, fetched for anew: what was on its way may have got lost in the rebalance."""
        self._forget()
        self._gate.set()
        self._arrived.set()

    async def close(self) -> None:
        """Stop after the step in progress; what is queued comes back to the next owner."""
        self._work.opening = False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await self._busy.acquire()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._forget()
        if self._call is not None and not self._call.done():
            await asyncio.to_thread(wait, [self._call], CLOSE_S)
        await self._blocking(self._work.close)

    async def _live(self) -> None:
        try:
            with contextlib.suppress(Fenced):
                await self._serve()
            await self._taken_over(self._means.config.session_s)
            await self._blocking(self._work.close)
            self._work, self.fenced = Work(self._means, self.stage, self.partition), False
            with contextlib.suppress(Fenced):
                await self._serve()
            await self._taken_over(self._means.config.session_s * 2)
            self._leave(Fatal("fenced", "taken over by another worker twice, and still assigned here"))
        except Exception as error:  # the outermost boundary: a lane that cannot go on takes the process with it
            if not isinstance(error, Failure):
                log.exception("engine.lane_failed", lane=self.name)
            self._leave(error)

    async def _serve(self) -> None:
        """Until fenced. Raises Fenced, and whatever ends the process."""
        async with self._turn():
            await self._blocking(self._work.open)
        self.ready = True
        while True:
            await self._arrival()
            async with self._turn():
                await self._go_on()

    async def _go_on(self) -> None:
        if self._intake is None:
            self._fetch()
        while self._wait_s() == 0:
            await self._blocking(self._work.fire, self._means.config.timer_batch)
        await self._step()

    def _fetch(self) -> None:
        positions = self._work.positions()
        feed = Feed(self.stage.name, self.partition, positions, self.stage.first)
        self._intake = Intake(feed, self.stage.first, positions)
        self._means.fetcher.start(feed)

    def _forget(self) -> None:
        if self._intake is not None:
            self._means.fetcher.stop(self._intake.feed)
            self._intake = None

    @contextlib.asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """One step at a time, and none while the lane is held."""
        await self._gate.wait()
        async with self._busy:
            self.mark = time.monotonic()
            yield
            self.mark = time.monotonic()

    async def _arrival(self) -> None:
        """Until there is something to do, and a little longer when it is little."""
        while self._intake is not None and not self._intake.ready:
            self._arrived.clear()
            # Not wait_for: in Python 3.11 it may swallow the cancellation that closes the lane.
            try:
                async with asyncio.timeout(self._wait_s()):
                    await self._arrived.wait()
            except TimeoutError:
                return
        if self.stage.act is None and self.depth < LINGER_RECORDS:
            linger = self._committed_at + self._means.config.linger_ms / 1000 - time.monotonic()
            if linger > 0:
                await asyncio.sleep(linger)

    def _wait_s(self) -> float | None:
        return self._work.state.timers.wait_s(self._means.clock())

    async def _step(self) -> None:
        portion = self._intake.take(self.stage.batch_max) if self._intake else None
        if portion is None or not portion.records:
            return
        started = time.monotonic()
        await self._process(portion)
        self._waiting(None)
        self._committed_at = time.monotonic()
        count = len(portion.records)
        self._means.observer.stepped(self.stage.name, self.partition, count, self._committed_at - started)
        self._means.observer.outcome(self.stage.name, "processed", count)
        for run, event in portion.ended:
            self._means.fetcher.done(run)
            event.ack()

    async def _process(self, portion: Portion) -> None:
        while True:
            try:
                if self.stage.act is None:
                    await self._blocking(self._work.handle, portion.records, portion.positions)
                else:
                    batch = self._work.batch()
                    await Effects(batch, self._commit, self._waiting).run(portion.records)
                    await self._blocking(self._work.commit, batch.take(), portion.positions)
                return
            except Retry as error:
                # Raised by `handle`, so typically the registry is away; waves that are over were committed.
                self._waiting(error.code)
                await asyncio.sleep(min(error.after or RETRY_S, RETRY_CAP_S))

    async def _commit(self, changes: Changes) -> None:
        await self._blocking(self._work.commit, changes, {})

    async def _blocking(self, function: Callable[..., Any], *args: object) -> Any:
        self._call = self._means.executor.submit(function, *args)
        result = await asyncio.wrap_future(self._call)
        self.mark = time.monotonic()
        return result

    async def _taken_over(self, patience_s: float) -> None:
        """Another worker owns the lane: nothing of ours can become visible any more, and what we know is void.

        The assignment that says so is on its way and closes this lane. If it does not come, the other one was the one
        that had lost the lane without knowing it yet, and we open ours once more.
        """
        self.fenced, self.ready = True, False
        self._forget()
        self._means.observer.outcome(self.stage.name, "fenced")
        log.warning("engine.fenced", lane=self.name)
        await asyncio.sleep(patience_s)

    def _waiting(self, why: str | None) -> None:
        self.mark = time.monotonic()
        self._means.observer.waiting(self.stage.name, self.partition, why)

    def _leave(self, error: Exception) -> None:
        guards.leave_for(self._means.observer, error, self.name)
