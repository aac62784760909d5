"""The composition root: settings in, running roles out. The only place that chooses real things."""

import asyncio
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog
from starlette.routing import Mount

from connectors.contract import Connector, Subscribe
from connectors.discovery import discover, find
from connectors.http import Wire
from schemas.codec import Codec
from schemas.registry import ConfluentRegistry
from streams.agents import collect, compose, decide, notify, report, resolve, track
from streams.agents.ingress import Ingress
from streams.agents.ports import Ports, stretched
from streams.communications.loader import load as load_policy
from streams.core.notify import Retries
from streams.core.track import Polling
from streams.engine import EngineConfig
from streams.errors import Misconfigured, Retry
from streams.runtime.environment import load
from streams.runtime.health import Health
from streams.runtime.lastwords import LastWords
from streams.runtime.metrics import Metrics
from streams.runtime.outbox import Outbox
from streams.runtime.web import create, serve
from streams.settings import Settings
from streams.topics import STAGES, TABLE, Stage

log = structlog.get_logger("tidings")
AGENTS: Mapping[Stage, Any] = {
    "collect": collect,
    "resolve": resolve,
    "decide": decide,
    "compose": compose,
    "notify": notify,
    "track": track,
    "report": report,
}


@dataclass(frozen=True, slots=True)
class Parts:
    """What every role needs; built once per process."""

    settings: Settings
    metrics: Metrics
    health: Health
    codec: Codec
    wire: Wire
    connectors: Mapping[str, Connector]
    clients: Mapping[str, Any]


def parts(settings: Settings) -> Parts:
    """Open what the settings name. Raises Misconfigured."""
    metrics = Metrics(LastWords(settings.data_dir))
    wire = Wire(observe=metrics.request)
    known = discover()
    wanted = settings.connectors or tuple(known)
    if unknown := [name for name in wanted if name not in known]:
        raise Misconfigured("unknown_connector", f"{', '.join(unknown)}: known are {', '.join(known)}")
    connectors = {name: known[name] for name in wanted}
    clients = {name: one.open(load(one.settings), wire) for name, one in connectors.items()}
    return Parts(settings, metrics, Health(), open_codec(settings), wire, connectors, clients)


def ports(made: Parts) -> Ports:
    """What the agents get. A duration named after a stage stretches the stage's whole schedule."""
    durations = dict(made.settings.durations)
    retries, polling = Retries(), Polling()
    retries = replace(
        retries,
        delays_s=stretched(retries.delays_s, durations.pop("notify.retry_s", None)),
        unresolved_s=stretched(retries.unresolved_s, durations.pop("notify.unresolved_s", None)),
    )
    polling = replace(polling, schedule_s=stretched(polling.schedule_s, durations.pop("track.poll_s", None)))
    return Ports(
        codec=made.codec,
        policy=load_policy(overrides=durations),
        clients=made.clients,
        attempts=made.settings.retry_attempts,
        retries=retries,
        polling=polling,
        decided=made.metrics.decision,
        refused=made.metrics.sink_refused,
    )


async def run_worker(settings: Settings, names: Sequence[Stage] = STAGES) -> None:
    """One worker process for some stages, until SIGTERM or SIGINT."""
    # Loading Faust takes longer than everything else, and no other role needs it.
    from streams.engine.host import Host

    made = parts(settings)
    agents = ports(made)
    stages = [AGENTS[name].stage(agents) for name in STAGES if name in names]
    role = "all" if set(names) == set(STAGES) else "-".join(names)
    host = Host(engine_config(settings, role), stages, made.metrics)
    made.health.probe("lanes", host.ready)
    await asyncio.to_thread(check_schemas, made.codec)
    log.info("worker.starts", stages=[stage.name for stage in stages], promise=promise(settings))
    async with serve(create(made.metrics, made.health), settings.http_host, settings.http_port):
        await host.run(stop_signal(made.health))
    await made.wire.aclose()


async def run_ingress(settings: Settings) -> None:
    """The front door, until SIGTERM or SIGINT."""
    made = parts(settings)
    outbox = Outbox(settings.kafka)
    limits = {"collect.raw": settings.max_body_bytes, "track.raw": settings.max_receipt_bytes}
    made.health.probe("broker", lambda: outbox.trouble)
    door = Ingress(made.codec, outbox, made.connectors, made.clients, limits, made.metrics.webhook)
    await asyncio.to_thread(check_schemas, made.codec)
    stop = stop_signal(made.health)
    try:
        async with serve(create(made.metrics, made.health, door.routes), settings.http_host, settings.http_port):
            await stop.wait()
    finally:
        outbox.close()
        await made.wire.aclose()


def check_schemas(codec: Codec, patience_s: float = 60.0) -> None:
    """Ask for every schema once, so that no event waits for an answer later. Blocking.

    Waits for a `tidings setup` that is still running. Raises Misconfigured("schema_not_published"), Retry.
    """
    deadline = time.monotonic() + patience_s
    for topic in TABLE:
        while topic.schema:
            try:
                codec.prepare(topic.name, topic.schema)
                break
            except (Misconfigured, Retry):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.25)


def engine_config(settings: Settings, role: str) -> EngineConfig:
    """The engine's view of the settings; one consumer group per role."""
    return EngineConfig(
        bootstrap=settings.kafka,
        group=f"{settings.group_prefix}-{role}",
        namespace=settings.group_prefix,
        partitions=settings.partitions,
        replication=settings.replication_factor,
        embedded=settings.embedded,
        store=settings.state_store,
        data_dir=str(settings.data_dir / "engine" / role),
    )


def promise(settings: Settings) -> str:
    """What this run may promise, said at start."""
    if settings.embedded:
        return "embedded broker: at least once, one worker"
    return "exactly once between topics, intent ledger towards people"


def stop_signal(health: Health) -> asyncio.Event:
    """Set by SIGTERM or SIGINT."""
    stop = asyncio.Event()

    def ask() -> None:
        health.stop()
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ask)
    return stop


async def subscribe(connector: str, destination: str) -> Mapping[str, str]:
    """Have a platform send its webhooks to us; what was done, by event. Raises Misconfigured, Retry, Reject."""
    known, wire = find(connector), Wire()
    client = known.open(load(known.settings), wire)
    if not isinstance(client, Subscribe):
        raise Misconfigured("no_subscription", f"{connector} is not told by an API where to send: see its README")
    try:
        return await client.subscribe(destination)
    finally:
        await wire.aclose()


async def run_sandboxes(host: str, port: int) -> None:
    """The stand-ins of all outside systems, each under /<connector>, until SIGTERM or SIGINT."""
    health = Health()
    mounts = [Mount(f"/{name}", connector.sandbox()) for name, connector in discover().items()]
    async with serve(create(Metrics(), health, mounts), host, port):
        await stop_signal(health).wait()


def open_codec(settings: Settings) -> Codec:
    """The codec over the settings' registry."""
    return Codec(ConfluentRegistry(settings.registry), forget_after=1.0)
