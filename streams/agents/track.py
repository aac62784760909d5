"""track: what became of each delivery, from receipts that are pushed and from polls for those that are not.

A polled snapshot is stored like a pushed one before it is read, so both take the same way.
"""

from collections.abc import Sequence

from connectors.contract import Receipt
from schemas.models import LedgerEntry, RawDelivery, TimerDue
from streams.agents.alarm import schedule
from streams.agents.outcome import tell
from streams.agents.ports import Ports, moment
from streams.core import track as core
from streams.core.track_state import TrackState, from_bytes
from streams.engine import Record, Stage, Step, each
from streams.errors import Ambiguous, Misconfigured, Reject, Retry

TIMERS = "track.timers"
RAW = "track.raw"


class Track:
    """`handle` takes receipts and ledger entries in; `act` polls."""

    def __init__(self, ports: Ports) -> None:
        self._ports, self._codec = ports, ports.codec

    def handle(self, record: Record, step: Step) -> None:
        """Receipts and ledger entries change the state of their delivery; a due poll is counted."""
        value = record.value or b""
        if record.topic == RAW:
            self._receipts(self._codec.decode_as(value, RawDelivery), step)
        elif record.topic == TIMERS:
            self._count_poll(self._codec.decode_as(value, TimerDue), step)
        elif record.value is not None:
            entry = self._codec.decode_as(value, LedgerEntry)
            self._apply(entry.delivery_id, entry, (), step)

    async def act(self, record: Record, step: Step) -> None:
        """Ask for the status of a delivery that nobody told us about."""
        if record.topic != TIMERS:
            return
        state = self._state(self._codec.decode_as(record.value or b"", TimerDue).about, step)
        entry = state.entry if state else None
        if state is None or state.finished or entry is None or not entry.provider or not entry.provider_id:
            return
        try:
            snapshot = await self._ports.client(entry.provider).poll(entry.provider_id, entry.channel.value)
        except Misconfigured as refused:
            self._ports.refused(entry.provider, refused.code)
            return
        except (Retry, Ambiguous, Reject):
            # The next poll is set already, and receipts and opt-outs wait behind this one.
            return
        if snapshot is not None:
            step.send(RAW, record.key, self._codec.encode(RAW, snapshot), here=True)

    def _receipts(self, raw: RawDelivery, step: Step) -> None:
        by_delivery: dict[str, list[Receipt]] = {}
        for receipt in self._ports.client(raw.connector).receipts(raw):
            by_delivery.setdefault(receipt.delivery_id, []).append(receipt)
        for delivery_id, receipts in by_delivery.items():
            self._apply(delivery_id, None, receipts, step)

    def _apply(self, delivery_id: str, entry: LedgerEntry | None, receipts: Sequence[Receipt], step: Step) -> None:
        known = self._state(delivery_id, step)
        tracked = core.apply(known, entry, receipts, moment(step.now), self._ports.polling)
        step.put(delivery_id.encode(), tracked.state.to_bytes())
        if tracked.timer:
            schedule(self._codec, step, TIMERS, tracked.timer)
        for feedback in tracked.feedbacks:
            tell(self._codec, step, feedback)

    def _count_poll(self, due: TimerDue, step: Step) -> None:
        known = self._state(due.about, step)
        if known is None or known.finished:
            return
        state, timer = core.polled(known, moment(step.now), self._ports.polling)
        step.put(due.about.encode(), state.to_bytes())
        if timer:
            schedule(self._codec, step, TIMERS, timer)

    def _state(self, delivery_id: str, step: Step) -> TrackState | None:
        value = step.get(delivery_id.encode())
        return from_bytes(value) if value else None


def stage(ports: Ports) -> Stage:
    """track.raw, delivery.ledger -> communication.feedback, flow.inbox."""
    track = Track(ports)
    return Stage(
        name="track",
        sources=(RAW, "delivery.ledger", TIMERS),
        changelog="track.changelog",
        dead_letters="track.dlq",
        dead_letter=ports.dead_letter,
        handle=each(track.handle),
        act=track.act,
        batch_max=500,
    )
