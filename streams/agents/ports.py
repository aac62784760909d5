"""What every agent is given: the codec, the policy and the open connectors. Nothing is looked up anywhere else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from schemas.codec import Codec
from schemas.models import DeadLetter
from streams.core.notify import Retries
from streams.core.policy import Policy
from streams.core.track import Polling
from streams.engine import Record
from streams.errors import Failure, Misconfigured

Decided = Callable[[str, str, str | None], None]


def _unheard(*_: str | None) -> None:
    """The default when nobody counts."""


@dataclass(frozen=True, slots=True)
class Ports:
    """`clients` are open connectors by name; `composer` and `notifier` name the ones that compose and notify.

    `attempts` is how often collect, compose and report try a record before it becomes a dead letter; `decided` and
    `refused` count decisions and sinks that refuse us.
    """

    codec: Codec
    policy: Policy
    clients: Mapping[str, Any]
    composer: str = "exstream"
    notifier: str = "opentext_notifications"
    retries: Retries = field(default_factory=Retries)
    polling: Polling = field(default_factory=Polling)
    attempts: int = 40
    decided: Decided = _unheard
    refused: Callable[[str, str], None] = _unheard

    def client(self, name: str) -> Any:
        """An open connector. Raises Misconfigured when it is not enabled here."""
        if name not in self.clients:
            raise Misconfigured("connector_not_enabled", f"{name} is needed and not enabled: see TIDINGS_CONNECTORS")
        return self.clients[name]

    def dead_letter(self, stage: str, record: Record, failure: Failure, now: int) -> bytes:
        """The dead letter for a record, with its bytes as they came."""
        return self.codec.encode(
            f"{stage}.dlq",
            DeadLetter(
                dead_letter_id=f"{record.topic}-{record.partition}-{record.offset}",
                stage=stage,
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                key=record.key,
                value=record.value,
                headers={name: value.decode(errors="replace") for name, value in record.headers},
                family=type(failure).__name__,
                reason=failure.code,
                detail=failure.detail,
                failed_at=moment(now),
            ),
        )


def moment(millis: int) -> datetime:
    """Epoch milliseconds as an instant."""
    return datetime.fromtimestamp(millis / 1000, UTC)


def millis(at: datetime) -> int:
    """An instant as epoch milliseconds."""
    return round(at.timestamp() * 1000)


def stretched(schedule: tuple[float, ...], first: float | None) -> tuple[float, ...]:
    """A schedule of waits in seconds, scaled so that it begins with `first`; None leaves it."""
    return schedule if first is None else tuple(wait * first / schedule[0] for wait in schedule)
