"""Ends our children when we die without a chance to do it ourselves, even by kill -9.

One small process reads our pipe and learns which process groups and clean-up commands are ours. The kernel closes that
pipe however we die; the watchman then ends what is left. Unlike a parent-death signal it works on macOS too, and it
does not fire when merely the thread that started a child ends. It runs from its path and imports only the standard
library, so that it stays small.

    group PID      the process group PID is ours        forget WORD    it ended, or is cleaned up
    after WORD J   run J, a JSON list of arguments, at the end, as WORD
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable

GRACE_S = 4.0


def signal_group(group: int, number: int) -> bool:
    """Sends a signal to a whole process group; False when nobody is left in it."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS says "not permitted" of a group that holds only zombies
        return False
    return True


def end_groups(groups: Iterable[int], grace_s: float) -> None:
    """Asks the groups to end, waits for all of them together, and kills what is left."""
    left = [group for group in groups if signal_group(group, signal.SIGTERM)]
    pause = threading.Event()
    for _ in range(int(grace_s / 0.05)):
        left = [group for group in left if signal_group(group, 0)]
        if not left:
            return
        pause.wait(0.05)
    for group in left:
        signal_group(group, signal.SIGKILL)


def main(lines: Iterable[str]) -> None:
    """Remembers what the lines say; when they end, ends everything that was not forgotten."""
    ours: dict[str, list[str]] = {}
    for line in lines:
        verb, word, *rest = line.rstrip("\n").split(" ", 2)
        if verb == "forget":
            ours.pop(word, None)
        else:
            ours[word] = json.loads(rest[0]) if rest else []
    end_groups([int(word) for word, command in ours.items() if not command], GRACE_S)
    for command in filter(None, ours.values()):
        subprocess.run(command, check=False, capture_output=True, timeout=60)


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    main(sys.stdin)
