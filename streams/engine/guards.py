"""What stops a worker before it can do harm: version pins, preflight, and leaving with 70.

Faust and aiokafka are used beyond their public surface (see `edge.py`), so their exact versions are part of the engine.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Collection, Mapping
from importlib.metadata import version
from typing import NoReturn

import structlog
from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from streams.engine.stage import EngineConfig, Observer
from streams.errors import Failure, Misconfigured

EXIT = 70
REFUSED = 78
LAST_WORDS_S = 5.0
PINS = {"faust-streaming": "0.15.3", "mode-streaming": "0.7.1", "aiokafka": "0.14.0"}

RESHARD = "the same key would live in another partition, without its state. Put the count back, or move to new topics"

log = structlog.get_logger("engine")


def leave(observer: Observer, guard: str, detail: str, code: int = EXIT) -> NoReturn:
    """End the process at once: nothing uncommitted may be acknowledged, and a supervisor starts it again."""
    # Whatever stands in the way of the last words, a stuck pipe for instance, does not stand in the way of leaving.
    last = threading.Timer(LAST_WORDS_S, os._exit, [code])
    last.daemon = True
    last.start()
    try:
        observer.guard(guard)
        log.critical("engine.leaves", guard=guard, detail=detail, exit=code)
        logging.shutdown()
        sys.stderr.flush()
    finally:
        # Words may fail, on a full disk for instance; leaving may not.
        os._exit(code)


def leave_for(observer: Observer, error: Exception, where: str) -> NoReturn:
    """Leave with what an error says: 78 when only a person can mend it, and starting again would not."""
    guard = getattr(error, "code", "lane_failed")
    detail = error.detail if isinstance(error, Failure) else repr(error)
    leave(observer, guard, f"{where}: {detail}", REFUSED if isinstance(error, Misconfigured) else EXIT)


def check_versions(pins: Mapping[str, str] = PINS) -> None:
    """Raises Misconfigured when a library whose internals the engine uses is not the one it was tested with."""
    wrong = {name: version(name) for name, wanted in pins.items() if version(name) != wanted}
    if wrong:
        found = ", ".join(f"{name} {have} (needs {pins[name]})" for name, have in wrong.items())
        raise Misconfigured("wrong_version", f"{found}: install from uv.lock")


def preflight(config: EngineConfig, topics: Collection[str]) -> Mapping[str, str]:
    """Wait until every topic is visible with its partitions and leaders; the id of each. Blocking.

    Joining a group before that makes the assignor hand out nothing, silently and for good.
    Raises Misconfigured: at once for a topic with more partitions than its keys were dealt to, and with what is missing
    after `preflight_s`.
    """
    admin = AdminClient({"bootstrap.servers": config.bootstrap, "log_level": 2})
    deadline = time.monotonic() + config.preflight_s
    while problems := _problems(admin, topics, config.partitions):
        if time.monotonic() > deadline:
            raise Misconfigured("topics_not_ready", f"{'; '.join(problems[:5])}: run `tidings setup`")
        time.sleep(0.25)
    return {} if config.embedded else _ids(admin, topics)


def _problems(admin: AdminClient, topics: Collection[str], partitions: int) -> list[str]:
    try:
        known = admin.list_topics(timeout=5).topics
    except KafkaException as error:
        return [f"broker does not answer ({error.args[0].name()})"]
    problems = []
    for topic in topics:
        found = known[topic].partitions if topic in known else {}
        if len(found) > partitions:
            raise Misconfigured(
                "partitions_changed", f"{topic} has {len(found)} partitions, {partitions} are expected: {RESHARD}"
            )
        if len(found) != partitions:
            problems.append(f"{topic} has {len(found)} of {partitions} partitions")
        elif any(p.leader < 0 for p in found.values()):
            problems.append(f"{topic} has a partition without a leader")
    return problems


def _ids(admin: AdminClient, topics: Collection[str]) -> Mapping[str, str]:
    try:
        described = admin.describe_topics(TopicCollection(sorted(topics)), request_timeout=10)
        return {topic: str(found.result().topic_id) for topic, found in described.items()}
    except KafkaException as error:
        # Brokers before 2.8 have none; a topic that takes another's name is then found out by its offsets alone.
        log.warning("engine.no_topic_ids", error=error.args[0].name())
        return {}
