"""Time as the core sees it: an alarm is asked for here and comes back as a record of the inbox when it is due."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.models import InboxRecord, TimerDue
from streams.core.ids import timer_id

KIND = "timer.due"


@dataclass(frozen=True, slots=True)
class Timer:
    """One alarm of one subject. `purpose` says what to do, `about` names the communication or delivery."""

    timer_id: str
    due_at: datetime
    subject: str
    tenant: str
    brand: str
    purpose: str
    about: str

    def due(self) -> TimerDue:
        """The fact that is recorded when the alarm goes off."""
        return TimerDue(
            timer_id=self.timer_id, subject=self.subject, due_at=self.due_at, purpose=self.purpose, about=self.about
        )

    def record(self, fact: bytes) -> InboxRecord:
        """The inbox record around `fact`, the encoded `due()`. Its time is when it was due, not when that was seen."""
        return InboxRecord(
            record_id=self.timer_id,
            subject=self.subject,
            kind=KIND,
            tenant=self.tenant,
            brand=self.brand,
            recorded_at=self.due_at,
            fact=fact,
        )


def later(at: datetime, seconds: float) -> datetime:
    """`at` plus `seconds`, in whole milliseconds: what a record cannot hold exactly would never be reached exactly."""
    then = at + timedelta(seconds=seconds)
    return then.replace(microsecond=then.microsecond // 1000 * 1000)


def alarm(owner: tuple[str, str, str], purpose: str, about: str, due_at: datetime) -> Timer:
    """A timer of `owner` (subject, tenant, brand); its id follows from what it is about and when."""
    due_at = later(due_at, 0)
    subject, tenant, brand = owner
    millis = round(due_at.timestamp() * 1000)
    return Timer(timer_id(about, purpose, millis), due_at, subject, tenant, brand, purpose, about)
