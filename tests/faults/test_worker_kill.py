"""The whole loop under kill -9: real Kafka, two workers, the sandboxes' own journals as the judge."""

import asyncio
import io
import random
import time
from collections.abc import Callable, Sequence

import pytest
from rich.console import Console

from streams.console.terminal import Terminal
from streams.demo.acts import Person, Scene
from streams.demo.oracle import Journals, Verdict, judge
from streams.demo.play import Play
from streams.demo.scenes import confirmed
from streams.demo.theatre import Theatre, opened

pytestmark = [pytest.mark.broker, pytest.mark.slow]
ORDERS = 2000
KILL_AFTER = (200, 800, 1400)
AT_ONCE = 12
PATIENCE_S = 600
WORKERS = ("worker-1", "worker-2")


async def test_killing_workers_among_two_thousand_orders_loses_and_repeats_nothing(broker_kind: str) -> None:
    """Three kill -9 in the middle of 2,000 orders: each is confirmed once, and each store learns of it."""
    dice = random.Random(3)
    scenes = [confirmed(f"o{number}", _person(number)) for number in range(ORDERS)]
    async with opened(broker_kind, len(WORKERS), Terminal(Console(file=io.StringIO()))) as theatre:
        playing = asyncio.create_task(_play(theatre.play, scenes))
        for count in KILL_AFTER:
            await _until(theatre, lambda seen, count=count: len(_accepted(seen)) >= count)  # type: ignore[misc]
            theatre.supervisor.kill(dice.choice(WORKERS))
        await playing
        await _until(theatre, lambda seen: not _verdict(theatre, scenes, seen).lost)
        verdict = _verdict(theatre, scenes, await theatre.play.journals())
    assert (verdict.lost, verdict.duplicates, verdict.unexpected) == ([], [], [])
    assert sum(theatre.supervisor.restarts.values()) >= len(KILL_AFTER)


def _person(number: int) -> Person:
    return Person(local=f"buyer-{number}", first_name="Ada", guest=number % 2 == 0)


async def _play(play: Play, scenes: Sequence[Scene]) -> None:
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(scene: Scene) -> None:
        async with turns:
            await play.scene(scene)

    async with asyncio.TaskGroup() as group:
        for scene in scenes:
            group.create_task(one(scene))


async def _until(theatre: Theatre, reached: Callable[[Journals], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not reached(seen := await theatre.play.journals()):
        assert time.monotonic() < deadline, f"stuck at {len(_accepted(seen))} messages"
        await asyncio.sleep(1)


def _accepted(seen: Journals) -> Sequence[object]:
    return list(seen.messenger["accepted"])


def _verdict(theatre: Theatre, scenes: Sequence[Scene], seen: Journals) -> Verdict:
    return judge(scenes, theatre.play.things, seen)
