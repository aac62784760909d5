"""Our end of the pipe to the watchman, which ends what we started when we die without doing it ourselves.

There is one watchman per process; it starts with the first thing that needs it.
"""

import atexit
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from streams.local import watchman

_lock = threading.RLock()
_watchman: subprocess.Popen[str] | None = None
_owner = 0


def pipe() -> IO[str]:
    """What is written here, as `streams.local.watchman` wants it, outlives us."""
    global _watchman, _owner
    with _lock:
        if _watchman is None or _owner != os.getpid() or _watchman.poll() is not None:
            _watchman, _owner = _post(), os.getpid()
            atexit.register(_dismiss, _watchman, _owner)
        assert _watchman.stdin is not None
        return _watchman.stdin


def _post() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-B", str(Path(watchman.__file__).resolve())],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def _dismiss(process: subprocess.Popen[str], owner: int) -> None:
    if os.getpid() == owner and process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        process.wait()


def _tell(line: str) -> None:
    # A watchman that somebody killed is replaced at the next word; nothing else depends on it.
    with _lock, contextlib.suppress(BrokenPipeError):
        told = pipe()
        told.write(line + "\n")
        told.flush()


def at_our_end(word: str, argv: Sequence[str]) -> None:
    """Has a command run when we die without having said `settled(word)`; for what is no child of ours."""
    _tell(f"after {word} {json.dumps(list(argv))}")


def settled(word: str | int) -> None:
    """Takes back what was announced: the process group ended, or the clean-up was done."""
    _tell(f"forget {word}")
