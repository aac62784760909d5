"""Stock Faust, as its documentation writes it: one agent, one table, awaited sends. At least once.

Only what slows everybody's Faust by accident is set right: its table holds bytes, which its JSON would not carry.
"""

import sys
from typing import Any

import faust

from tests.bench.engine.contestants.task import Task, announce, load_profiles, ready, task, tune
from tests.bench.engine.workload import PARTITIONS, dec_order, dec_state, decide, enc_request, enc_state

SETTINGS: dict[str, Any] = {
    "store": "memory://",
    "topic_partitions": PARTITIONS,
    "topic_replication_factor": 1,
    "consumer_auto_offset_reset": "earliest",
    "web_enabled": False,
    "topic_disable_leader": True,
}


def build(task: Task) -> faust.App:
    """The app: orders in, requests out, a table of states."""
    profiles = load_profiles(task)
    tune()
    app = faust.App(task.run, broker=f"kafka://{task.bootstrap}", datadir=task.scratch, **SETTINGS)
    orders, requests = (
        app.topic(name, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
        for name in (task.orders, task.requests)
    )
    states = app.Table("state", key_type=bytes, value_type=bytes, partitions=PARTITIONS)

    async def join(stream: Any) -> None:
        async for key, value in stream.items():
            known = states.get(key)
            request, after = decide(dec_order(value), profiles.get(key), dec_state(known) if known else None)
            states[key] = enc_state(after)
            await requests.send(key=key, value=enc_request(request))

    app.agent(orders, name="join")(join)

    async def recovered(*_: Any, **__: Any) -> None:
        ready()

    app.on_rebalance_complete.connect(recovered)
    return app


if __name__ == "__main__":
    announce({**SETTINGS, "guarantee": "at least once"}, "faust-streaming", "aiokafka", "fastavro")
    app = build(task())
    # Faust takes over stdout; what the harness waits for must still arrive there.
    app.conf.worker_redirect_stdouts = False
    sys.argv = ["faust", "worker", "-l", "warn", "--without-web"]
    app.main()
