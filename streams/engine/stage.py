"""How a stage is declared: what it reads, what it keeps, and one function.

`handle` is pure and synchronous: a micro-batch of records in, changes on the step; `each` makes one out of a function
over a single record. `act` is the effect: awaited, many keys in flight, one per key at a time. A stage with both gets
the intent pattern: what `handle` changed for a wave of records is committed *before* `act` runs, so a restart finds the
intent and not a guess. `handle` must then be safe to repeat.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from streams.engine.model import Record
from streams.engine.state import STATE
from streams.engine.step import Handle, Step
from streams.errors import Failure

Act = Callable[[Record, Step], Awaitable[None]]
DeadLetter = Callable[[str, Record, Failure, int], bytes]


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the flow. Sources named in `first` are taken before what else is queued.

    `changelog` holds state, timers and position; `stores` are further compacted topics, by store name. `load` and
    `dump` turn values of the main store into objects and back. `committed` is told the notes of a step once it is
    durable; it must not fail. `retry` says what happens when `act` raises Retry: "requeue" puts the record back on its
    topic after a delay and lets others pass, "in_place" keeps the order and waits. After `attempts` tries the record is
    dead-lettered.
    """

    name: str
    sources: tuple[str, ...]
    changelog: str
    dead_letters: str
    dead_letter: DeadLetter
    handle: Handle | None = None
    act: Act | None = None
    load: Callable[[bytes], Any] | None = None
    dump: Callable[[Any], bytes] | None = None
    committed: Callable[[Sequence[Any]], None] | None = None
    stores: Mapping[str, str] = field(default_factory=dict)
    first: tuple[str, ...] = ()
    retry: Literal["requeue", "in_place"] = "in_place"
    attempts: int = 40
    backoff_s: float = 0.5
    backoff_cap_s: float = 60.0
    in_flight: int = 32
    batch_max: int = 4000

    @property
    def topics_by_store(self) -> dict[str, str]:
        """Every store and the changelog topic that carries it."""
        return {STATE: self.changelog, **self.stores}

    def delay(self, attempt: int, wish: float | None) -> float:
        """Seconds to wait before try `attempt` + 1; the other side's wish wins when it is longer."""
        own = min(self.backoff_cap_s, self.backoff_s * 2.0**attempt)
        return max(own, wish or 0.0)


class Observer(Protocol):
    """Where the engine tells what it does; labels it passes are bounded."""

    def opened(self, stage: str, partition: int, keys: int, seconds: float) -> None: ...
    def stepped(self, stage: str, partition: int, records: int, seconds: float) -> None: ...
    def outcome(self, stage: str, outcome: str, count: int = 1) -> None: ...
    def dead(self, stage: str, reason: str) -> None: ...
    def guard(self, name: str) -> None: ...
    def set_aside(self, reason: str) -> None: ...
    def waiting(self, stage: str, partition: int, why: str | None) -> None: ...
    def lanes(self, stage: str, standing: "Standing") -> None: ...


@dataclass(frozen=True, slots=True)
class Standing:
    """How the lanes of a stage stand in one process.

    `fetched` records wait in memory; `behind` is what the broker has beyond the committed positions, markers and
    compacted records counted; `age_s` is the longest time since a lane that has work committed.
    """

    total: int
    ready: int
    fetched: int
    behind: int
    timers: int
    age_s: float


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """How the engine meets its broker. Times in seconds unless their name says otherwise."""

    bootstrap: str
    group: str
    namespace: str = "tidings"
    partitions: int = 4
    session_s: float = 10.0
    transaction_s: float = 30.0
    step_deadline_s: float = 90.0
    stall_s: float = 30.0
    empty_assignment_s: float = 60.0
    # Longer than the broker gives members to come back, which is two sessions.
    rebalance_s: float = 30.0
    silent_s: float = 15.0
    preflight_s: float = 120.0
    # Records wait for each other up to this long while a lane is idle: fewer, larger transactions.
    linger_ms: int = 15
    fetch_wait_ms: int = 10
    fetch_min_bytes: int = 200_000
    # What may wait in a worker between the broker and its lanes.
    buffer_bytes: int = 16_000_000
    # librdkafka's mock broker spoils the checksums of transactional batches and gives topics no ids.
    embedded: bool = False
    store: Literal["memory", "rocksdb"] = "memory"
    data_dir: str = ".run/engine"
    replication: int = 1
    timer_batch: int = 1000
