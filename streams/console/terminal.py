"""The live view of the flow in a terminal; where there is none, a line whenever something changed.

Everything for people goes to stderr, so that stdout stays what a program may read.
"""

import asyncio

from rich.console import Console, Group
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from streams.console.snapshot import Column
from streams.console.story import Story, Tone
from streams.console.view import Look, View

HINT = "Ctrl-C stops everything"

_FRAME_S = 0.25
_LINE_S = 2.0
_PARTS = 4
_AROUND = 12
_COLOURS: dict[Tone, str] = {
    "plain": "default",
    "good": "green",
    "quiet": "bright_black",
    "warn": "yellow",
    "bad": "red",
}


class Terminal:
    """`line_s` is the least time between two lines of the plain form."""

    def __init__(self, console: Console | None = None, *, line_s: float = _LINE_S) -> None:
        self._line_s = line_s
        self._console = console or Console(stderr=True, highlight=False)

    def say(self, text: str) -> None:
        """One line for people, outside the view."""
        self._console.print(text, markup=False, soft_wrap=True)

    async def run(self, look: Look, stop: asyncio.Event) -> None:
        """Shows what `look` returns until `stop` is set; the last state stays on the screen."""
        if not self._console.is_terminal:
            await self._lines(look, stop)
            return
        with Live(console=self._console, auto_refresh=False, vertical_overflow="crop") as live:
            while True:
                live.update(render(look(), self._console.height), refresh=True)
                if await _stopped(stop, _FRAME_S):
                    live.update(render(look(), self._console.height), refresh=True)
                    return

    async def _lines(self, look: Look, stop: asyncio.Event) -> None:
        shown = ""
        while True:
            over = stop.is_set()
            text = line(look())
            if text != shown:
                self.say(text)
                shown = text
            if over:
                return
            await _stopped(stop, self._line_s)


def line(view: View) -> str:
    """The counts of all stages in one line, with what is wrong, if anything."""
    shot = view.snapshot
    parts = [f"{column.stage} {column.total}" for column in shot.columns]
    if shot.suppressed:
        parts.append(f"suppressed {sum(count for _, count in shot.suppressed)}")
    if shot.dead:
        parts.append(f"dead letters {shot.dead}")
    parts += [f"{process.name} {process.state}" for process in view.processes if process.state != "running"]
    return " · ".join(parts)


def render(view: View, height: int) -> Group:
    """The whole view, at most `height` lines high."""
    flow = _flow(view)
    room = max(3, height - _AROUND - _PARTS)
    stories = view.snapshot.stories[-room:]
    return Group(
        Text.assemble(("Tidings", "bold"), f"  {view.broker}", style="default", no_wrap=True, overflow="ellipsis"),
        Text(),
        flow,
        Padding(_stories(stories, room), (1, 0)),
        _footer(view),
    )


def _flow(view: View) -> Table:
    table = Table(box=None, expand=True, padding=(0, 1, 0, 0), show_header=False)
    for _ in view.snapshot.columns:
        table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    columns = view.snapshot.columns
    table.add_row(*(_knot(column, last=column is columns[-1]) for column in columns))
    table.add_row(*(Text(f"{column.total:,}", style="bold") for column in columns))
    table.add_row(*(Text(column.unit, style="bright_black") for column in columns))
    for row in range(_PARTS):
        table.add_row(*(_part(column, row) for column in columns))
    table.add_row(*(Text(f"{column.dead} dead" if column.dead else "", style="red") for column in columns))
    return table


def _knot(column: Column, *, last: bool) -> Text:
    colour = "cyan" if column.total else "bright_black"
    return Text.assemble((f"● {column.stage} ", f"bold {colour}"), ("" if last else "─" * 40, colour), overflow="crop")


def _part(column: Column, row: int) -> Text:
    if row >= len(column.parts):
        return Text()
    if row == _PARTS - 1 and len(column.parts) > _PARTS:
        return Text(f"{sum(count for _, count in column.parts[row:]):,} others", style="bright_black")
    name, count = column.parts[row]
    return Text.assemble(f"{count:,} ", (name, "bright_black"))


def _stories(stories: tuple[Story, ...], room: int) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(width=8, style="bright_black")
    table.add_column(width=7, style="bright_black")
    table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    for story in stories:
        told = Text.assemble((f"{story.about}  ", "bold"), (story.told, _COLOURS[story.tone]))
        table.add_row(story.at.strftime("%H:%M:%S"), story.stage, told)
    for _ in range(room - len(stories)):
        table.add_row("", "", "")
    return table


def _footer(view: View) -> Text:
    held = "  ".join(f"{reason} {count}" for reason, count in view.snapshot.suppressed)
    states = "  ".join(f"{process.name} {process.state}" for process in view.processes)
    colour = {"running": "green", "starting": "yellow"}.get(view.state, "red")
    return Text.assemble(
        ("not sent: ", "bright_black"),
        (held or "nothing held back", "yellow" if held else "bright_black"),
        ("\nprocesses: ", "bright_black"),
        (states or "none watched", colour),
        ("\nstatus page: ", "bright_black"),
        (view.url or "none", "underline" if view.url else "bright_black"),
        ("   " + HINT, "bold"),
        no_wrap=True,
        overflow="ellipsis",
    )


async def _stopped(stop: asyncio.Event, seconds: float) -> bool:
    """Waits; whether `stop` was set meanwhile."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return False
    return True
