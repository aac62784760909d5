"""The terminal view: everything at a glance on a terminal, one line per change elsewhere."""

import asyncio
import io

from rich.console import Console

from streams.console.tally import Tally
from streams.console.terminal import HINT, Terminal, line, render
from streams.console.view import Process, View
from streams.topics import STAGES
from tests.console import records
from tests.console.test_tally import FLOW, counted

VIEW = View(counted(FLOW).snapshot(), (Process("worker", "starting"),), "an embedded broker", "http://127.0.0.1:8800/")


def drawn(view: View, height: int) -> list[str]:
    console = Console(file=io.StringIO(), width=140, height=height, force_terminal=False)
    with console.capture() as capture:
        console.print(render(view, height))
    return capture.get().splitlines()


def test_the_view_shows_stages_stories_and_how_to_stop() -> None:
    """One screen tells what runs, what happened, and how to end it."""
    text = "\n".join(drawn(VIEW, 40))
    for expected in (*STAGES, "an embedded broker", "bounced hard by e-mail", "consent_absent 1", HINT, VIEW.url):
        assert expected in text


def test_the_view_fits_the_screen() -> None:
    """However much happened, the footer stays visible."""
    tally = Tally()
    for number in range(300):
        tally.add("commerce.orders", records.order(str(number)))
    lines = drawn(View(tally.snapshot()), 30)
    assert len(lines) <= 30
    assert HINT in lines[-1]
    assert any("order 299" in shown for shown in lines)


def test_the_plain_line_tells_counts_and_trouble() -> None:
    """What a log keeps is short and says what is wrong."""
    assert line(VIEW) == (
        "collect 2 · resolve 2 · decide 3 · compose 2 · notify 2 · track 2 · report 2 · suppressed 1 · dead letters 1"
        " · worker starting"
    )


async def test_without_a_terminal_only_changes_are_told() -> None:
    """A log holds one line per change, and the last one always."""
    out, tally, stop = io.StringIO(), Tally(), asyncio.Event()
    console = Console(file=out, force_terminal=False, width=200)
    looks = 0

    def look() -> View:
        nonlocal looks
        looks += 1
        if looks == 3:
            tally.add("collect.raw", records.raw("a"))
        if looks == 5:
            stop.set()
            tally.add("collect.raw", records.raw("b"))
        return View(tally.snapshot())

    await Terminal(console, line_s=0).run(look, stop)
    told = [shown.split(" · ")[0] for shown in out.getvalue().splitlines()]
    assert told == ["collect 0", "collect 1", "collect 2"]


async def test_on_a_terminal_the_last_state_stays() -> None:
    """Whoever stops the run still reads its result."""
    out, stop = io.StringIO(), asyncio.Event()
    stop.set()
    await Terminal(Console(file=out, force_terminal=True, width=140, height=40)).run(lambda: VIEW, stop)
    assert "bounced hard by e-mail" in out.getvalue()
