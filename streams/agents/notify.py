"""notify: hands deliveries over, once. The intent is in the ledger, acknowledged, before the sink hears of it.

What a person allows is kept beside the ledger and looked at again before every hand-over and every retry.
"""

from datetime import datetime

from schemas.models import LedgerEntry, LedgerState, NotificationRequest, Permissions, TimerDue
from streams.agents.alarm import schedule
from streams.agents.outcome import tell
from streams.agents.ports import Ports, moment
from streams.core import notify as core
from streams.engine import Record, Stage, Step, each
from streams.errors import Ambiguous, Misconfigured, Reject, Retry

LEDGER = "ledger"
TIMERS = "notification.timers"
WHO = b"permissions:"


class Notify:
    """The two halves of the stage: `plan` is pure and committed first, `submit` acts on what was planned."""

    def __init__(self, ports: Ports) -> None:
        self._ports, self._codec = ports, ports.codec
        self._client = ports.client(ports.notifier)
        self._sink = core.Sink(ports.notifier, self._client.promise, ports.retries)

    def plan(self, record: Record, step: Step) -> None:
        """Permissions are remembered; requests and due timers become an intent, a wait or a last word."""
        if record.topic == "flow.permissions":
            step.put(WHO + record.key, record.value)
            return
        found = self._delivery(record, step)
        if found is None:
            return
        entry, request, framed = found
        permissions = self._permissions(request.subject, step)
        planned = core.plan(entry, request, framed, permissions, self._sink, moment(step.now))
        if isinstance(planned, core.AlreadyDone):
            return
        self._keep(step, planned.entry)
        if isinstance(planned, core.Wait):
            schedule(self._codec, step, TIMERS, planned.timer)
        elif isinstance(planned, core.Suppress | core.Park):
            self._tell(step, planned)

    async def submit(self, record: Record, step: Step) -> None:
        """Hand over what was just planned, or ask about what is unknown; everything else is done already."""
        if record.topic == "flow.permissions":
            return
        found = self._delivery(record, step)
        entry = found[0] if found else None
        if found is None or entry is None:
            return
        request, now = found[1], moment(step.now)
        if entry.state is LedgerState.INTENT:
            settled = core.settle(entry, await self._outcome(request), self._sink, now)
        elif self._asks(entry, now):
            settled = core.answer(entry, await self._client.find(request), self._sink, now)
        else:
            return
        self._keep(step, settled.entry)
        if settled.timer:
            schedule(self._codec, step, TIMERS, settled.timer)
        self._tell(step, settled)

    async def _outcome(self, request: NotificationRequest) -> core.Outcome:
        try:
            accepted: core.Acceptance = await self._client.submit(request)
        except Misconfigured as failure:
            # The core keeps it and looks at consent again before the next try; a person has to be told.
            self._ports.refused(self._ports.notifier, failure.code)
            return failure
        except (Retry, Reject, Ambiguous) as failure:
            return failure
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the message may have left
            return Ambiguous(f"unforeseen_{type(error).__name__}")
        return accepted

    def _asks(self, entry: LedgerEntry, now: datetime) -> bool:
        due = entry.retry_at is None or entry.retry_at <= now
        return entry.state is LedgerState.AMBIGUOUS and due and self._sink.promise.status == "by_key"

    def _delivery(self, record: Record, step: Step) -> tuple[LedgerEntry | None, NotificationRequest, bytes] | None:
        """The entry as it stands and the request it belongs to; None when nothing is open for a timer."""
        value = record.value or b""
        if record.topic == TIMERS:
            due = self._codec.decode_as(value, TimerDue)
            entry = self._entry(due.about, step)
            if entry is None or entry.request is None:
                return None
            return entry, self._codec.decode_as(entry.request, NotificationRequest), entry.request
        request = self._codec.decode_as(value, NotificationRequest)
        entry = self._entry(request.delivery_id, step)
        if entry is not None and entry.request is not None:
            # The first request wins: its body is what the key stands for.
            return entry, self._codec.decode_as(entry.request, NotificationRequest), entry.request
        return entry, request, value

    def _entry(self, delivery_id: str, step: Step) -> LedgerEntry | None:
        value = step.get(delivery_id.encode(), LEDGER)
        return self._codec.decode_as(value, LedgerEntry) if value else None

    def _permissions(self, subject: str, step: Step) -> Permissions | None:
        value = step.get(WHO + subject.encode())
        return self._codec.decode_as(value, Permissions) if value else None

    def _keep(self, step: Step, entry: LedgerEntry) -> None:
        step.put(entry.delivery_id.encode(), self._codec.encode("delivery.ledger", entry), LEDGER)

    def _tell(self, step: Step, said: core.Suppress | core.Park | core.Settled) -> None:
        if said.feedback is not None:
            tell(self._codec, step, said.feedback)


def stage(ports: Ports) -> Stage:
    """notification.requests, flow.permissions -> the sink -> delivery.ledger, communication.feedback."""
    notify = Notify(ports)
    return Stage(
        name="notify",
        sources=("notification.requests", "flow.permissions", TIMERS),
        changelog="notify.changelog",
        stores={LEDGER: "delivery.ledger"},
        dead_letters="notify.dlq",
        dead_letter=ports.dead_letter,
        handle=each(notify.plan),
        act=notify.submit,
        first=("flow.permissions",),
        # About a second of hand-overs: no opt-out waits longer for its turn, and no shutdown finds more under way.
        batch_max=16,
    )
