"""What a worker does when what it finds cannot be trusted: it refuses to start, and says what a person can do."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AlterConfigOpType  # type: ignore[attr-defined]  # exported, but not by its types
from confluent_kafka.admin._config import ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewPartitions

from streams.engine import EngineConfig
from streams.engine.repair import place, show
from tests.engine.workbench import Workbench, workbench

pytestmark = pytest.mark.broker


@pytest.fixture
def worked(kafka: str, tmp_path: Path) -> Iterator[Workbench]:
    """A workbench of one partition whose worker did three records, committed and stopped."""
    with workbench(kafka, tmp_path, partitions=1) as made:
        worker = made.start()
        for value in (b"1", b"2", b"3"):
            made.put(b"a", value)
        made.until(lambda out: len(out) == 3)
        made.stop(worker)
        yield made


def empty_the_changelog(here: Workbench) -> None:
    here.recreate("changelog")


def cut_the_changelog(here: Workbench) -> None:
    topic = f"{here.prefix}changelog"
    entry = ConfigEntry("cleanup.policy", "delete", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    for altered in here.admin.incremental_alter_configs([resource]).values():
        altered.result()
    cut(here, topic, 2)


def cut_the_source(here: Workbench) -> None:
    for value in (b"4", b"5"):
        here.put(b"a", value)
    here.producer.flush()
    cut(here, f"{here.prefix}in", 5)


def cut(here: Workbench, topic: str, before: int) -> None:
    for deleted in here.admin.delete_records([TopicPartition(topic, 0, before)]).values():
        deleted.result()


def make_the_source_anew(here: Workbench) -> None:
    here.recreate("in")
    for value in (b"4", b"5", b"6", b"7"):
        here.put(b"a", value)
    here.producer.flush()


def add_a_partition(here: Workbench) -> None:
    for added in here.admin.create_partitions([NewPartitions(f"{here.prefix}in", 2)]).values():
        added.result()


REFUSALS: dict[str, Callable[[Workbench], None]] = {
    "changelog_lost": empty_the_changelog,
    "changelog_trimmed": cut_the_changelog,
    "position_out_of_range": cut_the_source,
    "topic_recreated": make_the_source_anew,
    "partitions_changed": add_a_partition,
}


@pytest.mark.parametrize("guard", REFUSALS)
def test_a_worker_refuses_what_it_cannot_trust(worked: Workbench, guard: str) -> None:
    """Rather than repeat or lose anything it leaves with 78, names what is wrong, and has produced nothing."""
    committed(worked)
    REFUSALS[guard](worked)
    code, said = worked.end(worked.start())
    assert (code, f"guard={guard}" in said) == (78, True), said
    assert worked.read("out") == [b"a|1|1", b"a|2|2", b"a|3|3"]


def committed(here: Workbench) -> None:
    """Its group has committed, as lag tools see it."""
    group = ConsumerGroupTopicPartitions(f"{here.prefix}group")
    (found,) = here.admin.list_consumer_group_offsets([group]).values()
    assert [part.offset for part in found.result().topic_partitions] == [3]


def test_a_person_may_place_a_lane_that_refuses(worked: Workbench) -> None:
    """After `place` the worker goes on from there, with the state it had, and the old positions are gone."""
    make_the_source_anew(worked)
    assert worked.end(worked.start())[0] == 78
    config = EngineConfig(worked.bootstrap, f"{worked.prefix}group", namespace=worked.prefix, partitions=1)
    changelog, source = f"{worked.prefix}changelog", f"{worked.prefix}in"
    assert place(config, "count", changelog, source, [0], 1) == [1]
    assert show(config, changelog)[0][source].offset == 1
    worked.start()
    worked.until(lambda out: len(out) == 6)
    assert [value for _, value in worked.outputs[3:]] == [b"a|4|5", b"a|5|6", b"a|6|7"]


def test_two_workers_do_not_share_a_data_directory(kafka: str, tmp_path: Path) -> None:
    """The second refuses to start and says which directory and what to do; the first goes on."""
    with workbench(kafka, tmp_path, partitions=1, store="rocksdb") as here:
        here.start()
        here.put(b"a", b"1")
        here.until(lambda out: len(out) == 1)
        code, said = here.end(here.start())
        assert (code, "guard=data_dir_in_use" in said, str(tmp_path) in said) == (78, True, True), said
        here.put(b"a", b"2")
        here.until(lambda out: len(out) == 2)


def test_a_worker_that_owns_nothing_says_so_and_leaves(kafka: str, tmp_path: Path) -> None:
    """One worker more than there are partitions is never idle in silence."""
    with workbench(kafka, tmp_path, partitions=1, empty_assignment_s=4.0) as here:
        first = here.start()
        here.put(b"a", b"1")
        here.until(lambda out: len(out) == 1)
        second = here.start()
        while (leaver := next((one for one in (first, second) if one.poll() is not None), None)) is None:
            here.until(lambda out: True)
        code, said = here.end(leaver)
        assert (code, "guard=empty_assignment" in said) == (70, True), said


def test_a_step_that_never_ends_ends_its_worker(kafka: str, tmp_path: Path) -> None:
    """A handler that hangs is found by the watchdog, which leaves the stacks of all threads and exits with 70."""
    with workbench(kafka, tmp_path, partitions=1, step_deadline_s=3.0) as here:
        worker = here.start()
        here.put(b"a", b"hang")
        code, said = here.end(worker)
        assert (code, "guard=stuck" in said, "most recent call first" in said) == (70, True, True), said
