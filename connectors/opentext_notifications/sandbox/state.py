"""Everything the messaging sandbox knows: accounts, tokens, accepted jobs, and the knobs a test may turn."""

import hashlib
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from connectors.faults import Faults
from connectors.http import Wire
from connectors.opentext_notifications.sandbox.life import Job, snapshot


class Knobs(BaseModel):
    """How the service behaves; changed at any time with POST /_sandbox/knobs.

    A message lives `life_s` seconds from acceptance to its last event. Of the pushes that are due, `webhook_rate` are
    sent at all; the rest of the outcome is seen by polling only.
    """

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    deduplicates: bool = True
    life_s: float = Field(default=1.0, gt=0)
    purge_after_s: float = Field(default=3 * 86400.0, gt=0)
    webhook_rate: float = Field(default=1.0, ge=0, le=1)
    duplicate_rate: float = Field(default=0.1, ge=0, le=1)
    shuffle_rate: float = Field(default=0.1, ge=0, le=1)
    batch_rate: float = Field(default=0.2, ge=0, le=1)
    gzip_rate: float = Field(default=0.1, ge=0, le=1)
    push_attempts: int = Field(default=20, ge=1)


class Webhook(BaseModel):
    """Where statuses are pushed and how the service proves itself: "none", "basic", "bearer" or "hmac"."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    auth: str = Field(default="basic", pattern="^(none|basic|bearer|hmac)$")
    user: str = "opentext"
    password: str = "sandbox-hook"
    token: str = "sandbox-hook"
    secret: str = "sandbox-hook"
    header: str = ""


@dataclass(frozen=True, slots=True)
class Config:
    """What the stand-in accepts at start. `wire` carries its webhooks, `now` is its clock, `seed` its dice."""

    user: str = "tidings"
    password: str = "sandbox-password"
    client_id: str = "tidings"
    client_secret: str = "sandbox-secret"
    token_life_s: float = 900
    knobs: Knobs = field(default_factory=Knobs)
    webhook: Webhook | None = None
    wire: Wire | None = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    seed: int = 1


class State:
    """In memory, gone with the process."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.knobs = config.knobs.model_copy()
        self.faults = Faults(config.seed)
        self.jobs: dict[str, Job] = {}
        self.submissions = 0
        self.deduplicated = 0
        self.requests: Counter[str] = Counter()
        self._by_message: dict[str, str] = {}
        self._tokens: dict[str, datetime] = {}
        self._ahead = timedelta()
        # A restarted stand-in must not give the number of an old job to a new one.
        self._number = secrets.randbelow(10**9) * 1000

    def now(self) -> datetime:
        """The sandbox's time, which `advance` moves ahead of the clock."""
        return self.config.now() + self._ahead

    def advance(self, seconds: float) -> None:
        """Lets time pass at once."""
        self._ahead += timedelta(seconds=seconds)

    def issue(self) -> str:
        """A new token."""
        token = secrets.token_urlsafe(24)
        self._tokens[token] = self.now() + timedelta(seconds=self.config.token_life_s)
        return token

    def knows(self, token: str) -> bool:
        """Whether the token is ours and has not ended."""
        return token in self._tokens and self._tokens[token] > self.now()

    def earlier(self, message_id: str) -> Job | None:
        """The job a repeated message id belongs to, while the service recognises repeats."""
        return self.jobs.get(self._by_message.get(message_id, "")) if self.knobs.deduplicates else None

    def job_id(self) -> str:
        """The next job id: service domain name, dash, number."""
        self._number += 1
        return f"xsi-{self._number}"

    def keep(self, job: Job) -> None:
        """Takes responsibility for a job."""
        self.jobs[job.job_id] = job
        self._by_message.setdefault(job.message_id, job.job_id)

    def told(self, job_id: str, channel: str) -> dict[str, Any] | None:
        """The status answer, or None when the job is unknown, of the other channel or purged."""
        job, now = self.jobs.get(job_id), self.now()
        if job is None or job.channel != channel:
            return None
        end = job.accepted_at + timedelta(seconds=self.knobs.life_s + self.knobs.purge_after_s)
        return None if now >= end else snapshot(job, now, self.knobs.life_s)

    def journal(self) -> dict[str, Any]:
        """The whole state, for assertions; `to_hash` is the SHA-256 of the lower-case address as submitted."""
        return {
            "accepted": [_entry(job) for job in self.jobs.values()],
            "submissions": self.submissions,
            "deduplicated": self.deduplicated,
            "outcomes": dict(Counter(job.outcome for job in self.jobs.values())),
            "requests": dict(self.requests),
        }


def _entry(job: Job) -> dict[str, Any]:
    return {
        "job_id": job.job_id,
        "message_id": job.message_id,
        "channel": job.channel,
        "ref": job.ref,
        "customer_reference": job.customer_reference,
        "billing_code": job.billing_code,
        "to_hash": hashlib.sha256(job.address.lower().encode()).hexdigest(),
        "subject_line": job.subject_line,
        "attachments": [{name: file[name] for name in ("name", "sha256", "size")} for file in job.attachments],
        "outcome": job.outcome,
        "at": job.accepted_at.isoformat(),
    }
