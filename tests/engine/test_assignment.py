"""How partitions are dealt out among workers, without a broker."""

from collections.abc import Sequence
from typing import Any

import pytest

from streams.engine.edge import ASSIGNORS

SOURCES = ("commerce.carts", "commerce.consents", "commerce.customers", "commerce.orders", "commerce.shipments")


class Cluster:
    """What an assignor asks a cluster: the partitions of a topic."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions

    def partitions_for_topic(self, topic: str) -> set[int]:
        """All of them."""
        return set(range(self._partitions))


def dealt(topics: Sequence[str], partitions: int, workers: int) -> list[dict[str, set[int]]]:
    (assignor,) = ASSIGNORS
    members: dict[str, Any] = {f"worker-{n}": assignor.metadata(set(topics)) for n in range(workers)}
    given = assignor.assign(Cluster(partitions), members)
    return [{topic: set(numbers) for topic, numbers in one.assignment} for one in given.values()]


@pytest.mark.parametrize("workers", range(1, 7))
@pytest.mark.parametrize("partitions", [3, 4, 6, 8, 12])
def test_a_worker_gets_the_same_partition_numbers_of_every_source(partitions: int, workers: int) -> None:
    """Whatever the number of workers, one lane can own a partition number of all topics of its stage."""
    owned = dealt(SOURCES, partitions, workers)
    for one in owned:
        assert len({frozenset(one.get(topic, set())) for topic in SOURCES}) == 1
    numbers = sorted(number for one in owned for number in one.get(SOURCES[0], set()))
    assert numbers == list(range(partitions))
