"""A worker under test: counts records per key, so that one lost or repeated record is visible for good.

Run as `python -m tests.engine.counting BOOTSTRAP PREFIX JSON`, the JSON being fields of EngineConfig. A value `timer:N`
sets a timer N ms ahead that sends `fired`; `poison` is refused; `hang` never returns.
"""

import asyncio
import json
import signal
import sys
import threading
from typing import Any

from streams.engine import EngineConfig, Record, Stage, Step, Timer, each
from streams.engine.host import Host
from streams.errors import Failure, Misconfigured, Reject


class Silent:
    """An observer that tells nobody."""

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: None


class Tells(Silent):
    """An observer that prints what guards and openings tell it."""

    def guard(self, name: str) -> None:
        """A guard fired."""
        print(f"guard={name}", flush=True)

    def opened(self, stage: str, partition: int, keys: int, seconds: float) -> None:
        """A lane is open."""
        print(f"opened={partition} keys={keys} seconds={seconds:.3f}", flush=True)


def letter(stage: str, record: Record, failure: Failure, now: int) -> bytes:
    """A dead letter a test can read."""
    return failure.code.encode() + b"|" + (record.value or b"")


def counting(prefix: str) -> Stage:
    """`in` -> `out`: key|n|value."""

    def handle(record: Record, step: Step) -> None:
        value = record.value or b""
        count = int(step.get(record.key) or b"0") + 1
        step.put(record.key, b"%d" % count)
        if value == b"hang":
            threading.Event().wait()
        if value == b"poison":
            raise Reject("poison", "as asked")
        if value.startswith(b"timer:"):
            due = step.now + int(value[6:])
            step.schedule(Timer(record.key.decode(), due, f"{prefix}in", record.key, b"fired"))
        step.send(f"{prefix}out", record.key, b"|".join((record.key, b"%d" % count, value)), here=True)

    return Stage("count", (f"{prefix}in",), f"{prefix}changelog", f"{prefix}dlq", letter, handle=each(handle))


async def main(bootstrap: str, prefix: str, **more: Any) -> None:
    """Run until SIGTERM; `more` are fields of EngineConfig."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    config = EngineConfig(bootstrap, f"{prefix}group", namespace=prefix, session_s=6, **more)
    await Host(config, [counting(prefix)], Tells()).run(stop)


if __name__ == "__main__":
    try:
        asyncio.run(main(*sys.argv[1:3], **json.loads(sys.argv[3])))
    except Misconfigured as refusal:
        print(f"guard={refusal.code} {refusal.detail}", flush=True)
        sys.exit(78)
