"""What is done to a run: each fault is a coroutine that breaks something and puts the outside right again.

A worker that leaves comes back by itself, because the crew keeps it. What a fault returns is said in the report.
"""

import asyncio
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

from streams.errors import Fatal
from streams.local.broker import Broker
from tests.crash.crew import Crew, Worker
from tests.crash.damage import damage, stores
from tests.crash.points import POINTS, RARE
from tests.crash.topics import Progress

LOOK_S = 0.05
PATIENCE_S = 60.0
IDLE_S = 15.0


@dataclass(slots=True)
class Scene:
    """What a fault can get its hands on. `last` is the topic whose growth means that everybody works."""

    broker: Broker
    crew: Crew
    progress: Progress
    dice: random.Random
    outage: Path
    session_s: float
    transaction_s: float
    first: str
    last: str

    async def victim(self) -> Worker:
        """Somebody who runs."""
        await until(lambda: self.crew.pick(self.dice) is not None, "nobody runs")
        worker = self.crew.pick(self.dice)
        assert worker is not None
        return worker


Fault = Callable[[Scene], Awaitable[str]]


async def until(condition: Callable[[], bool], otherwise: str, patience_s: float = PATIENCE_S) -> None:
    """Raises Fatal when the condition does not come true in time."""
    deadline = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline:
            raise Fatal("fault_failed", otherwise)
        await asyncio.sleep(LOOK_S)


async def passed(seconds: float) -> None:
    """A fault lasts: that much time goes by."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:  # noqa: ASYNC110 - time is the condition here
        await asyncio.sleep(LOOK_S)


async def kill(scene: Scene) -> str:
    """A worker is killed."""
    worker = await scene.victim()
    worker.signal(signal.SIGKILL)
    return worker.name


async def term(scene: Scene) -> str:
    """A worker is asked to end."""
    worker = await scene.victim()
    gone, began = len(worker.exits) + 1, time.monotonic()
    worker.signal(signal.SIGTERM)
    await until(lambda: len(worker.exits) >= gone, f"{worker.name} does not end")
    return f"{worker.name}, gone with {worker.exits[-1]} after {time.monotonic() - began:.1f} s"


async def twice(scene: Scene) -> str:
    """A worker is killed, and again while it opens its lanes."""
    worker = await scene.victim()
    starts = worker.starts
    worker.signal(signal.SIGKILL)
    await until(lambda: worker.starts > starts and worker.here, f"{worker.name} does not come back")
    wait = scene.dice.uniform(0.5, 5.0)
    await passed(wait)
    worker.signal(signal.SIGKILL)
    return f"{worker.name}, again after {wait:.1f} s"


async def stop(scene: Scene) -> str:
    """A worker is stopped for longer than its session, and wakes up as a zombie."""
    return await _stopped(scene, scene.session_s * scene.dice.uniform(1.4, 2.2))


async def coma(scene: Scene) -> str:
    """A worker is stopped for longer than the broker lets a transaction stand open."""
    return await _stopped(scene, scene.transaction_s * scene.dice.uniform(1.1, 1.3))


async def _stopped(scene: Scene, seconds: float) -> str:
    worker = await scene.victim()
    life = worker.starts
    worker.signal(signal.SIGSTOP)
    await passed(seconds)
    if worker.starts == life:
        worker.signal(signal.SIGCONT)
    return f"{worker.name} for {seconds:.1f} s"


async def point(scene: Scene) -> str:
    """A worker dies at a named line of a step."""
    worker = await scene.victim()
    return await _armed(scene, worker, signal.SIGKILL)


async def freeze(scene: Scene) -> str:
    """A worker stops at a named line of a step, for longer than its session, and wakes up as a zombie."""
    worker = await scene.victim()
    what = await _armed(scene, worker, signal.SIGSTOP)
    seconds = scene.session_s * scene.dice.uniform(1.4, 2.2)
    await passed(seconds)
    worker.signal(signal.SIGCONT)
    return f"{what}, for {seconds:.1f} s"


async def _armed(scene: Scene, worker: Worker, number: signal.Signals) -> str:
    """Have the worker's next life end at a point, and wait until it gets there; one with too little to do is killed."""
    plain, lives = worker.job, worker.starts
    where = scene.dice.choice(POINTS)
    times = scene.dice.randrange(1, 4) if where in RARE else scene.dice.randrange(2, 50)
    worker.job = replace(plain, point=where, times=times, number=int(number))
    sign = worker.job.sign
    sign.unlink(missing_ok=True)
    worker.signal(signal.SIGKILL)
    try:
        await until(lambda: worker.starts > lives, f"{worker.name} does not come back")
    finally:
        worker.job = plain
    began = time.monotonic()
    await until(lambda: sign.exists() or time.monotonic() - began > IDLE_S, "")
    if sign.exists():
        return f"{worker.name} at {where}, the {times}. time"
    worker.signal(signal.SIGKILL)
    return f"{worker.name}, which never came to {where}, the {times}. time"


async def broker(scene: Scene) -> str:
    """The broker is killed and comes back after a few seconds."""
    scene.broker.kill()
    away = scene.dice.uniform(2.0, 5.0)
    try:
        await passed(away)
    finally:
        await asyncio.to_thread(scene.broker.start)
    return f"away for {away:.1f} s and its start"


