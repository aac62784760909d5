"""`make bench-engine`: the engine beside its peers, on a real broker, every run verified. See README.md here.

Leaves with 1 when a run failed or did not verify; speed is reported, never judged.
"""

import argparse
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from streams.errors import Failure
from streams.local.broker import open_broker
from streams.local.fetch import cache_dir
from tests.bench.engine import meter, orders, report, schemas
from tests.bench.engine.figures import Result
from tests.bench.engine.roster import Contestant, choose, rotated
from tests.bench.engine.run import Plan, Profiler, Run

BROKER_JVM = ("-Xms2g", "-Xmx2g", "-XX:+UseG1GC")


def tell(text: str) -> None:
    """A line for people."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line; `--short` changes what is not given."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.engine", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, help="rounds of all contestants (5; short: 1)")
    parser.add_argument("--events", type=int, help="events of a burst (1,000,000; short: 100,000)")
    parser.add_argument("--seconds", type=float, help="length of the steady phase (20; short: 6)")
    parser.add_argument("--warmup", type=int, help="events before anything is measured (50,000; short: 20,000)")
    parser.add_argument("--rate", type=int, default=1000, help="events a second of the steady phase (1000)")
    parser.add_argument("--limit", type=float, default=900, help="seconds a single run may take (900)")
    parser.add_argument("--only", default="", help="names, separated by commas; in this order")
    parser.add_argument("--short", action="store_true", help="for small machines: one round, three contestants")
    parser.add_argument("--out", type=Path, help="file to which a JSON line per run is added")
    parser.add_argument("--profile", action="store_true", help="watch our bursts with py-spy, if it is on the PATH")
    given = parser.parse_args(argv)
    defaults = (1, 100_000, 6.0, 20_000) if given.short else (5, 1_000_000, 20.0, 50_000)
    for name, value in zip(("rounds", "events", "seconds", "warmup"), defaults, strict=True):
        if getattr(given, name) is None:
            setattr(given, name, value)
    return given


def able(contestants: Sequence[Contestant]) -> list[Contestant]:
    """Those whose tools can be had; the others are named with the reason."""
    found = []
    for contestant in contestants:
        try:
            contestant.start(tell)
        except Failure as failure:
            tell(f"SKIPPED: {contestant.name}: {failure.detail or failure.code}")
        else:
            found.append(contestant)
    return found


def profiler(folder: Path) -> Profiler | None:
    """Has py-spy watch a process until told to stop; None without py-spy."""
    program = shutil.which("py-spy")
    if program is None:
        tell("SKIPPED: --profile: py-spy is not on the PATH")
        return None

    def attach(pid: int) -> Callable[[], None]:
        out = folder / f"profile-{pid}.json"
        command = [program, "record", "--rate", "200", "--threads", "--format", "speedscope", "--output", str(out)]
        watching = subprocess.Popen([*command, "--pid", str(pid)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

        def detach() -> None:
            watching.send_signal(signal.SIGINT)
            said = watching.communicate(timeout=60)[1].decode(errors="replace").strip().splitlines()
            tell(f"profile: {out}" if out.exists() else f"py-spy failed: {said[-1:]}")

        return detach

    return attach


def note(out: Path | None, kind: str, fields: dict[str, object]) -> None:
    """Adds one JSON line to the file, if one was asked for."""
    if out is not None:
        with out.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps({"kind": kind, **fields}) + "\n")


def compete(given: argparse.Namespace, contestants: Sequence[Contestant], plan: Plan, logs: Path) -> list[Result]:
    """All rounds: everyone once in each, the first one last in the next."""
    watch = profiler(logs) if given.profile else None
    # A broker that has just started is slow, most of all at transactions; whoever came first would pay for it.
    rehearsal = Run(replace(plan, events=min(plan.events, 100_000), seconds=10.0), contestants[0], -1).go()
    tell(f"not counted, it warms the broker: {report.line(rehearsal)}")
    results = [] if rehearsal.counts else [rehearsal]
    for number in range(given.rounds):
        for place, contestant in enumerate(rotated(contestants, number)):
            quiet = {"spin": round(meter.spin(), 1), "load": round(os.getloadavg()[0], 2), "place": place}
            result = Run(plan, contestant, number, watch if contestant.name.startswith("tidings") else None).go()
            results.append(result)
            tell(report.line(result) + f"   (spin {quiet['spin']}, load {quiet['load']})")
            note(given.out, "run", asdict(result) | quiet)
    return results


def main(argv: Sequence[str]) -> int:
    """The exit code."""
    given = arguments(argv)
    contestants = able(choose([name for name in given.only.split(",") if name], short=given.short))
    if not contestants:
        tell("nobody is left to run")
        return 1
    logs = Path(tempfile.mkdtemp(prefix="bench-engine-"))
    tell(f"logs: {logs}; making orders where the cache has none")
    kept = orders.prepare(cache_dir(), given.warmup + given.events)
    with open_broker("local", jvm=BROKER_JVM, tell=tell) as broker:
        machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
        tell(f"{broker.describe}, {' '.join(BROKER_JVM)}; {machine}")
        settings = {name: value for name, value in vars(given).items() if name != "out"}
        note(given.out, "bench", {"broker": broker.describe, "machine": machine, **settings})
        schemas.publish_profiles(broker.bootstrap)
        plan = Plan(
            bootstrap=broker.bootstrap,
            broker_pid=meter.broker_pid(),
            profiles=schemas.PROFILES,
            kept=kept,
            logs=logs,
            events=given.events,
            warmup=given.warmup,
            rate=given.rate,
            seconds=given.seconds,
            limit_s=given.limit,
        )
        results = compete(given, contestants, plan, logs)
    for part in (report.speeds(contestants, results), report.comparison(contestants, results), report.given(results)):
        tell("\n" + part)
    if given.profile:
        tell("\nours was watched by py-spy: its figures are those of a watched process")
    if failed := report.failures(results):
        tell("\n" + failed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
