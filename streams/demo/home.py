"""Where a run keeps the logs of its processes. They stay until the next run, because they tell what happened."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streams.runtime.logs import configure

RUNS = Path(".run")


@contextmanager
def kept() -> Iterator[Path]:
    """The directory of this run; those of runs that are over go."""
    for old in RUNS.glob("demo-*"):
        if not _alive(old.name.removeprefix("demo-")):
            shutil.rmtree(old, ignore_errors=True)
    home = RUNS / f"demo-{os.getpid()}"
    home.mkdir(parents=True, exist_ok=True)
    with (home / "demo.log").open("a") as log:
        configure("warning", "json", log)
        yield home
        configure("error", "json")


def _alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
