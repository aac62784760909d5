"""Ours: the join as a stage of the engine, with the engine's defaults."""

import asyncio
import signal
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from streams.engine import EngineConfig, Record, Stage, Step
from streams.engine.host import Host
from streams.engine.stage import Standing
from streams.errors import Failure
from tests.bench.engine.contestants.task import Task, announce, load_profiles, ready, task, tune
from tests.bench.engine.workload import Fields, dec_order, dec_state, decide, enc_request, enc_state

PRIVATE = {"bootstrap", "group", "namespace", "data_dir"}


class Watching:
    """An observer that says READY once, when all lanes the worker was given are open."""

    def __init__(self) -> None:
        self._said = False

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: None

    def lanes(self, stage: str, standing: Standing) -> None:
        """Told every second."""
        if not self._said and standing.total and standing.ready == standing.total:
            self._said = True
            ready()


def join(task: Task, profiles: dict[bytes, Fields]) -> Stage:
    """Orders in, requests out, with the customer's state."""
    requests = task.requests

    def handle(records: Sequence[Record], step: Step) -> None:
        for record in records:
            key = record.key
            request, after = decide(dec_order(record.value or b""), profiles.get(key), step.load(key))
            step.save(key, after)
            step.send(requests, key, enc_request(request), here=True)

    return Stage(
        "join",
        (task.orders,),
        task.changelog,
        task.dead_letters,
        letter,
        handle=handle,
        load=dec_state,
        dump=enc_state,
    )


def letter(stage: str, record: Record, failure: Failure, now: int) -> bytes:
    """No order of this workload becomes one; were it to, it would be missed among the requests."""
    return failure.code.encode()


async def main(task: Task) -> None:
    """Run until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    config = EngineConfig(task.bootstrap, task.run, namespace=task.run, data_dir=task.scratch)
    settings = {name: value for name, value in asdict(config).items() if name not in PRIVATE}
    announce(settings, "faust-streaming", "aiokafka", "confluent-kafka", "fastavro")
    stage = join(task, load_profiles(task))
    tune()
    await Host(config, [stage], Watching()).run(stop)


if __name__ == "__main__":
    asyncio.run(main(task()))
