"""Waiting for conditions, and asking commands: the small change of starting things."""

import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

POLL_S = 0.02


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
