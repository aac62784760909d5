"""Ends or freezes a worker at a named line of a step, where a random moment would rarely hit.

`fenced`: former owners are out, nothing is restored yet. `begun`: a transaction is open and empty. `produced`: all of
it is with the broker, not committed. `committed`: it is, and the worker does not know yet.
"""

import os
import signal
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

POINTS = ("fenced", "begun", "produced", "committed")
RARE = ("fenced",)
"""Reached once per opening of a lane, not once per step."""


def arm(point: str, times: int, number: signal.Signals, sign: Path) -> None:
    """The process sends itself the signal when it reaches the point that many times, after leaving a sign."""
    left = times

    def reached(here: str) -> None:
        nonlocal left
        if here == point:
            left -= 1
            if left == 0:
                sign.touch()
                os.kill(os.getpid(), number)

    class Armed(Producer):
        def init_transactions(self, *args: Any) -> None:
            super().init_transactions(*args)
            reached("fenced")

        def begin_transaction(self) -> None:
            super().begin_transaction()
            reached("begun")

        def commit_transaction(self, *args: Any) -> None:
            if point == "produced":
                super().flush(*args)
            reached("produced")
            super().commit_transaction(*args)
            reached("committed")

    from streams.engine import transaction

    transaction.Producer = Armed  # type: ignore[attr-defined]  # that is the point
