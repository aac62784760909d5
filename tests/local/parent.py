"""A program that supervises one stubborn child, for tests that end the supervising process itself."""

import signal
import sys
from pathlib import Path

from streams.local.supervise import Supervisor
from tests.local.children import STUBBORN, child

if __name__ == "__main__":
    with Supervisor(grace_s=0.2) as supervisor:
        supervisor.start(child(STUBBORN, Path(sys.argv[1])))
        signal.pause()
