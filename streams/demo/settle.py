"""Decides when a played set is over: everything expected is there, and nothing moved for longer than anything waits."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from streams.demo.acts import Scene
from streams.demo.oracle import Journals, Verdict, judge
from streams.demo.play import Play


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: how long nothing may move before it is over, how long that may take, how often to look."""

    quiet_s: float
    longest_s: float
    look_s: float = 0.4


async def settled(
    play: Play, scenes: Sequence[Scene], summary: Callable[[], dict[str, Any]], patience: Patience
) -> Verdict:
    """The verdict when all is quiet, or the one that stands when patience ends.

    What must not happen could still happen for a while after everything that must has; so the quiet has to last.
    """
    deadline, since, before = time.monotonic() + patience.longest_s, time.monotonic(), ""
    while True:
        journals = await play.journals()
        verdict, moment, now = judge(scenes, play.things, journals), _moment(journals, summary()), time.monotonic()
        restless = bool(moment != before or verdict.lost or journals.under_way)
        since, before = (now, moment) if restless else (since, before)
        if now >= deadline or (not restless and now - since >= patience.quiet_s):
            return verdict
        await asyncio.sleep(patience.look_s)


def _moment(journals: Journals, summary: dict[str, Any]) -> str:
    """Everything that tells one moment from another; traffic such as status polls goes on for ever."""
    kept = ("orders", "carts", "metafields", "consents", "accepted", "generated")
    told = (journals.shop, journals.composer, journals.messenger)
    return repr([[journal.get(name) for name in kept] for journal in told] + [summary])
