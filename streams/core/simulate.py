"""The whole core on a virtual clock: facts in, hand-overs out, nothing real in between.

Every document composes at once and every sink accepts, a second later the hand-over is known; whatever else is to
happen is an event of the caller's. Golden cases and property tests run on it, so that both see the stages as they
are wired.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import BaseModel

from schemas.models import (
    Channel,
    CompositionRequest,
    Decision,
    DeliveryState,
    Document,
    Feedback,
    InboxRecord,
    LedgerEntry,
    NotificationRequest,
    Permissions,
)
from streams.core.compose import hand_overs
from streams.core.decide import decide
from streams.core.ids import sha256_hex
from streams.core.notify import Intend, Sink, Suppress, plan, settle
from streams.core.policy import Policy
from streams.core.resolve import Fact, resolve
from streams.core.state import EMPTY, SubjectState
from streams.core.timer import Timer, later
from streams.core.track import apply, feedback_record
from streams.core.track_state import Kept, TrackState
from streams.core.work import Decided

KNOWN_AFTER_S = 1.0


@dataclass(frozen=True, slots=True)
class _Keyed:
    idempotency: str = "key"
    status: str = "none"


@dataclass(frozen=True, slots=True)
class _Accepted:
    provider_id: str


@dataclass(frozen=True, slots=True)
class Told:
    """What a provider adds to a state: a cause, and how long ago it happened by its own clock."""

    reason: str | None = None
    ago_s: float = 0


TOLD = Told()


@dataclass(frozen=True, slots=True)
class Handed:
    """One delivery that left."""

    at: datetime
    request: NotificationRequest


@dataclass
class Simulation:
    """Everything that happened so far, to any number of subjects."""

    policy: Policy
    now: datetime
    states: dict[str, SubjectState] = field(default_factory=dict)
    permissions: dict[str, Permissions] = field(default_factory=dict)
    inbox: list[tuple[InboxRecord, BaseModel]] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    handed: list[Handed] = field(default_factory=list)
    feedback: list[Feedback] = field(default_factory=list)
    _subjects: dict[str, str] = field(default_factory=dict)
    _ledger: dict[str, LedgerEntry] = field(default_factory=dict)
    _tracks: dict[str, TrackState] = field(default_factory=dict)
    _alarms: dict[str, Timer] = field(default_factory=dict)
    _queue: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    _count: int = 0
    _sink: Sink = field(default_factory=lambda: Sink("simulated", _Keyed()))

    def at(self, when: datetime, action: Callable[[], None]) -> None:
        """Let `action` happen at `when`; equal times happen in the order they were asked for."""
        self._count += 1
        heapq.heappush(self._queue, (when, self._count, action))

    def run(self) -> None:
        """Let everything happen, alarms included, until nothing is left to come."""
        while self._queue:
            when, _, action = heapq.heappop(self._queue)
            self.now = max(self.now, when)
            action()

    def fact(self, kind: str, fact: Fact) -> None:
        """A commerce fact reaches resolve now."""
        resolved = resolve(kind, fact, self._subjects.get(fact.who.customer_ref), b"")
        self._subjects[resolved.customer_ref] = resolved.subject
        self.take(resolved.record, fact)

    def take(self, record: InboxRecord, fact: BaseModel) -> None:
        """A record is read from the inbox now."""
        self.inbox.append((record, fact))
        decided = decide(self.policy, self.states.get(record.subject, EMPTY), record, fact)
        self.states[record.subject] = decided.state
        self._carry_out(record.subject, decided)

    def receipt(self, kind: str, channel: Channel, state: DeliveryState, told: Told = TOLD) -> bool:
        """The provider tells something about the latest delivery of type `kind` on `channel`. False: there is none."""
        for handed in reversed(self.handed):
            if (handed.request.type, handed.request.channel) == (kind, channel):
                fingerprint = f"{handed.request.delivery_id}:{state}:{self.now.isoformat()}"
                happened = Kept(fingerprint, state.value, later(self.now, -told.ago_s), told.reason)
                self._track(handed.request.delivery_id, None, [happened])
                return True
        return False

    def _carry_out(self, subject: str, decided: Decided) -> None:
        self.decisions += decided.decisions
        if decided.permissions is not None:
            self.permissions[subject] = decided.permissions
        for name in decided.cancelled:
            self._alarms.pop(name, None)
        for timer in decided.timers:
            self._alarms[timer.timer_id] = timer
            self.at(max(timer.due_at, self.now), lambda timer=timer: self._ring(timer))  # type: ignore[misc]
        for composition in decided.compositions:
            for request in hand_overs(composition, [_document(composition, self.now)]):
                self._hand_over(request)
        for request in decided.notifications:
            self._hand_over(request)

    def _ring(self, timer: Timer) -> None:
        if self._alarms.pop(timer.timer_id, None) is not None:
            self.take(timer.record(b""), timer.due())

    def _hand_over(self, request: NotificationRequest) -> None:
        known = self._ledger.get(request.delivery_id)
        step = plan(known, request, b"", self.permissions.get(request.subject), self._sink, self.now)
        self._ledger[request.delivery_id] = step.entry
        if isinstance(step, Suppress):
            self._tell(step.feedback)
        if not isinstance(step, Intend):
            return
        self.handed.append(Handed(self.now, request))
        settled = settle(step.entry, _Accepted(f"job-{len(self.handed)}"), self._sink, self.now)
        self._ledger[request.delivery_id] = settled.entry
        self._track(request.delivery_id, settled.entry, [])
        if settled.feedback is not None:
            self._tell(settled.feedback)

    def _track(self, delivery: str, entry: LedgerEntry | None, receipts: list[Kept]) -> None:
        tracked = apply(self._tracks.get(delivery), entry, receipts, self.now)
        self._tracks[delivery] = tracked.state
        for feedback in tracked.feedbacks:
            self.feedback.append(feedback)
            self.take(feedback_record(feedback, b""), feedback)

    def _tell(self, feedback: Feedback) -> None:
        told = feedback.model_copy(update={"recorded_at": later(self.now, KNOWN_AFTER_S)})
        self.feedback.append(told)
        self.at(told.recorded_at, lambda: self.take(feedback_record(told, b""), told))


def _document(request: CompositionRequest, now: datetime) -> Document:
    content = request.data.encode()
    return Document(
        document_id=request.document_id,
        communication_id=request.communication_id,
        subject=request.subject,
        type=request.type,
        template=request.template,
        locale=request.locale,
        queue="PDF",
        name=request.type,
        mime_type="application/pdf",
        content=content,
        sha256=sha256_hex(content),
        about=request.about,
        composed_at=now,
    )
