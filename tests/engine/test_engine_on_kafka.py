"""The engine's promises on a real broker, against a closed-form oracle: per key, outputs count 1..n in order."""

import collections
import contextlib
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.engine import STATE, EngineConfig, Out
from streams.engine.guards import preflight
from streams.engine.transaction import Transactions
from streams.errors import Fatal, Misconfigured
from tests.engine.workbench import Workbench, workbench

pytestmark = pytest.mark.broker
KEYS = [b"key-%02d" % number for number in range(40)]


@pytest.fixture
def here(kafka: str, tmp_path: Path) -> Iterator[Workbench]:
    """Topics of its own on the session's broker."""
    with workbench(kafka, tmp_path) as made:
        yield made


def assert_exact(here: Workbench, sent: dict[bytes, int]) -> None:
    counted = collections.defaultdict(list)
    for key, value in here.outputs:
        counted[key].append(int(value.split(b"|")[1]))
    assert {key: list(range(1, n + 1)) for key, n in sent.items()} == dict(counted)


def test_kills_lose_nothing_and_repeat_nothing(here: Workbench) -> None:
    """Whatever mix of kill -9 and SIGTERM hits two workers, every record counts exactly once and in order."""
    dice = random.Random(20)
    sent = collections.Counter[bytes]()
    here.start(), here.start()
    for _ in range(4):
        for _ in range(2500):
            key = dice.choice(KEYS)
            sent[key] += 1
            here.put(key, b"x")
        target = sent.total() - dice.randrange(200, 2000)
        here.until(lambda out, target=target: len(out) >= target)  # type: ignore[misc]  # bound in the loop on purpose
        victim = dice.choice([worker for worker in here.workers if worker.poll() is None])
        victim.send_signal(dice.choice([signal.SIGKILL, signal.SIGTERM]))
        victim.wait()
        here.start()
    here.until(lambda out: len(out) >= sent.total())
    assert_exact(here, sent)


def test_a_former_owner_can_no_longer_commit(here: Workbench) -> None:
    """Once a lane was opened elsewhere, nothing its former owner commits becomes visible."""
    config = EngineConfig(here.bootstrap, "group", namespace=here.prefix)
    topics = {STATE: f"{here.prefix}changelog"}
    owners = [Transactions(config, f"{here.prefix}lane", 0, topics, marks=False) for _ in range(2)]
    for owner in owners:
        owner.fence()
    for owner, value in zip(owners, (b"a|1|old", b"a|1|new"), strict=True):
        with contextlib.suppress(Fatal):
            owner.write([Out(f"{here.prefix}out", b"a", value, (), 0)], {})
    with pytest.raises(Fatal, match="fenced"):
        owners[0].commit()
    owners[1].commit()
    here.until(lambda out: len(out) == 1)
    assert [value for _, value in here.outputs] == [b"a|1|new"]


def test_a_paused_owner_repeats_nothing(here: Workbench) -> None:
    """A worker that wakes up after its partitions were given away adds nothing to what the new owner did."""
    old = here.start()
    here.put(b"a", b"1")
    here.until(lambda out: len(out) == 1)
    old.send_signal(signal.SIGSTOP)
    here.start()
    here.put(b"a", b"2")
    here.until(lambda out: len(out) == 2)
    for number in range(200):
        here.put(KEYS[number % 40], b"x")
    old.send_signal(signal.SIGCONT)
    here.until(lambda out: len(out) >= 202)
    assert_exact(here, {b"a": 2, **dict.fromkeys(KEYS, 5)})


def test_a_poison_record_is_kept_and_its_neighbours_go_on(here: Workbench) -> None:
    """A record the stage refuses ends in the dead-letter topic with its bytes, and counts for nothing."""
    here.start()
    for value in (b"1", b"poison", b"2"):
        here.put(b"a", value)
    here.until(lambda out: len(out) == 2)
    assert [value for _, value in here.outputs] == [b"a|1|1", b"a|2|2"]
    assert here.read("dlq") == [b"poison|poison"]


def test_records_without_a_value_are_records(here: Workbench) -> None:
    """Tombstones and empty values reach the stage one by one as any other record does."""
    here.start()
    for value in (b"1", None, b"", None, b"2"):
        before = len(here.outputs)
        here.put(b"a", value)
        here.until(lambda out, before=before: len(out) > before)  # type: ignore[misc]  # bound now, not when called
    assert [value for _, value in here.outputs] == [b"a|1|1", b"a|2|", b"a|3|", b"a|4|", b"a|5|2"]


def test_a_timer_survives_its_worker_and_fires_once(here: Workbench) -> None:
    """A timer set before a kill -9 fires after it, exactly once."""
    worker = here.start()
    here.put(b"a", b"timer:3000")
    here.until(lambda out: len(out) == 1)
    worker.kill()
    worker.wait()
    here.start()
    here.until(lambda out: len(out) == 2)
    here.put(b"a", b"last")
    here.until(lambda out: len(out) == 3)
    assert [value for _, value in here.outputs] == [b"a|1|timer:3000", b"a|2|fired", b"a|3|last"]


def test_a_missing_topic_refuses_the_start_with_advice(kafka: str) -> None:
    """A worker never joins a group whose topics are not there; it says which one and what to run."""
    with pytest.raises(Misconfigured, match=r"no-such-topic.*tidings setup"):
        preflight(EngineConfig(kafka, "group", preflight_s=0), ["no-such-topic"])
