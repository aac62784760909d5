"""One performance: opens the theatre, plays the scenes and, when they have an end, has them judged."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from streams.console.terminal import Terminal
from streams.demo.acts import Scene
from streams.demo.oracle import Verdict
from streams.demo.play import Play
from streams.demo.scenario import endless, fixed_set
from streams.demo.settle import Patience, settled
from streams.demo.surroundings import WAIT_S
from streams.demo.theatre import opened


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the other side saw, and what our topics say."""

    verdict: Verdict
    summary: dict[str, Any]


async def endlessly(kafka: str, workers: int, terminal: Terminal, pace_s: float) -> None:
    """Until cancelled."""
    async with opened(kafka, workers, terminal) as theatre:
        await perform(theatre.play, endless(), pace_s)


async def proven(kafka: str, workers: int, terminal: Terminal, pace_s: float) -> Outcome:
    """Plays the fixed set and gives the outcome once nothing moves any more."""
    scenes = fixed_set()
    async with opened(kafka, workers, terminal) as theatre:

        def counted() -> dict[str, Any]:
            return theatre.feed.snapshot().summary

        await perform(theatre.play, scenes, pace_s)
        # Longer than anything is held: what must not be sent would have been sent by then.
        verdict = await settled(theatre.play, scenes, counted, Patience(quiet_s=WAIT_S + 1, longest_s=40.0))
        return Outcome(verdict, counted())


async def perform(play: Play, scenes: Iterable[Scene], pace_s: float) -> None:
    """Begins a scene every `pace_s` seconds and returns when all of them ended."""
    try:
        async with asyncio.TaskGroup() as group:
            for scene in scenes:
                group.create_task(play.scene(scene))
                await asyncio.sleep(pace_s)
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
