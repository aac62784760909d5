"""Runs crash scenarios from the command line: one JSON line each, exit code 1 when a verdict is wrong.

python -m tests.crash --seed 7 --faults kill,term --workers 2 --events 20000 --count 8
python -m tests.crash --long --hours 6
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from typing import TextIO

from tests.crash.faults import FAULTS
from tests.crash.long import plans
from tests.crash.plan import Plan, Report
from tests.crash.run import carry_out


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", default="kill", help=",".join(FAULTS))
    parser.add_argument("--count", type=int, default=3, help="how many faults")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=1000.0, help="inputs a second")
    parser.add_argument("--store", choices=["memory", "rocksdb"], default="memory")
    parser.add_argument("--effect", action="store_true", help="a third stage with an effect")
    parser.add_argument("--broken", default="", help="run a build that is known to be bad")
    parser.add_argument("--quiet", type=float, default=60.0, help="seconds without progress that end a run")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds a run may take")
    parser.add_argument("--keep", default="", help="a directory for logs and stores, to be looked at afterwards")
    parser.add_argument("--long", action="store_true", help="200 kills first, then every kind of fault, for hours")
    parser.add_argument("--hours", type=float, default=4.0)
    return parser.parse_args(argv)


def say(line: str, where: TextIO) -> None:
    """At once, because somebody waits for hours."""
    where.write(line + "\n")
    where.flush()


def tell(report: Report) -> None:
    """One line; when it went wrong also what the workers said last."""
    say(json.dumps(report.summary()), sys.stdout)
    for name, lines in report.tails.items():
        say("\n".join((f"--- {name}", *lines)), sys.stderr)


def main(argv: Sequence[str]) -> int:
    """The exit code."""
    asked = arguments(argv)
    if asked.long:
        wrong = 0
        for plan in plans(asked.seed, asked.hours):
            say(f"seed {plan.seed}: {plan.count} x {','.join(plan.faults)}", sys.stderr)
            report = asyncio.run(carry_out(plan))
            tell(report)
            wrong += not report.right
        return min(wrong, 1)
    plan = Plan(
        asked.seed,
        asked.faults.split(","),
        asked.count,
        asked.workers,
        asked.events,
        asked.rate,
        asked.store,
        asked.effect,
        asked.broken,
        quiet_s=asked.quiet,
        limit_s=asked.limit,
    )
    report = asyncio.run(carry_out(plan, asked.keep))
    tell(report)
    return 0 if report.right else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
