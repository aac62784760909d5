"""`tidings demo`: one command that shows the whole loop on one machine and, asked to, proves it.

Everything it starts ends with it, however it ends. What people read goes to stderr; stdout gets the summary alone.
"""

import asyncio
import signal
import sys
from collections.abc import Iterable
from typing import Any

import orjson

from streams.console.terminal import HINT, Terminal
from streams.demo.acts import Scene
from streams.demo.oracle import Verdict
from streams.demo.play import Play
from streams.demo.scenario import endless, fixed_set
from streams.demo.settle import settled
from streams.demo.surroundings import WAIT_S
from streams.demo.theatre import Theatre, opened

INTERRUPTED = 130

_PACE_ONCE_S, _PACE_S = 0.35, 1.5
_PATIENCE_S = 40.0


async def run(*, kafka: str = "embedded", once: bool = False, workers: int = 1, pace_s: float | None = None) -> int:
    """The exit code: 0 when all went well, 1 when the judge found something, 130 when a fixed set was interrupted.

    `pace_s` is the time between the beginnings of two scenes. Raises Failure when the run cannot be had.
    """
    terminal = Terminal()
    terminal.say(f"starting broker, sandboxes and {'worker' if workers == 1 else f'{workers} workers'}; {HINT}")
    _stop_on_signals()
    scenes = fixed_set() if once else endless()
    try:
        async with opened(kafka, workers, terminal) as theatre:
            await _perform(theatre.play, scenes, pace_s or (_PACE_ONCE_S if once else _PACE_S))
            verdict = await _judged(theatre)
            summary = theatre.feed.snapshot().summary
    except asyncio.CancelledError:
        terminal.say("everything is stopped")
        return INTERRUPTED if once else 0
    for finding in (*verdict.lost, *verdict.duplicates, *verdict.unexpected):
        terminal.say(f"found: {finding}")
    told = {**summary, "lost": len(verdict.lost), "duplicates": len(verdict.duplicates)}
    sys.stdout.write(orjson.dumps(told).decode() + "\n")
    return 0 if verdict.clean else 1


async def _perform(play: Play, scenes: Iterable[Scene], pace_s: float) -> None:
    """Begins a scene every `pace_s` seconds and returns when all of them ended."""
    try:
        async with asyncio.TaskGroup() as group:
            for scene in scenes:
                group.create_task(play.scene(scene))
                await asyncio.sleep(pace_s)
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None


async def _judged(theatre: Theatre) -> Verdict:
    """The verdict about the fixed set once nothing moves any more."""

    def counted() -> dict[str, Any]:
        return theatre.feed.snapshot().summary

    # Longer than anything is held: what must not be sent would have been sent by then.
    return await settled(theatre.play, fixed_set(), counted, quiet_s=WAIT_S + 1, patience_s=_PATIENCE_S)


def _stop_on_signals() -> None:
    """The first Ctrl-C or SIGTERM ends the run in order; another one at once."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None

    def stop() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
