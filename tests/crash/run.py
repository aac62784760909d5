"""One run: a broker of its own, inputs at a rate, faults at seeded moments, and the judge at the end.

Everything random comes from the seed; what the machine does with time does not, so a seed repeats the plan and not the
run.
"""

import asyncio
import contextlib
import math
import random
import tempfile
import time
import zlib
from pathlib import Path
from typing import Any

from streams.errors import Failure
from streams.local.broker import Broker, open_broker
from tests.crash import topics
from tests.crash.crew import Crew
from tests.crash.faults import FAULTS, FROM_ITS_BEGIN, Scene, passed, until
from tests.crash.inputs import Feeder, inputs
from tests.crash.oracle import Hop, judge
from tests.crash.plan import Plan, Report
from tests.crash.sink import Journal
from tests.crash.tally import Deed
from tests.crash.topics import Progress
from tests.crash.worker import Job

PARTITIONS = 4
TRANSACTION_S = 30.0
SETTLED_S = 1.5
LOOK_S = 0.05


class Run:
    """A plan being carried out on a broker."""

    def __init__(self, plan: Plan, broker: Broker, directory: Path) -> None:
        self.plan, self.broker = plan, broker
        self.report = Report(plan)
        self.dice = random.Random(zlib.crc32(b"run %d" % plan.seed))
        self.sent = inputs(plan.seed, plan.events)
        self.total = len(self.sent) + sum(one.delay is not None for one in self.sent)
        self.prefix = f"c{plan.seed}."
        self.directory = directory
        self.journal = Journal(plan.seed)
        self._recovering: list[asyncio.Task[None]] = []

    def topic(self, name: str) -> str:
        """A topic's full name."""
        return self.prefix + name

    async def go(self) -> Report:
        """Carry it out and judge it."""
        began = time.monotonic()
        plan = self.plan
        names = [self.topic(name) for name in ("in", *plan.hops, *(f"{hop}.dlq" for hop in plan.hops))]
        logs = [self.topic(f"{hop}.changelog") for hop in plan.hops]
        await asyncio.to_thread(topics.make, self.broker.bootstrap, names, logs, PARTITIONS)
        port = await self.journal.open() if plan.effect else 0
        outage = self.directory / "outage"
        job = Job(
            self.broker.bootstrap,
            self.prefix,
            data_dir="",
            outage=str(outage),
            store=plan.store,
            session_s=plan.session_s,
            transaction_s=TRANSACTION_S,
            partitions=PARTITIONS,
            sink_port=port,
            broken=plan.broken,
        )
        crew = Crew(job, self.directory)
        for _ in range(plan.workers):
            crew.add()
        progress = Progress(self.broker.bootstrap, [self.topic(hop) for hop in plan.hops], PARTITIONS)
        first, last = self.topic(plan.hops[0]), self.topic(plan.hops[-1])
        scene = Scene(self.broker, crew, progress, self.dice, outage, plan.session_s, TRANSACTION_S, first, last)
        await self._play(scene)
        self.report.exits = {str(code): times for code, times in sorted(crew.exits.items())}
        self.report.reasons = dict(crew.reasons())
        self.report.set_aside = sum(1 for _ in self.directory.rglob("*.damaged-*"))
        await self._judge()
        await self.journal.close()
        if not self.report.right:
            self.report.tails = crew.tails()
        self.report.seconds = time.monotonic() - began
        return self.report

    async def _play(self, scene: Scene) -> None:
        watching = asyncio.create_task(scene.progress.watch())
        try:
            async with asyncio.timeout(self.plan.limit_s):
                await self._perform(scene)
        except TimeoutError:
            self.report.trouble = f"not finished in {self.plan.limit_s:.0f} s"
        except ExceptionGroup as errors:
            failures, rest = errors.split(Failure)
            if failures is None or rest is not None:
                raise
            self.report.trouble = "; ".join(str(error) for error in failures.exceptions)
        finally:
            self.report.left += await scene.crew.dismiss()
            scene.progress.stop()
            await watching

    async def _perform(self, scene: Scene) -> None:
        feeder = Feeder(self.broker.bootstrap, self.topic("in"), PARTITIONS)
        async with asyncio.TaskGroup() as group:
            keeping = group.create_task(scene.crew.keep())
            feeding = group.create_task(feeder.feed(self.sent, self.plan.rate))
            breaking = group.create_task(self._break(scene, group))
            await self._finish(scene, feeding, breaking)
            for task in (keeping, feeding, breaking, *self._recovering):
                task.cancel()

    async def _finish(self, scene: Scene, feeding: asyncio.Task[None], breaking: asyncio.Task[None]) -> None:
        ends = [self.topic(hop) for hop in self.plan.hops]
        while True:
            await asyncio.sleep(LOOK_S)
            complete = all(scene.progress.total(topic) >= self.total for topic in ends)
            if complete and feeding.done() and breaking.done() and scene.progress.still_s > SETTLED_S:
                return
            if not complete and scene.progress.still_s > self.plan.quiet_s:
                self.report.trouble = f"nothing moved for {self.plan.quiet_s:.0f} s"
                return

    async def _break(self, scene: Scene, group: asyncio.TaskGroup) -> None:
        for target, kind in self.plan.schedule(self.dice, self.total):
            await until(lambda target=target: scene.progress.total(scene.last) >= target, "", math.inf)  # type: ignore[misc]  # bound on purpose
            at = scene.progress.total(scene.last)
            done: dict[str, Any] = {"kind": kind, "at": at, "what": "", "recovery_s": None}
            self.report.faults.append(done)
            if kind in FROM_ITS_BEGIN:
                self._recovering.append(group.create_task(_recovery(scene, done)))
            done["what"] = await FAULTS[kind](scene)
            if kind not in FROM_ITS_BEGIN:
                self._recovering.append(group.create_task(_recovery(scene, done)))
            await passed(self.dice.uniform(0.0, 3.0))

    async def _judge(self) -> None:
        def read(name: str) -> list[Any]:
            return list(topics.read(self.broker.bootstrap, self.topic(name), PARTITIONS))

        def hops() -> list[Hop]:
            made = []
            source = read("in")
            for name in self.plan.hops:
                outputs = read(name)
                hop = Hop(name, source, outputs, read(f"{name}.changelog"), read(f"{name}.dlq"))
                made.append(hop if name != "deed" else _deeds(hop))
                self.report.outputs[name] = len(outputs)
                every = topics.read(self.broker.bootstrap, self.topic(name), PARTITIONS, "read_uncommitted")
                self.report.aborted += len(every) - len(outputs)
                source = outputs
            return made

        found = await asyncio.to_thread(hops)
        self.report.verdict = judge(self.sent, found, self.journal.done if self.plan.effect else None)


def _deeds(hop: Hop) -> Hop:
    final = lambda records: Deed.of(records).dump()  # noqa: E731 - one expression, named for the reader
    return Hop(hop.name, hop.source, hop.outputs, hop.changelog, hop.dead, final)


async def _recovery(scene: Scene, done: dict[str, Any]) -> None:
    """Seconds from the end of a fault until something produced after it is there in every partition."""
    began = time.time()
    await until(lambda: scene.progress.oldest(scene.last) > began * 1000, "", math.inf)
    done["recovery_s"] = round(scene.progress.oldest(scene.last) / 1000 - began, 1)


async def carry_out(plan: Plan, keep: str = "") -> Report:
    """A run of this plan, on a broker of its own that may be killed. What is in `keep` afterwards is for a person."""
    with contextlib.ExitStack() as ours:
        made = tempfile.TemporaryDirectory(prefix="tidings-crash-", ignore_cleanup_errors=True)
        directory = Path(keep or ours.enter_context(made))
        async with open_broker("local") as broker:
            return await Run(plan, broker, directory).go()
