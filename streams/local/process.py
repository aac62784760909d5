"""Starts programs in process groups of their own and ends them without leaving anybody behind.

Promises: a program started here ends with us whatever happens to us, its output goes to its log file alone, and ending
it ends its children too.
"""

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO

from streams.errors import Misconfigured
from streams.local import watchman

GRACE_S = 5.0
POLL_S = 0.02

# The program's pid is reported by the program itself, before it becomes what it should be: were it reported by us
# after the start, a kill -9 in between would leave an orphan.
_REPORT = 'echo "group $$"; exec "$@" >&2'

_lock = threading.Lock()
_watchman: subprocess.Popen[str] | None = None
_owner = 0


def _pipe() -> IO[str]:
    global _watchman, _owner  # noqa: PLW0603 - one watchman per process, and a forked child needs its own
    if _watchman is None or _owner != os.getpid() or _watchman.poll() is not None:
        argv = [sys.executable, "-I", "-S", "-B", str(Path(watchman.__file__).resolve())]
        _watchman = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        _owner = os.getpid()
        atexit.register(_dismiss, _watchman, _owner)
    assert _watchman.stdin is not None
    return _watchman.stdin


def _dismiss(process: subprocess.Popen[str], owner: int) -> None:
    if os.getpid() == owner and process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        process.wait()


def _tell(line: str) -> None:
    with _lock:
        pipe = _pipe()
        pipe.write(line + "\n")
        pipe.flush()


def at_our_end(word: str, argv: Sequence[str]) -> None:
    """Has a command run when we die without having said `settled(word)`; for what is no child of ours."""
    _tell(f"after {word} {json.dumps(list(argv))}")


def settled(word: str | int) -> None:
    """Takes back what was announced: the process group ended, or the clean-up was done."""
    _tell(f"forget {word}")


def spawn(
    argv: Sequence[str], log: Path, *, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.Popen[bytes]:
    """Starts a program; `env` adds to our environment and what it says is appended to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with _lock, log.open("ab") as output:
        return subprocess.Popen(
            ["/bin/sh", "-c", _REPORT, "sh", *argv],
            stdin=subprocess.DEVNULL,
            stdout=_pipe(),
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
    settled(process.pid)
    return code


def until(condition: Callable[[], bool], patience_s: float) -> bool:
    """Waits for a condition; False when it did not come true in time."""
    deadline = time.monotonic() + patience_s
    pause = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            return False
        pause.wait(POLL_S)
    return True


def output_of(argv: Sequence[str], patience_s: float = 10) -> str | None:
    """What a command prints, both streams; None when it is missing, fails or takes too long."""
    try:
        done = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=patience_s)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout + done.stderr


def tail(log: Path, lines: int = 5) -> str:
    """The last lines of a log, for an error's detail."""
    if not log.exists():
        return "(no output)"
    return " | ".join(log.read_text(errors="replace").splitlines()[-lines:]) or "(no output)"


def require_posix() -> None:
    """Process groups and file locks as used here exist on Linux and macOS only."""
    if os.name != "posix":
        raise Misconfigured("not_posix", "local processes need Linux or macOS: set TIDINGS_KAFKA and TIDINGS_REGISTRY")
