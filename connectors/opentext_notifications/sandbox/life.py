"""What becomes of a message, decided by its recipient. Pure: a plan and an age give the snapshot the provider tells.

The quirks are deliberate: `gamma_code` missing at times, a first attempt one hour ahead of the entry time, one DSN as
an object and several as a list, "InProcess" for "InProgress".
"""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

Outcome = Literal["ok", "hard", "soft", "expired", "gamma", "late", "optout", "open", "silent", "held"]
BY_DIGITS: Mapping[str, Outcome] = {
    "0001": "ok",
    "0002": "hard",
    "0003": "soft",
    "0004": "expired",
    "0005": "gamma",
    "0006": "late",
    "0007": "optout",
    "0008": "open",
    "0009": "silent",
    "0010": "held",
}
_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happens at a fraction of the message's life. `skew_s` moves the time the provider gives for it."""

    at: float
    kind: Literal["attempt", "status", "open", "pull", "opt_out"]
    word: str = ""
    text: str = ""
    gamma: int = 0
    skew_s: float = 0

    @property
    def told(self) -> bool:
        """Whether the provider pushes a status for it."""
        return self.kind != "attempt" or self.word not in ("Pending", "Submitted", "InProcess")


def _status(at: float, word: str, text: str = "", skew_s: float = 0) -> Step:
    return Step(at, "status", word, text, skew_s=skew_s)


_WAITING = (Step(0.0, "attempt", "Pending"), Step(0.1, "attempt", "Submitted"))
_SENT = (*_WAITING, Step(0.2, "attempt", "InProcess"), Step(0.3, "attempt", "Sent"))
_OK = _status(0.6, "2.0.0", "delivered")
_FULL = "4.2.2 mailbox of <user@example.test> is full"
PLANS: Mapping[Outcome, Sequence[Step]] = {
    "ok": (*_SENT, _OK),
    "hard": (*_SENT, _status(0.6, "5.1.1", "user unknown")),
    "soft": (*_SENT, _status(0.5, "4.2.2", _FULL), _status(0.7, "4.2.2", _FULL), _status(0.9, "2.0.0", "delivered")),
    "expired": (*_WAITING, Step(0.6, "attempt", "Expired")),
    "gamma": (*_WAITING, Step(0.3, "attempt", "Error", gamma=5000)),
    "late": (*_SENT, _OK, _status(0.9, "5.2.1", "mailbox disabled", skew_s=_HOUR)),
    "optout": (*_SENT, _OK, Step(0.8, "opt_out", "STOP")),
    "open": (*_SENT, _OK, Step(0.7, "open"), Step(0.8, "open"), Step(0.9, "pull")),
    "silent": _SENT,
    "held": (*_WAITING, Step(0.3, "attempt", "Held")),
}


def outcome(address: str) -> Outcome:
    """By the first word of the local part ("hard.anna@", "hard+7@"), or the last four digits of a number."""
    if "@" not in address:
        return BY_DIGITS.get(address[-4:], "ok")
    word = re.split(r"[.+_@-]", address.lower(), maxsplit=1)[0]
    return next((known for known in PLANS if known == word), "ok")


@dataclass(frozen=True, slots=True)
class Job:
    """One accepted message to one recipient. `attachments` hold name, type, size, sha256 and data (base64)."""

    job_id: str
    message_id: str
    channel: Literal["EMAIL", "SMS"]
    ref: str
    customer_reference: str
    billing_code: str
    address: str
    subject_line: str
    html: str
    text: str
    accepted_at: datetime
    outcome: Outcome
    attachments: Sequence[Mapping[str, Any]] = field(default_factory=tuple)

    @property
    def quirk(self) -> int:
        """A number that is the same for the job for ever."""
        return hashlib.sha256(self.job_id.encode()).digest()[0]


