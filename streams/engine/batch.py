"""A micro-batch: runs a stage's function over records and gathers what they change, keeping the bad ones from the good.

Nothing escapes a stage's function: Reject and any unforeseen exception become a dead letter in the same step, Skip is
counted, Retry and Misconfigured are the caller's business because they concern time.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from streams.engine.model import Out, Record
from streams.engine.stage import Observer, Stage
from streams.engine.step import Changes, State, Step
from streams.errors import Failure, Fatal, Misconfigured, Reject, Retry, Skip


@dataclass(slots=True)
class Batch:
    """The changes of the records handled so far, and the means to handle more."""

    stage: Stage
    state: State
    partition: int
    observer: Observer
    now: Callable[[], int]
    changes: Changes = field(default_factory=Changes)

    def step(self) -> Step:
        """An empty step on top of everything this batch changed so far."""
        return Step(self.state, self.changes, self.partition, self.now())

    def handle(self, record: Record) -> Step | None:
        """Run `handle`; its changes are in the batch afterwards. None when the record was skipped or dead-lettered."""
        step = self.step()
        if self.stage.handle is not None:
            try:
                self.stage.handle(record, step)
            except (Retry, Misconfigured, Fatal):
                raise
            except Exception as error:  # noqa: BLE001 - the boundary: whatever a handler does, the record is kept
                self.refuse(record, error)
                return None
            self.changes.absorb(step.changes)
        return step

    def refuse(self, record: Record, error: Exception) -> None:
        """Skip or dead-letter a record whose function raised."""
        if isinstance(error, Skip):
            self.observer.outcome(self.stage.name, "skipped")
            return
        failure = error if isinstance(error, Failure) else Reject(_unforeseen(error), str(error)[:500])
        letter = self.stage.dead_letter(self.stage.name, record, failure, self.now())
        self.changes.outs.append(Out(self.stage.dead_letters, record.key, letter, record.headers, self.partition))
        self.observer.dead(self.stage.name, failure.code)

    def take(self) -> Changes:
        """The changes so far; the batch starts anew on top of the state."""
        taken, self.changes = self.changes, Changes()
        return taken


def _unforeseen(error: Exception) -> str:
    return f"unforeseen_{type(error).__name__}"
