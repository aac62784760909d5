"""How a stage is declared: what it reads, what it keeps, and one function.

`handle` is pure and synchronous: record in, changes on the step. `act` is the effect: awaited, many keys in flight, one
per key at a time. A stage with both gets the intent pattern: what `handle` changed for a wave of records is committed
*before* `act` runs, so a restart finds the intent and not a guess. `handle` must then be safe to repeat.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from streams.engine.model import Record
from streams.engine.step import STATE, Step
from streams.errors import Failure

Handle = Callable[[Record, Step], None]
Act = Callable[[Record, Step], Awaitable[None]]
DeadLetter = Callable[[str, Record, Failure, int], bytes]


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the flow. Sources named in `first` are taken before what else is queued.

    `changelog` holds state, timers and position; `stores` are further compacted topics, by store name. `retry` says
    what happens when `act` raises Retry: "requeue" puts the record back on its topic after a delay and lets others
    pass, "in_place" keeps the order and waits. After `attempts` tries the record is dead-lettered.
    """

    name: str
    sources: tuple[str, ...]
    changelog: str
    dead_letters: str
    dead_letter: DeadLetter
    handle: Handle | None = None
    act: Act | None = None
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
    def waiting(self, stage: str, partition: int, why: str | None) -> None: ...
    def lanes(self, stage: str, ready: int, total: int, depth: int) -> None: ...


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """How the engine meets its broker. Times in seconds."""

    bootstrap: str
    group: str
    namespace: str = "tidings"
    partitions: int = 4
    session_s: float = 10.0
    transaction_s: float = 30.0
    step_deadline_s: float = 90.0
    empty_assignment_s: float = 60.0
    preflight_s: float = 120.0
    high_water: int = 8000
    fetch_wait_ms: int = 20
    # librdkafka's mock broker hands out transactional batches whose checksum it spoiled; never switch it off elsewhere.
    check_crcs: bool = True
    data_dir: str = ".run/engine"
    replication: int = 1
    timer_batch: int = 1000
