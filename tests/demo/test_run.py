"""`tidings demo` as people run it: one command, one summary, and nothing left behind."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

COMMAND = ("-c", "from streams.cli import main; main()", "demo", "--kafka", "embedded")
ROOT = Path(__file__).parents[2]


async def begun(tmp_path: Path, *more: str) -> Process:
    """A demo in an empty directory, with nothing of ours in its environment."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("TIDINGS_")}
    env["PYTHONPATH"] = str(ROOT)
    command = (sys.executable, *COMMAND, *more)
    return await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, cwd=tmp_path, env=env)


def children(pid: int) -> list[int]:
    """The processes a run started itself."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], check=True, capture_output=True, text=True).stdout
    pairs = [tuple(map(int, line.split())) for line in listed.splitlines()]
    return [child for child, parent in pairs if parent == pid]


def alive(pid: int) -> bool:
    listed = subprocess.run(["ps", "-p", str(pid), "-o", "stat="], check=False, capture_output=True, text=True).stdout
    return bool(listed.strip()) and not listed.strip().startswith("Z")


async def test_the_fixed_set_is_played_and_judged(tmp_path: Path) -> None:
    """The last line is the summary: everything arrived once, and whatever did not leave has its reason."""
    running = await begun(tmp_path, "--once")
    out, told = await running.communicate()
    assert running.returncode == 0, told.decode()
    summary = json.loads(out.decode().splitlines()[-1])
    assert list(summary) == [
        "events", "communications", "deliveries", "suppressed", "feedback", "writebacks", "lost", "duplicates",
    ]  # fmt: skip
    assert (summary["lost"], summary["duplicates"]) == (0, 0)
    assert summary["communications"] == 24
    assert summary["deliveries"] == 29
    assert summary["events"] > 24
    assert summary["writebacks"] >= 26
    assert summary["suppressed"]["consent_absent"] == 1
    assert summary["suppressed"]["consent_withdrawn"] == 2
    assert summary["feedback"]["bounced_hard"] == 2
    assert summary["feedback"]["unsubscribed"] == 2
    assert "@" not in told.decode()


async def test_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    """Whoever stops it has their machine back: the run ends in order and so does everything it started."""
    running = await begun(tmp_path)
    assert running.stderr
    async for line in running.stderr:
        if b"worker starting" not in line and b"ingress starting" not in line and line.startswith(b"collect "):
            break
    started = children(running.pid)
    assert len(started) >= 4
    running.send_signal(signal.SIGINT)
    _, told = await running.communicate()
    assert running.returncode == 0, told.decode()
    assert b"everything is stopped" in told
    assert not [pid for pid in started if alive(pid)]
