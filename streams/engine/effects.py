"""Runs a stage's effects over a batch: many keys in flight, one per key at a time, intents committed before they act.

A batch is cut into waves in which every key occurs once. Within a wave `handle` runs first and what it changed is
committed; only then does `act` run, and what came of it is committed before the next wave begins. A stage without a
`handle` commits once, with the position.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

from streams.engine.batch import Batch
from streams.engine.model import Record, Timer
from streams.engine.step import Changes, Step
from streams.errors import Ambiguous, Failure, Fatal, Misconfigured, Reject, Retry

Commit = Callable[[Changes], Awaitable[None]]
MISCONFIGURED_WAIT_S = 5.0
SLICE_S = 20.0


def waves(records: Iterable[Record]) -> list[list[Record]]:
    """Cut records into lists in which a key occurs once, keeping the order per key."""
    cut: list[list[Record]] = []
    depth: dict[bytes, int] = {}
    for record in records:
        at = depth.get(record.key, 0)
        depth[record.key] = at + 1
        if at == len(cut):
            cut.append([])
        cut[at].append(record)
    return cut


class Effects:
    """The effect side of one lane."""

    def __init__(self, batch: Batch, commit: Commit, waiting: Callable[[str | None], None]) -> None:
        self._batch = batch
        self._stage = batch.stage
        self._commit = commit
        self._waiting = waiting
        self._slots = asyncio.Semaphore(batch.stage.in_flight)

    async def run(self, records: Sequence[Record]) -> None:
        """Handle and act on all records; the caller commits what is left in the batch, with the position."""
        for wave in waves(records):
            planned = self._batch.handle(wave)
            if self._stage.handle is not None and self._batch.changes:
                await self._commit(self._batch.take())
            done = await asyncio.gather(*(self._act(record) for record in planned))
            for record, (step, error) in zip(planned, done, strict=True):
                self._settle(record, step, error)
            if self._stage.handle is not None and self._batch.changes:
                # What was done must be known before anything in the next wave can fail.
                await self._commit(self._batch.take())

    def _settle(self, record: Record, step: Step, error: Exception | None) -> None:
        if error is None:
            try:
                self._batch.absorb(step)
            except Reject as too_much:
                self._batch.refuse(record, too_much)
        elif isinstance(error, Retry | Ambiguous) and self._stage.retry == "requeue" and self._may_retry(record):
            self._requeue(record, error)
        else:
            self._batch.refuse(record, error)

    def _may_retry(self, record: Record) -> bool:
        return record.attempt + 1 < self._stage.attempts and record.value is not None

    def _requeue(self, record: Record, error: Failure) -> None:
        step = self._batch.step()
        delay = self._stage.delay(record.attempt, getattr(error, "after", None))
        timer_id = f"retry:{record.topic}:{record.offset}"
        due = step.now + int(delay * 1000)
        step.schedule(Timer(timer_id, due, record.topic, record.key, record.value or b"", record.attempt + 1))
        self._batch.changes.absorb(step.changes)
        self._batch.observer.outcome(self._stage.name, "requeued")

    async def _act(self, record: Record) -> tuple[Step, Exception | None]:
        attempt = 0
        while True:
            step = self._batch.step(record)
            try:
                async with self._slots:
                    assert self._stage.act is not None
                    await self._stage.act(record, step)
                return step, None
            except Misconfigured as error:
                # Nothing is dropped and nothing else goes out through this lane until a person has acted.
                self._waiting(f"misconfigured_{error.code}")
                await asyncio.sleep(MISCONFIGURED_WAIT_S)
            except (Retry, Ambiguous) as error:
                attempt += 1
                if self._stage.retry == "requeue" or attempt >= self._stage.attempts:
                    return step, error
                await self._wait(error, self._stage.delay(attempt - 1, getattr(error, "after", None)))
            except Fatal:
                raise
            except Exception as error:  # noqa: BLE001 - the boundary: whatever an effect does, the record is kept
                return step, error
            finally:
                self._waiting(None)

    async def _wait(self, error: Failure, seconds: float) -> None:
        # In slices, because a lane that says nothing for too long is taken for stuck.
        while seconds > 0:
            self._waiting(error.code)
            await asyncio.sleep(min(seconds, SLICE_S))
            seconds -= SLICE_S
