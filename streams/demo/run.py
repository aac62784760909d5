"""`tidings demo`: one command that shows the whole loop on one machine and, asked to, proves it.

Everything it starts ends with it, however it ends. What people read goes to stderr; stdout gets the summary alone.
"""

import asyncio
import signal
import sys

import orjson

from streams.console.terminal import HINT, Terminal

INTERRUPTED = 130

_PACE_ONCE_S, _PACE_S = 0.35, 1.5


async def run(*, kafka: str = "embedded", once: bool = False, workers: int = 1, pace_s: float | None = None) -> int:
    """The exit code: 0 when all went well, 1 when the judge found something, 130 when a fixed set was interrupted.

    `pace_s` is the time between the beginnings of two scenes. Raises Failure when the run cannot be had.
    """
    terminal = Terminal()
    terminal.say(f"starting broker, sandboxes and {'worker' if workers == 1 else f'{workers} workers'}; {HINT}")
    _stop_on_signals()
    # Loading it takes a while; whoever started us knows by now that we are at it.
    from streams.demo.show import endlessly, proven

    try:
        if not once:
            await endlessly(kafka, workers, terminal, pace_s or _PACE_S)
            return 0
        outcome = await proven(kafka, workers, terminal, pace_s or _PACE_ONCE_S)
    except asyncio.CancelledError:
        terminal.say("everything is stopped")
        return INTERRUPTED if once else 0
    verdict = outcome.verdict
    for finding in (*verdict.lost, *verdict.duplicates, *verdict.unexpected):
        terminal.say(f"found: {finding}")
    told = {**outcome.summary, "lost": len(verdict.lost), "duplicates": len(verdict.duplicates)}
    sys.stdout.write(orjson.dumps(told).decode() + "\n")
    return 0 if verdict.clean else 1


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
