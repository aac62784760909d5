"""The tables people read. Pure: results in, text out."""

from collections.abc import Sequence

from tests.bench.engine.figures import SPEED, Result, ratios, spread
from tests.bench.engine.roster import KSTREAMS, RAW, Contestant

COLUMNS = (
    (SPEED, "events/s"),
    ("cpu_s_100k", "CPU-s/100k"),
    ("broker_cpu_s_100k", "broker CPU-s/100k"),
    ("p50_ms", "p50 ms"),
    ("p99_ms", "p99 ms"),
    ("idle_cpu_pct", "CPU % paced"),
    ("peak_mb", "RSS MB"),
)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as they must be."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in lines)


def speeds(contestants: Sequence[Contestant], results: Sequence[Result]) -> str:
    """Figures per contestant, smallest / middle / largest of the runs that count."""
    rows = []
    for contestant in contestants:
        own = [result for result in results if result.contestant == contestant.name]
        good = [result for result in own if result.counts]
        cells = [spread(run.figures[name] for run in good if name in run.figures) for name, _ in COLUMNS]
        once = "yes" if contestant.exactly_once else "NO"
        rows.append(
            [contestant.name, f"{len(good)}/{len(own)}", once, *("-" if cell is None else str(cell) for cell in cells)]
        )
    return table(["contestant", "verified", "exactly once", *(title for _, title in COLUMNS)], rows)


def comparison(contestants: Sequence[Contestant], results: Sequence[Result]) -> str:
    """Speed over the two yardsticks', per round."""
    rows = []
    for contestant in contestants:
        row = [contestant.name]
        for to in (RAW, KSTREAMS):
            found = ratios(results, contestant.name, to)
            middle = spread(found)
            row.append("-" if middle is None else f"{middle}   ({' '.join(f'{ratio:.2f}' for ratio in found)})")
        rows.append(row)
    return table(["events/s of", f"over {RAW}", f"over {KSTREAMS}"], rows)


def failures(results: Sequence[Result]) -> str:
    """What did not verify, and why."""
    bad = [result for result in results if not result.counts]
    return "\n".join(f"FAILED: {result.contestant}, round {result.round}: {result.failure}" for result in bad)


def given(results: Sequence[Result]) -> str:
    """What each contestant was given, in its own words."""
    lines: dict[str, str] = {}
    for result in results:
        parts = [
            f"{key} {value}" for part in ("versions", "settings") for key, value in result.about.get(part, {}).items()
        ]
        lines.setdefault(result.contestant, f"{result.contestant}: {', '.join(parts)}")
    return "\n".join(lines.values())


def line(result: Result) -> str:
    """One run, as soon as it is over."""
    if not result.counts:
        return f"round {result.round}  {result.contestant:<9}  FAILED: {result.failure}"
    cells = [f"{title} {result.figures[name]:,.1f}" for name, title in COLUMNS if name in result.figures]
    return f"round {result.round}  {result.contestant:<9}  {', '.join(cells)}"
