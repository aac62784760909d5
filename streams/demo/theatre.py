"""Everything a run needs, opened in order and closed in the opposite one: broker, registry, processes, page, view."""

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from connectors.http import Wire
from schemas.codec import Codec
from schemas.registry import ConfluentRegistry
from streams.console import page
from streams.console.feed import Feed
from streams.console.terminal import Terminal
from streams.console.view import View
from streams.demo.home import kept
from streams.demo.play import Play
from streams.demo.surroundings import Surroundings
from streams.demo.troupe import Member, Troupe
from streams.errors import Misconfigured
from streams.local.broker import Broker, open_broker
from streams.local.ports import HOST, free_port
from streams.local.registry import open_registry
from streams.local.setup import prepare
from streams.local.supervise import Supervisor
from streams.runtime.web import serve

PAGE_PORT = 8800
PARTITIONS = 4

_CLI = ("-m", "streams.cli")


@dataclass(frozen=True, slots=True)
class Theatre:
    """What a performance needs, where everything is, and who keeps its processes running."""

    where: Surroundings
    play: Play
    feed: Feed
    supervisor: Supervisor


@asynccontextmanager
async def opened(kafka: str, workers: int, terminal: Terminal) -> AsyncIterator[Theatre]:
    """A run that is ready to be played to. Raises Misconfigured, Fatal, Retry when it cannot be had."""
    async with AsyncExitStack() as stack:
        home = stack.enter_context(kept())
        chosen = open_broker(kafka, tell=terminal.say)
        broker, registry = await asyncio.gather(
            stack.enter_async_context(chosen),
            stack.enter_async_context(open_registry(_registry_for(chosen), tell=terminal.say)),
        )
        _suited(broker, workers)
        terminal.say(f"on {broker.describe} and {registry.describe}")
        wire = Wire()
        stack.push_async_callback(wire.aclose)
        sandboxes, ingress = free_port(), free_port()
        where = Surroundings(
            bootstrap=broker.bootstrap,
            registry=registry.url,
            sandboxes=f"http://{HOST}:{sandboxes}",
            ingress=f"http://{HOST}:{ingress}",
            data_dir=home,
            proof=secrets.token_urlsafe(16),
            embedded=broker.kind == "embedded",
        )
        supervisor = await stack.enter_async_context(Supervisor())
        troupe = Troupe(supervisor, wire, home)
        known = stack.enter_context(closing(ConfluentRegistry(registry.url)))
        feed = Feed(broker.bootstrap, Codec(known).decode)
        await stack.enter_async_context(_shown(terminal, feed, troupe, broker.describe))
        await stack.enter_async_context(_background(troupe.watch()))
        env = where.environment()
        # All at once: they wait for what they need, and most of a start is loading code.
        troupe.start(Member("sandboxes", ("-m", "streams.demo.sandboxes", str(sandboxes)), sandboxes), {})
        troupe.start(Member("ingress", (*_CLI, "ingress"), ingress), env)
        for name in _names(workers):
            troupe.start(Member(name, (*_CLI, "worker"), free_port()), env)
        await asyncio.to_thread(prepare, broker.bootstrap, registry.url, broker.kind, PARTITIONS)
        feed.start()
        stack.push_async_callback(asyncio.to_thread, feed.stop)
        await troupe.ready("sandboxes", "ingress", *_names(workers))
        play = Play(wire, where)
        await play.connect()
        yield Theatre(where, play, feed, supervisor)


def _registry_for(broker: Broker) -> str:
    """As real as the broker, unless somebody has one already."""
    if os.environ.get("TIDINGS_REGISTRY"):
        return "auto"
    return broker.kind if broker.kind in {"local", "docker"} else "embedded"


def _names(workers: int) -> list[str]:
    return ["worker"] if workers == 1 else [f"worker-{number}" for number in range(1, workers + 1)]


def _suited(broker: Broker, workers: int) -> None:
    """Refuses what would give wrong results rather than none."""
    if broker.kind == "embedded" and workers > 1:
        raise Misconfigured("one_worker", "an embedded broker carries one worker: use --kafka local for more")
    if broker.kind == "external" and _used(broker.bootstrap):
        detail = (
            f"{broker.bootstrap} holds webhooks already, and the demo's would repeat their numbers: use an empty one"
        )
        raise Misconfigured("broker_not_empty", detail)


def _used(bootstrap: str) -> bool:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "tidings-demo", "log_level": 2})
    try:
        known = consumer.list_topics(timeout=10).topics.get("collect.raw")
        places = [TopicPartition("collect.raw", number) for number in known.partitions] if known else []
        return any(consumer.get_watermark_offsets(place, timeout=10)[1] > 0 for place in places)
    finally:
        consumer.close()


@asynccontextmanager
async def _shown(terminal: Terminal, feed: Feed, troupe: Troupe, broker: str) -> AsyncIterator[None]:
    """The page and the terminal view, as long as the block runs."""
    url = ""

    def look() -> View:
        return View(feed.snapshot(), troupe.processes(), broker, url)

    async with serve(page.app(look), HOST, _page_port(), grace_s=1) as port:
        url = f"http://{HOST}:{port}/"
        stop = asyncio.Event()
        view = asyncio.create_task(terminal.run(look, stop))
        try:
            yield
        finally:
            stop.set()
            await view


def _page_port() -> int:
    with socket.socket() as probe:
        return 0 if probe.connect_ex((HOST, PAGE_PORT)) == 0 else PAGE_PORT


@asynccontextmanager
async def _background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
