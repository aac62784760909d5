"""A micro-batch: runs a stage's function over records and gathers what they change, keeping the bad ones from the good.

Nothing escapes a stage's function: Reject and any unforeseen exception become a dead letter in the same step, Skip is
counted, Retry and Misconfigured are the caller's business because they concern time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from streams.engine.model import RECORD_MAX, Out, Record
from streams.engine.stage import Observer, Stage
from streams.engine.state import State
from streams.engine.step import Changes, Step, too_large
from streams.errors import Failure, Fatal, Misconfigured, Reject, Retry, Skip


@dataclass(slots=True)
class Batch:
    """The changes of the records handled so far, and the means to handle more. `clock` gives epoch milliseconds."""

    stage: Stage
    state: State
    partition: int
    observer: Observer
    clock: Callable[[], int]
    changes: Changes = field(default_factory=Changes)

    def step(self, record: Record | None = None) -> Step:
        """An empty step on top of everything this batch changed so far."""
        trace = record.trace if record is not None and record.headers else ()
        layers = (self.changes,) if self.changes else ()
        return Step(self.state, layers, self.partition, self.clock(), trace)

    def handle(self, records: Sequence[Record]) -> Sequence[Record]:
        """Run the stage's function; its changes are in the batch afterwards. The records that were not refused."""
        if self.stage.handle is None:
            return records
        step = self.step()
        try:
            self.stage.handle(records, step)
            self._dump(step.changes)
        except (Retry, Misconfigured, Fatal):
            raise
        except Exception as error:  # noqa: BLE001 - the boundary: whatever a handler does, the records are kept
            if len(records) > 1:
                return [record for record in records if self.handle([record])]
            step = self.step()
            step.refuse(records[0], error)
        refused, step.changes.refused = step.changes.refused, []
        self.changes.absorb(step.changes)
        if not refused:
            return records
        for record, failure in refused:
            self.refuse(record, failure)
        bad = {(record.topic, record.offset) for record, _ in refused}
        return [record for record in records if (record.topic, record.offset) not in bad]

    def absorb(self, step: Step) -> None:
        """Add what an effect changed. Raises Reject("too_large")."""
        self._dump(step.changes)
        self.changes.absorb(step.changes)

    def _dump(self, changes: Changes) -> None:
        # Here, where it still costs single records that an object does not fit or cannot be encoded.
        if changes.objects:
            dump = self.stage.dump
            assert dump is not None, "a stage that saves objects says how"
            changes.dumped = {key: None if value is None else dump(value) for key, value in changes.objects.items()}
            for raw in changes.dumped.values():
                if raw is not None and len(raw) > RECORD_MAX:
                    raise too_large(raw, self.stage.changelog)

    def refuse(self, record: Record, error: Exception) -> None:
        """Skip or dead-letter a record whose function raised."""
        if isinstance(error, Skip):
            self.observer.outcome(self.stage.name, "skipped")
            return
        failure = error if isinstance(error, Failure) else Reject(_unforeseen(error), str(error)[:500])
        letter = self.stage.dead_letter(self.stage.name, record, failure, self.clock())
        self.changes.outs.append(Out(self.stage.dead_letters, record.key, letter, record.headers, self.partition))
        self.observer.dead(self.stage.name, failure.code)

    def take(self) -> Changes:
        """The changes so far; the batch starts anew on top of the state."""
        taken, self.changes = self.changes, Changes()
        return taken


def _unforeseen(error: Exception) -> str:
    return f"unforeseen_{type(error).__name__}"
