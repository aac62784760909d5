"""The worker under test: one process with the engine, told by one JSON argument what to be.

Leaves as a worker of the product does: 0 when asked to, 78 when misconfigured, 70 when it cannot go on.
"""

import asyncio
import json
import logging
import os
import resource
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from streams.engine import EngineConfig
from streams.errors import Failure, Misconfigured
from tests.crash import points
from tests.crash.sink import Sink
from tests.crash.stages import stages


class Silent:
    """An observer that tells nobody."""

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: None


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker is to be. `sink_port` 0 is no effect stage.

    `file_bytes` limits its files as a full disk would, with `mute` its log too. At `point`, reached so many `times`, it
    sends itself the signal `number`.
    """

    bootstrap: str
    prefix: str
    data_dir: str
    outage: str
    store: Literal["memory", "rocksdb"] = "memory"
    session_s: float = 6.0
    transaction_s: float = 30.0
    partitions: int = 4
    sink_port: int = 0
    broken: str = ""
    file_bytes: int = 0
    mute: bool = False
    point: str = ""
    times: int = 1
    number: int = 9

    @property
    def sign(self) -> Path:
        """There once the worker has reached its point."""
        return Path(self.data_dir).with_suffix(f".{self.point}-{self.times}-{self.number}")

    @property
    def argv(self) -> list[str]:
        """How to start it."""
        return [sys.executable, "-m", "tests.crash.worker", json.dumps(asdict(self))]

    def config(self) -> EngineConfig:
        """As the engine wants to be told."""
        return EngineConfig(
            self.bootstrap,
            f"{self.prefix}group",
            namespace=self.prefix,
            partitions=self.partitions,
            session_s=self.session_s,
            transaction_s=self.transaction_s,
            data_dir=self.data_dir,
            store=self.store,
        )


async def main(job: Job) -> None:
    """Run until SIGTERM."""
    from streams.engine.host import Host  # loads Faust, which who only describes a job need not do

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    sink = Sink(job.sink_port) if job.sink_port else None
    await Host(job.config(), stages(job.prefix, Path(job.outage), sink), Silent()).run(stop)


def _fill_disk(file_bytes: int, *, mute: bool) -> None:
    if not mute:
        # What the worker says goes through a pipe, whose other end has no limit.
        out = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=sys.stderr.fileno())
        assert out.stdin is not None
        for stream in (sys.stdout, sys.stderr):
            os.dup2(out.stdin.fileno(), stream.fileno())
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))


def entry(job: Job) -> int:
    """The exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    if job.broken:
        from tests.crash import broken  # the good build never sees it

        broken.apply(job.broken)
    if job.point:
        points.arm(job.point, job.times, signal.Signals(job.number), job.sign)
    if job.file_bytes:
        _fill_disk(job.file_bytes, mute=job.mute)
    try:
        asyncio.run(main(job))
    except Failure as failure:
        logging.critical("leaves: %s", failure)  # noqa: LOG015 - the last word of a process
        return 78 if isinstance(failure, Misconfigured) else 70
    return 0


if __name__ == "__main__":
    sys.exit(entry(Job(**json.loads(sys.argv[1]))))