async def blackout(scene: Scene) -> str:
    """The broker is killed, and while it is away all workers too: they start again before it answers."""
    scene.broker.kill()
    try:
        await passed(scene.dice.uniform(0.0, 2.0))
        for worker in scene.crew.workers:
            worker.signal(signal.SIGKILL)
        await passed(scene.dice.uniform(1.0, 5.0))
    finally:
        await asyncio.to_thread(scene.broker.start)
    return "all"


async def brokers(scene: Scene) -> str:
    """The broker is killed every twenty seconds, four times."""
    for _ in range(4):
        began = time.monotonic()
        await broker(scene)
        await passed(20 - (time.monotonic() - began))
    return "4 times"


async def pause(scene: Scene) -> str:
    """The broker stands still for 8 to 20 s."""
    pid = _pid(scene.broker)
    seconds = scene.dice.uniform(8.0, 20.0)
    os.kill(pid, signal.SIGSTOP)
    try:
        await passed(seconds)
    finally:
        os.kill(pid, signal.SIGCONT)
    return f"for {seconds:.1f} s"


async def storm(scene: Scene) -> str:
    """For half a minute workers come and go every few seconds: none is killed while it is the only one."""
    nominal = sum(worker.wanted for worker in scene.crew.workers)
    end, moves = time.monotonic() + 30.0, 0
    while time.monotonic() < end:
        wanted = [worker for worker in scene.crew.workers if worker.wanted]
        if len(wanted) > 1 and (len(wanted) > 3 or scene.dice.random() < 0.5):
            gone = scene.dice.choice(wanted)
            gone.wanted = False
            gone.signal(scene.dice.choice([signal.SIGTERM, signal.SIGTERM, signal.SIGKILL]))
        else:
            scene.crew.add()
        moves += 1
        await passed(scene.dice.uniform(1.5, 5.0))
    while sum(worker.wanted for worker in scene.crew.workers) < nominal:
        scene.crew.add()
    return f"{moves} moves"


async def outage(scene: Scene) -> str:
    """Something a stage has to ask is away: its lanes wait, and nothing passes."""
    scene.outage.touch()
    await passed(2.0)
    before = scene.progress.total(scene.first)
    await passed(scene.dice.uniform(3.0, 8.0))
    passed_by = scene.progress.total(scene.first) - before
    scene.outage.unlink()
    if passed_by:
        raise Fatal("outage_ignored", f"{passed_by} records passed while what they need was away")
    return "waited"


async def disk(scene: Scene) -> str:
    """A worker's disk is full: it leaves and says why, again and again, until there is space."""
    return await _full(scene, scene.dice.choice([1, 6_000, 40_000]), mute=False)


async def mute(scene: Scene) -> str:
    """A worker's disk is full and its log is on it: it leaves all the same, without a word."""
    return await _full(scene, 1, mute=True)


async def _full(scene: Scene, file_bytes: int, *, mute: bool) -> str:
    worker = await scene.victim()
    whole, left = worker.job, len(worker.exits)
    worker.job = replace(worker.job, file_bytes=file_bytes, mute=mute)
    worker.signal(signal.SIGTERM)
    try:
        await until(lambda: 70 in worker.exits[left:], f"{worker.name} does not leave a full disk")
    finally:
        worker.job = whole
        # Whoever was started in between has no space for good.
        worker.signal(signal.SIGKILL)
    return f"{worker.name}, exits {worker.exits[left:]}"


async def spoil(scene: Scene) -> str:
    """A worker's store on disk is damaged while it is down."""
    worker = await scene.victim()
    worker.wanted = False
    worker.signal(scene.dice.choice([signal.SIGKILL, signal.SIGTERM]))
    await until(lambda: not worker.here, f"{worker.name} does not end")
    try:
        found = stores(Path(worker.job.data_dir))
        if not found:
            raise Fatal("no_store", f"{worker.name} keeps nothing in {worker.job.data_dir}")
        done = [damage(store, scene.dice) for store in found]
    finally:
        worker.wanted = True
    return f"{worker.name}: {', '.join(done)}"


def _pid(started: Broker) -> int:
    # To stand still is no business of the product, so nothing of it offers the process.
    running = getattr(started._machine, "_running", None)  # noqa: SLF001
    if running is None:
        raise Fatal("not_ours", f"{started.describe} cannot be paused from here")
    pid: int = running.pid
    return pid


FAULTS: dict[str, Fault] = {
    "kill": kill,
    "term": term,
    "twice": twice,
    "stop": stop,
    "coma": coma,
    "point": point,
    "freeze": freeze,
    "broker": broker,
    "blackout": blackout,
    "brokers": brokers,
    "pause": pause,
    "storm": storm,
    "outage": outage,
    "disk": disk,
    "mute": mute,
    "spoil": spoil,
}
FROM_ITS_BEGIN = {"stop", "coma"}
"""Recovery from these is what happens while they last."""
ON_DISK = {"disk", "mute", "spoil"}
"""These want a store on disk."""
