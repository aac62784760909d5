"""Counts what the topics say, so that the console shows the flow and not our own opinion of it.

A fold over decoded records: every record counts once by its derived id, in any order of arrival, so a redelivered
webhook, an aborted record or a topic read twice changes nothing but `repeats`. Memory is bounded.
"""

import re
from collections import Counter, deque
from typing import Any

from pydantic import BaseModel

from schemas.models import (
    Cart,
    Consent,
    Customer,
    DeadLetter,
    Decision,
    DeliveryState,
    Document,
    Feedback,
    InboxRecord,
    Order,
    Outcome,
    RawDelivery,
    Shipment,
    WriteBackResult,
)
from streams.console.known import Known
from streams.console.snapshot import UNITS, Column, Snapshot
from streams.console.story import Story, channel_words, handed_over, label, tell, words
from streams.topics import STAGES, TABLE, Stage

TOPICS: tuple[str, ...] = tuple(
    topic.name
    for topic in TABLE
    if topic.public or topic.name in {"collect.raw", "flow.inbox"} or topic.name.endswith(".dlq")
)
"""What a tally is made from."""

_KINDS = {"timer.due": "timers", "communication.feedback": "outcomes"}
_REMEMBERED = 100_000


class Tally:
    """Mutable and not thread-safe: one owner adds, whoever looks gets a snapshot."""

    def __init__(self, stories: int = 200, remembered: int = _REMEMBERED) -> None:
        self._stories: deque[Story] = deque(maxlen=stories)
        self._limit = remembered
        self._known: dict[str, Known] = {}
        self._parts: dict[Stage, Counter[str]] = {stage: Counter() for stage in STAGES}
        self._totals: Counter[Stage] = Counter()
        self._dead: Counter[str] = Counter()
        self._suppressed: Counter[str] = Counter()
        self._feedback: Counter[str] = Counter()
        self._types: Counter[str] = Counter()
        self._deliveries = self._written = self._subjects = self._repeats = self._unreadable = 0

    def add(self, topic: str, record: BaseModel) -> None:
        """Counts one record of `topic`, and keeps its story."""
        if not self._count(topic, record):
            self._repeats += 1
            return
        about = None
        if isinstance(record, WriteBackResult):
            if record.outcome == "skipped":
                return  # most outcomes are none of the platform's business; their stories would drown the rest
            about = self._ids("feedback").value(record.feedback_id)
        if story := tell(record, about):
            self._stories.append(story)

    def skip(self) -> None:
        """Counts a record that could not be decoded."""
        self._unreadable += 1

    def summary(self) -> dict[str, Any]:
        """What came in and what became of it, in plain values.

        events: distinct webhooks accepted from platforms; communications: those with a decision to send; deliveries:
        those a provider took; suppressed: communications by reason; feedback: outcomes by state; writebacks: those
        written.
        """
        return {
            "events": self._totals["collect"],
            "communications": sum(self._types.values()),
            "deliveries": self._deliveries,
            "suppressed": _sorted(self._suppressed),
            "feedback": _sorted(self._feedback),
            "writebacks": self._written,
        }

    def snapshot(self) -> Snapshot:
        """Everything counted so far, as a value."""
        return Snapshot(
            columns=tuple(self._column(stage) for stage in STAGES),
            suppressed=tuple(self._suppressed.most_common()),
            types=tuple(self._types.most_common()),
            stories=tuple(self._stories),
            subjects=self._subjects,
            repeats=self._repeats,
            unreadable=self._unreadable,
            summary=self.summary(),
        )

    def _column(self, stage: Stage) -> Column:
        parts = tuple(self._parts[stage].most_common())
        return Column(stage, UNITS[stage], self._totals[stage], parts, self._dead[stage])

    def _ids(self, kind: str) -> Known:
        return self._known.setdefault(kind, Known(self._limit))

    def _hit(self, stage: Stage, ident: str, part: str) -> bool:
        """Counts `ident` once for a stage."""
        if not self._ids(stage).new(ident):
            return False
        self._totals[stage] += 1
        self._parts[stage][part] += 1
        return True

    def _count(self, topic: str, record: BaseModel) -> bool:
        """Whether the record is new."""
        match record:
            case RawDelivery():
                return self._hit("collect", record.raw_id, _event(record.kind))
            case Order() | Shipment() | Cart() | Customer() | Consent():
                return self._ids(topic).new(record.model_dump_json(exclude={"source": {"collected_at"}}))
            case InboxRecord():
                self._subjects += self._ids("subject").new(record.subject)
                return self._hit("resolve", record.record_id, _KINDS.get(record.kind, record.kind.rpartition(".")[2]))
            case Decision():
                return self._decided(record)
            case Document():
                return self._hit("compose", f"{record.document_id}.{record.queue}", record.mime_type.rpartition("/")[2])
            case Feedback():
                return self._became(record)
            case WriteBackResult():
                written = record.outcome == "written"
                part = record.target if written else f"{record.target}, {record.outcome}"
                new = self._hit("report", record.result_id, part)
                self._written += new and written
                return new
            case DeadLetter():
                new = self._ids("dead").new(record.dead_letter_id)
                self._dead[topic.removesuffix(".dlq")] += new
                return new
            case _:
                return False

    def _decided(self, decision: Decision) -> bool:
        if not self._hit("decide", decision.decision_id, words(decision.outcome)):
            return False
        if decision.outcome is Outcome.SEND:
            self._types[decision.type] += self._ids("sent").new(decision.communication_id)
        elif decision.outcome in {Outcome.SUPPRESS, Outcome.SUPERSEDE}:
            self._suppress(decision.communication_id, decision.reason)
        return True

    def _became(self, feedback: Feedback) -> bool:
        if not self._ids("feedback").new(feedback.feedback_id, label(feedback.about)):
            return False
        stage: Stage = "notify" if handed_over(feedback.state) else "track"
        part = words(feedback.state)
        if feedback.state is DeliveryState.SUPPRESSED:
            self._suppress(feedback.communication_id, feedback.reason)
        elif feedback.state is DeliveryState.SUBMITTED:
            self._deliveries += self._ids("delivery").new(feedback.delivery_id)
            part = channel_words(feedback.channel)
        self._hit(stage, feedback.feedback_id, part)
        self._feedback[feedback.state.value.lower()] += 1
        return True

    def _suppress(self, communication: str, reason: str | None) -> None:
        word = reason or "unknown"
        self._suppressed[word] += self._ids("suppressed").new(f"{communication} {word}")


def _event(kind: str) -> str:
    """A platform's event word as people read it: store/order/statusUpdated is an order status updated."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|/", " ", kind.removeprefix("store/"))
    return spaced.lower()


def _sorted(counter: Counter[str]) -> dict[str, int]:
    return {key: counter[key] for key in sorted(counter) if counter[key]}
