"""What one status snapshot says about one destination, fact by fact. Pure.

A hand-over is not a delivery: "Sent" stays SENT until a later event confirms it. A word nobody has told us of is kept
as UNKNOWN.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.opentext_notifications import dsn
from connectors.opentext_notifications.fields import first, integer, masked, objects, text
from connectors.opentext_notifications.vocabulary import Vocabulary
from schemas.models import DeliveryState

_UNDECIDED = frozenset({DeliveryState.SUBMITTED, DeliveryState.DEFERRED, DeliveryState.UNKNOWN})
_ENDED = frozenset({DeliveryState.FAILED, DeliveryState.CANCELLED, DeliveryState.EXPIRED})
_REASONS: Mapping[DeliveryState, str] = {
    DeliveryState.UNKNOWN: "unknown_word",
    DeliveryState.FAILED: "provider_error",
    DeliveryState.UNDELIVERED: "provider_error",
    DeliveryState.REJECTED: "provider_error",
    DeliveryState.EXPIRED: "expired_or_unreachable",
    DeliveryState.DEFERRED: "temporary",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One statement. `word` is the provider's, `at` the provider's time as given or None when there is none."""

    kind: str
    word: str
    state: DeliveryState
    at: Any = None
    reason: str | None = None
    detail: str | None = None
    gamma: int | None = None


def facts(snapshot: Mapping[str, Any], delivery: Mapping[str, Any], words: Vocabulary) -> Iterator[Fact]:
    """Every fact about one destination, in the snapshot's order."""
    attempts = [_attempt(attempt, words) for attempt in objects(delivery, "delivery_attempts")]
    yield from attempts
    yield from _job(snapshot, attempts, words)
    for events in objects(delivery, "events"):
        yield from _opt_out(events, words)
        for event in objects(events, "sms_delivery_events"):
            yield _sms(event, words)
        for mail in objects(events, "email_delivery_events"):
            yield from _mail(mail, words)


def _attempt(attempt: Mapping[str, Any], words: Vocabulary) -> Fact:
    word, gamma = text(attempt.get("state")), integer(attempt.get("gamma_code"))
    state = words.attempts.get(word.casefold(), DeliveryState.UNKNOWN)
    if gamma and state is DeliveryState.SENT:
        state = words.gamma.get(gamma, DeliveryState.UNDELIVERED)
    detail = f"gamma {gamma}" if gamma else _strange(state, word)
    return Fact("attempt", word, state, attempt.get("first_attempt"), _REASONS.get(state), detail, gamma)


def _job(snapshot: Mapping[str, Any], attempts: Sequence[Fact], words: Vocabulary) -> Iterator[Fact]:
    """The job's own words count while no attempt decides: "Expired" after "Sent" ends the job, not the delivery."""
    if any(attempt.state not in _UNDECIDED for attempt in attempts):
        return
    said = snapshot.get("job_state")
    for word in map(text, said if isinstance(said, list) else [said] if said else []):
        state = words.attempts.get(word.casefold(), DeliveryState.UNKNOWN)
        if word.casefold() not in words.job_notes and (state in _ENDED or not attempts):
            yield Fact("job", word, state, None, _REASONS.get(state), _strange(state, word))


def _sms(event: Mapping[str, Any], words: Vocabulary) -> Fact:
    word, message = text(event.get("status")), text(event.get("message"))
    state, at = words.sms_events.get(word.casefold()), first(words.event_time, event)
    code, detail = _code({"dsn": event}, words, word, message), masked(f"{word} {message}".strip()) or None
    if code and state in (None, DeliveryState.UNDELIVERED):
        found = dsn.sms_cause(code, message)
        return Fact("sms", word, found.state, at, found.reason, detail)
    state = state or DeliveryState.UNKNOWN
    return Fact("sms", word, state, at, _REASONS.get(state), detail)


def _mail(mail: Mapping[str, Any], words: Vocabulary) -> Iterator[Fact]:
    for event in filter(None, objects(mail, "dsn")):
        yield _dsn({**mail, "dsn": event}, words)
    for event in objects(mail, "html_open"):
        yield Fact("html_open", "open", DeliveryState.OPENED, first(words.event_time, event))
    for event in objects(mail, "pull"):
        yield Fact("pull", "pull", DeliveryState.OPENED, first(words.event_time, event), detail="attachment pulled")
    yield from _opt_out(mail, words)


def _dsn(mail: Mapping[str, Any], words: Vocabulary) -> Fact:
    message, action = text(first(words.dsn_text, mail)), text(first(words.dsn_action, mail))
    code, at = _code(mail, words, text(first(words.dsn_code, mail)), message), first(words.event_time, mail["dsn"])
    found = dsn.cause(code, message, action) if code else dsn.worded(message)
    detail = masked(f"{code or ''} {message}".strip()) or None
    if found is None:
        return Fact("dsn", masked(message), DeliveryState.UNKNOWN, at, "unknown_word", detail)
    return Fact("dsn", str(code or found.reason), found.state, at, found.reason, detail)


def _code(event: Mapping[str, Any], words: Vocabulary, given: str, message: str) -> dsn.Code | None:
    """The code as one string wins over its three parts, and a specific code over an unspecific one."""
    parts = [integer(first(paths, event)) or 0 for paths in (words.dsn_class, words.dsn_subject, words.dsn_detail)]
    return dsn.find(given, ".".join(map(str, parts)), message)


def _opt_out(events: Mapping[str, Any], words: Vocabulary) -> Iterator[Fact]:
    found = first(words.opt_out, events)
    for event in objects({"opt_out": found}, "opt_out") if found else []:
        yield Fact("opt_out", "opt_out", DeliveryState.UNSUBSCRIBED, first(words.event_time, event), "opt_out")


def _strange(state: DeliveryState, word: str) -> str | None:
    return masked(word, 80) if state is DeliveryState.UNKNOWN else None
