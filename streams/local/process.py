"""Starts programs in process groups of their own and ends them without leaving anybody behind.

Promises: a program started here ends with us whatever happens to us, its output goes to its log file alone, and ending
it ends its children too.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from streams.local import leash, watchman

GRACE_S = 5.0

# The program's pid is reported by the program itself, before it becomes what it should be: were it reported by us
# after the start, a kill -9 in between would leave an orphan.
_REPORT = 'echo "group $$"; exec "$@" >&2'


def spawn(
    argv: Sequence[str], log: Path, *, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.Popen[bytes]:
    """Starts a program; `env` adds to our environment and what it says is appended to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            ["/bin/sh", "-c", _REPORT, "sh", *argv],
            stdin=subprocess.DEVNULL,
            stdout=leash.pipe(),
            stderr=output,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            start_new_session=True,
        )


def end(processes: Iterable[subprocess.Popen[bytes]], grace_s: float = GRACE_S) -> None:
    """Ends programs together: SIGTERM to each process group, SIGKILL to what is left of it after the grace."""
    groups = list(processes)
    for process in groups:
        if process.poll() is None:
            watchman.signal_group(process.pid, signal.SIGTERM)
    deadline = time.monotonic() + grace_s
    for process in groups:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            continue
    for process in groups:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> int:
    """Kills a program's whole process group with SIGKILL, waits for it and gives its exit code."""
    watchman.signal_group(process.pid, signal.SIGKILL)
    code = process.wait()
    leash.settled(process.pid)
    return code