def snapshot(job: Job, now: datetime, life_s: float) -> dict[str, Any]:
    """Everything the provider would tell about the job at that moment."""
    # Compared as times, since 0.8 * 0.05 s and the microseconds of a time differ by a rounding.
    age = now - job.accepted_at
    steps = [step for step in PLANS[job.outcome] if timedelta(seconds=step.at * life_s) <= age]
    times = {step: _iso(job.accepted_at + timedelta(seconds=step.at * life_s + step.skew_s)) for step in steps}
    attempts = [step for step in steps if step.kind == "attempt"]
    delivery: dict[str, Any] = {
        "ref_base64": _encoded(job.ref),
        "sms" if job.channel == "SMS" else "email": job.address,
        "delivery_attempts": [_attempt(job, attempts[-1], times[attempts[-1]])] if attempts else [],
    }
    events = _sms_events(steps, times) if job.channel == "SMS" else _mail_events(steps, times)
    told = {
        "job_id": job.job_id,
        "billing_code_base64": _encoded(job.billing_code),
        "customer_reference_base64": _encoded(job.customer_reference),
        "entry_time": _iso(job.accepted_at),
        "job_state": _job_state(attempts, age >= timedelta(seconds=life_s)),
        "deliveries": [delivery | ({"events": events} if events else {})],
    }
    return told if job.channel == "SMS" else told | _mail_extras(job, steps)


def _attempt(job: Job, step: Step, at: str) -> dict[str, Any]:
    ahead = timedelta(hours=1 if step.word == "Sent" and job.quirk % 4 == 0 else 0)
    first = _iso(datetime.fromisoformat(at) + ahead)
    return {"state": step.word, "first_attempt": first} | (
        {"gamma_code": step.gamma} if step.gamma or job.quirk % 2 else {}
    )


def _job_state(attempts: Sequence[Step], old: bool) -> list[str]:
    word = attempts[-1].word if attempts else "Pending"
    if word == "Sent":
        return ["Complete", "Posted"] if old else ["Complete"]
    return [word]


def _sms_events(steps: Sequence[Step], times: Mapping[Step, str]) -> dict[str, Any]:
    """The one word seen in real answers is Confirmed; a failure carries its code in the message."""
    events = []
    for step in steps:
        if step.kind == "status":
            word = {"2": "Confirmed", "4": "Buffered", "5": "Undelivered"}[step.word[0]]
            message = "" if word == "Confirmed" else f"{step.word} {step.text}"
            events.append({"event_time": times[step], "status": word, "message": message, "tags": []})
    found: dict[str, Any] = {"sms_delivery_events": events} if events else {}
    return found | _opt_out(steps, times)


def _mail_events(steps: Sequence[Step], times: Mapping[Step, str]) -> dict[str, Any]:
    dsns = [
        {"event_time": times[step], "status": step.word, "message": step.text, "class": step.word[0]}
        for step in steps
        if step.kind == "status"
    ]
    told: dict[str, Any] = {"dsn": dsns[0] if len(dsns) == 1 else dsns} if dsns else {}
    for kind, name in (("open", "html_open"), ("pull", "pull")):
        if found := [{"event_time": times[step]} for step in steps if step.kind == kind]:
            told[name] = found
    told |= _opt_out(steps, times)
    return {"email_delivery_events": told} if told else {}


def _opt_out(steps: Sequence[Step], times: Mapping[Step, str]) -> dict[str, Any]:
    found = [{"event_time": times[step]} for step in steps if step.kind == "opt_out"]
    return {"opt_out": found[0]} if found else {}


def _mail_extras(job: Job, steps: Sequence[Step]) -> dict[str, Any]:
    opened, pulled = (sum(step.kind == kind for step in steps) for kind in ("open", "pull"))
    files = [
        {
            "attachment_id": str(number),
            "name_base64": _encoded(file["name"]),
            "size": file["size"],
            "flags": [],
            "content_type": file["type"],
            "total_pull_count": pulled,
            "distinct_pull_count": min(pulled, 1),
        }
        for number, file in enumerate(job.attachments, 1)
    ]
    tracking = {"total_open_count": opened, "distinct_open_count": min(opened, 1)}
    return {"html_open_tracking": tracking, "attachments": files}


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
