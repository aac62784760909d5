"""Tiny programs to supervise, and a way to see whether any of their processes lives.

A program holds a lock on a file, which its own children inherit: the kernel frees it when the last of them is dead, so
a free lock proves that nobody is left, without looking at pids.
"""

import fcntl
import sys
from pathlib import Path

from streams.local.keeper import Child

_LOCKED = "import fcntl, os, signal, sys; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX); "
STAY = _LOCKED + "signal.pause()"
STUBBORN = _LOCKED + "signal.signal(signal.SIGTERM, signal.SIG_IGN); os.fork(); [signal.pause() for _ in iter(int, 1)]"
POLITE = _LOCKED + "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); signal.pause()"
TALK = "import os, sys; print('out', os.environ['WORD'], flush=True); print('err', file=sys.stderr)"
ONCE = "import pathlib, signal, sys; p = pathlib.Path(sys.argv[1]); seen = p.exists(); p.touch(); "
CRASH_ONCE = ONCE + "sys.exit(70) if not seen else signal.pause()"


def child(code: str, lock: Path, name: str = "worker", **more: object) -> Child:
    """A child that runs this code with the path as its argument and logs beside it."""
    env = {str(key): str(value) for key, value in more.items()}
    return Child(name, [sys.executable, "-c", code, str(lock)], lock.with_suffix(".log"), env)


def leaves_with(code: int, folder: Path) -> Child:
    """A child that ends at once with this code."""
    return child(f"raise SystemExit({code})", folder / "unused")


def held(lock: Path) -> bool:
    """Somebody who locked the file is alive."""
    if not lock.exists():
        return False
    with lock.open() as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
