"""Playing: every scene works against the real sandboxes, over a wire without a network."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import orjson
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from connectors.discovery import discover
from connectors.http import Wire
from streams.demo.acts import Leave, Place, Scene
from streams.demo.oracle import withdrawn
from streams.demo.play import Play
from streams.demo.sandboxes import COMPOSER, MESSENGER, SHOP
from streams.demo.scenario import fixed_set
from streams.demo.surroundings import Surroundings

HOOKS: list[httpx.Request] = []


def taken(request: httpx.Request) -> httpx.Response:
    HOOKS.append(request)
    return httpx.Response(200)


@pytest.fixture
def where(tmp_path: Path) -> Surroundings:
    return Surroundings(
        bootstrap="127.0.0.1:1",
        registry="http://registry.test",
        sandboxes="http://127.0.0.1:2",
        ingress="http://127.0.0.1:3",
        data_dir=tmp_path,
        proof="second-factor",
        embedded=True,
    )


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    HOOKS.clear()
    found, away = discover(), Wire(transport=httpx.MockTransport(taken))
    configs = {"bigcommerce": replace(SHOP, wire=away), "exstream": COMPOSER, "opentext_notifications": MESSENGER}
    mounts = [Mount(f"/{name}", found[name].sandbox(config)) for name, config in configs.items()]
    made = Wire(transport=httpx.ASGITransport(Starlette(routes=mounts)))
    yield made
    await made.aclose()
    await away.aclose()


@pytest.fixture
def play(wire: Wire, where: Surroundings) -> Play:
    return Play(wire, where)


def without_opt_outs() -> list[Scene]:
    # Those wait for somebody to tell the shop, and here is nobody who would.
    return [scene for scene in fixed_set() if not scene.withdrawals]


async def test_every_scene_can_be_played(play: Play) -> None:
    """The shop takes everything the scenes ask of it, and each thing they name can be found in its journal."""
    await asyncio.gather(*map(play.scene, without_opt_outs()))
    shop = (await play.journals()).shop
    orders = {str(row["id"]): row for row in shop["orders"]}
    for scene in without_opt_outs():
        for effect in scene.effects:
            assert play.things[effect.key].cart or play.things[effect.key].number in orders
    assert orders[play.things["a5"].number]["status"] == "Cancelled"
    assert orders[play.things["a9"].number]["status"] == "Incomplete"
    assert orders[play.things["b1"].number]["customer_id"] == 0
    assert orders[play.things["a4"].number]["status"] == "Shipped"
    assert play.things["a6"].cart
    assert {cart["id"] for cart in shop["carts"]} == {play.things[key].number for key in ("a6", "a7", "b8")}


async def test_consents_are_given_and_never_asked_for_twice(play: Play) -> None:
    """Who was never asked has no subscription at all, who allowed it has both."""
    await asyncio.gather(*map(play.scene, without_opt_outs()))
    rows = {row["email"]: row["consents"] for row in (await play.journals()).shop["consents"]}
    people = [act.who for scene in without_opt_outs() for act in scene.acts if isinstance(act, Place | Leave)]
    willing = {who.email for who in people if who.newsletter}
    assert set(rows) == willing
    assert all(set(consents) == {"marketing_newsletter", "abandoned_cart"} for consents in rows.values())


async def test_an_opt_out_is_waited_for(play: Play, wire: Wire, where: Surroundings) -> None:
    """The cart is left only after the shop knows of the withdrawal, so it cannot overtake it."""
    scene = next(scene for scene in fixed_set() if scene.withdrawals)
    who = scene.withdrawals[0]
    playing = asyncio.create_task(play.scene(scene))
    while not (await play.journals()).shop["orders"]:
        assert not playing.done()
    assert not withdrawn(who, (await play.journals()).shop)
    shop = wire.client("test", where.sandboxes)
    told = {"email": who.email, "consents": []}
    await shop.send("subscriber", "POST", "bigcommerce/_sandbox/subscribers", json=told, safe=True)
    await playing
    assert any(thing.cart for thing in play.things.values())
    assert withdrawn(who, (await play.journals()).shop)


async def test_webhooks_are_subscribed_to_with_a_second_factor(play: Play, where: Surroundings) -> None:
    """Events reach the ingress signed, at the address of the shop's connector, with the header only we know."""
    await play.connect()
    await play.scene(without_opt_outs()[0])
    for _ in range(1000):
        if HOOKS and not (await play.journals()).under_way:
            break
    assert {str(request.url) for request in HOOKS} == {where.hook}
    assert all(request.headers["x-tidings-hook"] == "second-factor" for request in HOOKS)
    assert all("webhook-signature" in request.headers for request in HOOKS)
    scopes = [orjson.loads(request.content)["scope"] for request in HOOKS]
    assert "store/order/created" in scopes
