"""Decides when a played set is over: everything expected is there, and nothing moved for longer than anything waits."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from streams.demo.acts import Scene
from streams.demo.oracle import Journals, Verdict, judge
from streams.demo.play import Play

_LOOK_S = 0.4


async def settled(
    play: Play, scenes: Sequence[Scene], summary: Callable[[], dict[str, Any]], *, quiet_s: float, patience_s: float
) -> Verdict:
    """The verdict when all is quiet, or the one that stands when patience ends.

    What must not happen could still happen for a while after everything that must has; so the quiet has to last.
    """
    deadline, since, before = time.monotonic() + patience_s, time.monotonic(), ""
    while True:
        journals = await play.journals()
        verdict, now = judge(scenes, play.things, journals), time.monotonic()
        moment = _moment(journals, summary())
        if moment != before or verdict.lost or journals.under_way:
            since, before = now, moment
        if now - since >= quiet_s or now >= deadline:
            return verdict
        await asyncio.sleep(_LOOK_S)


def _moment(journals: Journals, summary: dict[str, Any]) -> str:
    """Everything that tells one moment from another; traffic such as status polls goes on for ever."""
    kept = ("orders", "carts", "metafields", "consents", "accepted", "generated")
    told = (journals.shop, journals.composer, journals.messenger)
    return repr([[journal.get(name) for name in kept] for journal in told] + [summary])
