"""Settling: a run is over when everything is there and stays so, or when patience ends."""

from collections.abc import Callable
from pathlib import Path

import httpx

from connectors.http import Wire
from streams.demo.oracle import Journals
from streams.demo.play import Play
from streams.demo.scenario import fixed_set
from streams.demo.settle import Patience, settled
from streams.demo.surroundings import Surroundings
from tests.demo import world

SCENES = fixed_set()


def playing(journals: Callable[[int], Journals]) -> tuple[Play, list[int]]:
    """A play after its last act; `journals` gives what the sandboxes tell at the n-th look."""
    looks = [0]

    def answer(request: httpx.Request) -> httpx.Response:
        if "bigcommerce" in request.url.path:
            looks[0] += 1
        told = journals(looks[0])
        name = request.url.path.split("/")[1]
        parts = {"bigcommerce": told.shop, "exstream": told.composer, "opentext_notifications": told.messenger}
        return httpx.Response(200, json=parts[name])

    where = Surroundings("", "", "http://127.0.0.1:2", "", Path(), "", embedded=True)
    play = Play(Wire(transport=httpx.MockTransport(answer)), where)
    play.things |= world.things(SCENES)
    return play, looks


async def test_a_complete_and_quiet_run_is_over() -> None:
    """Nothing is waited for when nothing is missing and nothing moves."""
    play, _ = playing(lambda _: world.journals(SCENES))
    assert (await settled(play, SCENES, dict, Patience(0, 60, look_s=0))).clean


async def test_what_is_missing_is_waited_for() -> None:
    """The last message counts although it came late."""

    def journals(look: int) -> Journals:
        told = world.journals(SCENES)
        if look < 5:
            told.messenger["accepted"].pop()
        return told

    play, looks = playing(journals)
    assert (await settled(play, SCENES, dict, Patience(0, 60, look_s=0))).clean
    assert looks[0] >= 5


async def test_webhooks_on_their_way_are_waited_for() -> None:
    """A receipt that is still to be delivered may change everything."""

    def journals(look: int) -> Journals:
        told = world.journals(SCENES)
        told.shop["webhooks"]["pending"] = max(0, 4 - look)
        return told

    play, looks = playing(journals)
    assert (await settled(play, SCENES, dict, Patience(0, 60, look_s=0))).clean
    assert looks[0] >= 4


async def test_a_message_too_many_is_seen_in_the_quiet() -> None:
    """What must not be sent may come after everything that must, and is still found."""

    def journals(look: int) -> Journals:
        told = world.journals(SCENES)
        if look >= 3:
            told.messenger["accepted"].append(world.accepted("cart_reminder", play.things["a7"]))
        return told

    play, _ = playing(journals)
    found = await settled(play, SCENES, dict, Patience(1, 60, look_s=0))
    assert len(found.unexpected) == 1


async def test_patience_ends() -> None:
    """A run that never gets complete ends with what it lost, named."""

    def journals(_: int) -> Journals:
        told = world.journals(SCENES)
        told.messenger["accepted"].pop(0)
        return told

    play, _ = playing(journals)
    assert len((await settled(play, SCENES, dict, Patience(0, 0.01, look_s=0))).lost) == 1
