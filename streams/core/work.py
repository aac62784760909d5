"""The desk on which one inbox record is worked through: the state as it changes, and what is to go out because of it.

Lives for one call of `decide`; nothing of it is seen from outside before `finished`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from schemas.models import (
    CompositionRequest,
    Decision,
    InboxRecord,
    NotificationRequest,
    Outcome,
    Permissions,
)
from streams.core import ids, timer
from streams.core.policy import Policy
from streams.core.remember import blocked_channels, business_key
from streams.core.rules import Rule
from streams.core.state import OPEN, Communication, Phase, SubjectState, mark, pruned
from streams.core.timer import Timer

KEPT_FACTS = 8


@dataclass(frozen=True, slots=True)
class Decided:
    """Everything one inbox record led to; made durable together or not at all."""

    state: SubjectState
    decisions: tuple[Decision, ...] = ()
    compositions: tuple[CompositionRequest, ...] = ()
    notifications: tuple[NotificationRequest, ...] = ()
    timers: tuple[Timer, ...] = ()
    cancelled: tuple[str, ...] = ()
    permissions: Permissions | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """What was decided and why."""

    outcome: Outcome
    reason: str | None = None
    explanation: Sequence[str] = ()
    until: datetime | None = None
    superseded_by: str | None = None
    channels: Sequence[str] = ()


class Work:
    """One record on the desk."""

    def __init__(self, policy: Policy, state: SubjectState, record: InboxRecord) -> None:
        self.policy = policy
        self.before = state
        self.state = state
        self.record = record
        self.communications = dict(state.communications)
        self.now: datetime = record.recorded_at
        self.owner = (record.subject, record.tenant, record.brand)
        self.decisions: list[Decision] = []
        self.compositions: list[CompositionRequest] = []
        self.notifications: list[NotificationRequest] = []
        self.timers: dict[str, Timer] = {}
        self.cancelled: list[str] = []
        self.parents_moved: list[str] = []

    def communication_id(self, kind: str, key: str) -> str:
        """The id of the communication of type `kind` about business key `key`."""
        subject, tenant, brand = self.owner
        return ids.communication_id(tenant, brand, kind, key, subject)

    def known(self, name: str) -> Communication | None:
        """The communication, when its details are still kept."""
        return self.communications.get(name)

    def parent_of(self, item: Communication, rule: Rule) -> str | None:
        """The id of the communication that must have left before `item`."""
        if rule.parent_type is None or item.parent is None:
            return None
        return self.communication_id(rule.parent_type, business_key(self.state.aliases, (item.parent,), item.parent))

    def put(self, name: str, item: Communication) -> None:
        """Store a communication as it is now. Whoever waits for it is looked at when the record is done."""
        held = self.known(name)
        if item.phase not in OPEN and item.timers:
            self._cancel(item.timers)
            item = replace(item, timers=())
        if held is None or held.phase is not item.phase:
            self.parents_moved.append(name)
        self.communications[name] = item

    def set_timer(self, name: str, purpose: str, at: datetime) -> None:
        """Bring communication `name` back at `at`, instead of at any time asked for before."""
        item = self.communications[name]
        self._cancel(item.timers)
        alarm = timer.alarm(self.owner, purpose, name, at)
        self.timers[alarm.timer_id] = alarm
        self.put(name, replace(item, timers=(alarm.timer_id,)))

    def decide(self, name: str, ruling: Ruling) -> None:
        """Write down what was decided about a stored communication."""
        item = self.communications[name]
        self.write(name, (item.type, item.key), ruling, item.facts)

    def write(self, name: str, what: tuple[str, str], ruling: Ruling, facts: Sequence[str] = ()) -> None:
        """Write down one decision about `what` (type, business key), whether or not the communication is stored."""
        kind, key = what
        rule = self.policy.rules.get(kind)
        subject, tenant, brand = self.owner
        record_id = self.record.record_id
        self.decisions.append(
            Decision(
                decision_id=ids.decision_id(name, record_id, ruling.outcome.value, ruling.reason),
                communication_id=name,
                type=kind,
                message_class=rule.message_class if rule else "unknown",
                subject=subject,
                tenant=tenant,
                brand=brand,
                business_key=key,
                record_id=record_id,
                outcome=ruling.outcome,
                reason=ruling.reason,
                until=ruling.until,
                superseded_by=ruling.superseded_by,
                channels=tuple(ruling.channels),
                policy_version=self.policy.version,
                facts=tuple(dict.fromkeys((*facts, record_id))),
                explanation=tuple(ruling.explanation),
                decided_at=self.now,
            )
        )

    def suppress(self, name: str, reason: str, explanation: Sequence[str]) -> None:
        """End a stored communication that does not leave."""
        item = self.communications[name]
        phase = Phase.SUPPRESSED if item.phase in OPEN else Phase.FAILED
        self.put(name, replace(item, phase=phase, data=None))
        self.decide(name, Ruling(Outcome.SUPPRESS, reason, explanation))

    def finished(self) -> Decided:
        """The result, with the record remembered as handled."""
        clock = max(self.state.clock or self.now, self.now)
        recent = (*self.state.recent, mark(self.record.record_id))
        state = pruned(replace(self.state, clock=clock, recent=recent, communications=self.communications))
        return Decided(
            state,
            tuple(self.decisions),
            tuple(self.compositions),
            tuple(self.notifications),
            tuple(self.timers.values()),
            tuple(self.cancelled),
            self._permissions(state),
        )

    def _permissions(self, state: SubjectState) -> Permissions | None:
        before = self.before
        if (state.consents, state.complaints) == (before.consents, before.complaints) and (
            not state.blocked or (state.blocked, state.contacts) == (before.blocked, before.contacts)
        ):
            return None
        allowed = (state.consents, blocked_channels(state))
        if allowed == (before.consents, blocked_channels(before)):
            return None
        subject, tenant, brand = self.owner
        return Permissions(
            subject=subject,
            tenant=tenant,
            brand=brand,
            entries=allowed[0],
            blocked=allowed[1],
            recorded_at=self.now,
        )

    def _cancel(self, timers: Sequence[str]) -> None:
        for name in timers:
            # Asked for and called off within one record: it never existed.
            if self.timers.pop(name, None) is None:
                self.cancelled.append(name)
