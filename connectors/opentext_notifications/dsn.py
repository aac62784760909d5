"""What a delivery status code (RFC 3463 `class.subject.detail`) means for us. Pure; the one place that judges bounces.

The provider uses the same three parts for e-mail and for SMS receipts. Only an address that can never work becomes
BOUNCED_HARD, because that state blocks it; everything uncertain is soft.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from schemas.models import DeliveryState

_CODE = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_NO_MAILBOX = re.compile(
    r"user unknown|unknown user|no such (user|recipient|mailbox)|does not exist|doesn't exist"
    r"|(invalid|unknown) (recipient|mailbox|subscriber|address)|unallocated|account (is )?(disabled|closed)",
    re.IGNORECASE,
)
_FULL = re.compile(r"over ?quota|quota exceeded|(mailbox|inbox) (is )?full|insufficient storage", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Code:
    """An enhanced status code."""

    group: int
    subject: int
    detail: int

    def __str__(self) -> str:
        return f"{self.group}.{self.subject}.{self.detail}"


@dataclass(frozen=True, slots=True)
class Cause:
    """The state a code leads to and the reason to record."""

    state: DeliveryState
    reason: str | None = None


_HARD, _SOFT, _BLOCKED = DeliveryState.BOUNCED_HARD, DeliveryState.BOUNCED_SOFT, DeliveryState.BLOCKED
_MAILBOX, _DOMAIN, _DISABLED = Cause(_HARD, "bad_mailbox"), Cause(_HARD, "bad_domain"), Cause(_HARD, "mailbox_disabled")
_FULL_BOX, _LARGE = Cause(_SOFT, "mailbox_full"), Cause(_SOFT, "too_large")
_SENDER, _PROOF, _POLICY = (
    Cause(_BLOCKED, "sender_rejected"),
    Cause(_BLOCKED, "authentication"),
    Cause(_BLOCKED, "policy"),
)
_UNREACHABLE = Cause(_SOFT, "expired_or_unreachable")

_PERMANENT: Mapping[tuple[int, int], Cause] = {
    (1, 1): _MAILBOX,
    (1, 3): _MAILBOX,
    (1, 6): _MAILBOX,
    (1, 10): _MAILBOX,
    (1, 351): _MAILBOX,
    (1, 2): _DOMAIN,
    (4, 4): _DOMAIN,
    (4, 310): _DOMAIN,
    (4, 312): _DOMAIN,
    (1, 7): _SENDER,
    (1, 8): _SENDER,
    (2, 1): _DISABLED,
    (2, 2): _FULL_BOX,
    (2, 3): _LARGE,
    (3, 4): _LARGE,
    (4, 6): Cause(_SOFT, "loop"),
    (4, 316): _UNREACHABLE,
    (7, 25): _PROOF,
    (7, 26): _PROOF,
    (7, 515): _PROOF,
}
_TRANSIENT: Mapping[tuple[int, int], Cause] = {
    (2, 2): _FULL_BOX,
    (4, 1): _UNREACHABLE,
    (4, 2): _UNREACHABLE,
    (4, 7): Cause(DeliveryState.EXPIRED, "expired_or_unreachable"),
}


def find(*texts: str) -> Code | None:
    """The first code in the texts; an unspecific x.0.0 yields to a specific one in a later text."""
    vague: Code | None = None
    for text in texts:
        for match in _CODE.finditer(text):
            code = Code(*(int(part) for part in match.groups()))
            if (code.subject, code.detail) != (0, 0):
                return code
            vague = vague or code
    return vague


def cause(code: Code, text: str = "", action: str = "") -> Cause:
    """What a code from a mail system means. `action` is the DSN's own word, such as "delayed"."""
    kind = code.subject, code.detail
    if code.group == 2:
        return Cause(DeliveryState.DELIVERED)
    if code.group == 4:
        delayed = action.strip().lower() == "delayed"
        return _TRANSIENT.get(kind) or Cause(DeliveryState.DEFERRED if delayed else _SOFT, "temporary")
    if known := _PERMANENT.get(kind):
        return known
    if code.subject == 6:
        return Cause(_BLOCKED, "content")
    if code.subject == 7:
        return _POLICY
    return worded(text) or Cause(_SOFT, "other")


def sms_cause(code: Code, text: str = "") -> Cause:
    """What a code in an SMS receipt means: a carrier keeps trying while the class is 4, and has no mailboxes."""
    mail = cause(code, text)
    if code.group == 4:
        return mail if mail.state is DeliveryState.EXPIRED else Cause(DeliveryState.DEFERRED, "temporary")
    if code.group == 5 and mail.state is _SOFT:
        return Cause(DeliveryState.UNDELIVERED, mail.reason)
    return mail


def worded(text: str) -> Cause | None:
    """What a diagnostic without a usable code says, if it says it in well-known words."""
    if _FULL.search(text):
        return _FULL_BOX
    return _MAILBOX if _NO_MAILBOX.search(text) else None
