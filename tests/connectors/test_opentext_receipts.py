"""What became of deliveries: snapshots give the same facts, however often, in whatever order and by whatever way."""

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import opentext_notifications
from connectors.contract import Receipt
from connectors.opentext_notifications.mapping import receipts
from connectors.opentext_notifications.vocabulary import Vocabulary
from schemas.models import DeliveryState
from streams.errors import Reject

NOW = datetime(2026, 3, 5, tzinfo=UTC)
EVENTS = Path(opentext_notifications.__file__).parent / "fixtures" / "events"
REF = base64.b64encode(b"0123456789abcdef." + b"d" * 31 + b"1").decode()


def read(snapshot: Any, at: datetime = NOW, words: Vocabulary | None = None) -> Sequence[Receipt]:
    """The receipts of a snapshot."""
    return receipts(orjson.dumps(snapshot), at, words or Vocabulary())


def mail(events: Any = None, attempts: Any = (), job_state: Any = ("Complete",)) -> dict[str, Any]:
    """A snapshot of an e-mail."""
    delivery = {"ref_base64": REF, "email": "ada@example.test", "delivery_attempts": list(attempts)}
    told = {"events": {"email_delivery_events": events}} if events else {}
    return {"job_id": "xsi-1", "job_state": list(job_state), "deliveries": [{**delivery, **told}]}


def sms(*events: Mapping[str, Any]) -> dict[str, Any]:
    """A snapshot of an SMS."""
    delivery = {"ref_base64": REF, "sms": "15550100001", "events": {"sms_delivery_events": list(events)}}
    return {"job_id": "xsi-1", "deliveries": [delivery]}


def states(found: Sequence[Receipt]) -> list[str]:
    """The states in order."""
    return [receipt.state for receipt in found]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sms_confirmed", [("SENT", None), ("DELIVERED", None)]),
        ("sms_undelivered", [("SENT", None), ("BOUNCED_HARD", "bad_mailbox")]),
        ("sms_pending", [("SUBMITTED", None)]),
        ("email_delivered", [("SENT", None), ("DELIVERED", None)]),
        ("email_bounced", [("SENT", None), ("BOUNCED_HARD", "bad_mailbox")]),
        (
            "email_opened_and_opted_out",
            [
                ("SENT", None),
                ("DELIVERED", None),
                ("OPENED", None),
                ("OPENED", None),
                ("OPENED", None),
                ("UNSUBSCRIBED", "opt_out"),
            ],
        ),
        ("email_error", [("FAILED", "provider_error")]),
        ("job_expired", [("SUBMITTED", None), ("EXPIRED", "expired_or_unreachable")]),
    ],
)
def test_recorded_statuses_are_read(name: str, expected: list[tuple[str, str | None]]) -> None:
    """Each recorded status gives its facts, for the right delivery, without the recipient's address."""
    found = receipts((EVENTS / f"{name}.json").read_bytes(), NOW, Vocabulary())
    assert [(receipt.state, receipt.reason) for receipt in found] == expected
    for receipt in found:
        assert (receipt.subject, receipt.delivery_id) == ("0123456789abcdef", "d" * 31 + "1")
        assert receipt.occurred_at <= NOW
        assert "example.test" not in str(receipt)
        assert "15550100123" not in str(receipt)


@pytest.mark.parametrize(
    ("code", "state", "reason"),
    [
        ("2.0.0", "DELIVERED", None),
        ("5.1.1", "BOUNCED_HARD", "bad_mailbox"),
        ("5.1.351", "BOUNCED_HARD", "bad_mailbox"),
        ("5.4.310", "BOUNCED_HARD", "bad_domain"),
        ("5.2.1", "BOUNCED_HARD", "mailbox_disabled"),
        ("4.2.2", "BOUNCED_SOFT", "mailbox_full"),
        ("5.2.2", "BOUNCED_SOFT", "mailbox_full"),
        ("5.3.4", "BOUNCED_SOFT", "too_large"),
        ("4.4.7", "EXPIRED", "expired_or_unreachable"),
        ("4.4.1", "BOUNCED_SOFT", "expired_or_unreachable"),
        ("5.4.6", "BOUNCED_SOFT", "loop"),
        ("5.6.9", "BLOCKED", "content"),
        ("5.7.1", "BLOCKED", "policy"),
        ("5.7.26", "BLOCKED", "authentication"),
        ("5.1.8", "BLOCKED", "sender_rejected"),
        ("4.3.0", "BOUNCED_SOFT", "temporary"),
        ("5.9.9", "BOUNCED_SOFT", "other"),
    ],
)
def test_bounce_codes_follow_the_table(code: str, state: str, reason: str | None) -> None:
    """Only an address that can never work is bounced hard; told as one string or in three parts, it is the same."""
    group, subject, detail = code.split(".")
    for dsn in (
        {"status": code},
        {"class": group, "subject": int(subject), "detail": detail},
        {"text": f"reply {code}"},
    ):
        (receipt,) = read(mail({"dsn": dsn}))
        assert (receipt.state, receipt.reason) == (state, reason)


@pytest.mark.parametrize(
    ("dsn", "state"),
    [
        ({"status": "5.0.0", "diagnostic": "smtp; 552 5.2.2 over quota"}, "BOUNCED_SOFT"),
        ({"status": "5.0.0", "diagnostic": "no such user here"}, "BOUNCED_HARD"),
        ({"status": "5.0.0", "diagnostic": "no"}, "BOUNCED_SOFT"),
        ({"status": "4.0.0", "action": "delayed"}, "DEFERRED"),
        ({"status": "4.0.0", "action": "failed", "diagnostic": "554 no"}, "BOUNCED_SOFT"),
        ({"message": "mailbox is full"}, "BOUNCED_SOFT"),
        ({"message": "unheard of"}, "UNKNOWN"),
    ],
)
def test_a_specific_word_wins_over_an_unspecific_code(dsn: dict[str, str], state: str) -> None:
    """What mail systems really write is understood: vague codes with a telling text, delays, and no code at all."""
    assert states(read(mail({"dsn": dsn}))) == [state]


@pytest.mark.parametrize(
    ("event", "state"),
    [
        ({"status": "confirmed"}, "DELIVERED"),
        ({"status": "Buffered"}, "DEFERRED"),
        ({"status": "Failed"}, "UNDELIVERED"),
        ({"status": "Failed", "message": "5.1.1"}, "BOUNCED_HARD"),
        ({"status": "Failed", "message": "5.7.1 filtered"}, "BLOCKED"),
        ({"status": "Failed", "message": "5.3.0 no route"}, "UNDELIVERED"),
        ({"status": "Wobbly", "class": 4}, "DEFERRED"),
        ({"status": "Wobbly"}, "UNKNOWN"),
    ],
)
def test_sms_words_and_codes_lead_to_one_state(event: dict[str, Any], state: str) -> None:
    """Known words count, codes refine failures, and an unknown word changes nothing."""
    (receipt,) = read(sms(event))
    assert receipt.state == state


@pytest.mark.parametrize(
    ("attempt", "state"),
    [
        ({"state": "Pending"}, "SUBMITTED"),
        ({"state": "InProcess"}, "SUBMITTED"),
        ({"state": "Held"}, "DEFERRED"),
        ({"state": "Sent"}, "SENT"),
        ({"state": "Sent", "gamma_code": 0}, "SENT"),
        ({"state": "Sent", "gamma_code": 5000}, "UNDELIVERED"),
        ({"state": "Sent", "gamma_code": 42}, "BLOCKED"),
        ({"state": "Cancelled"}, "CANCELLED"),
        ({"state": "Teleported"}, "UNKNOWN"),
    ],
)
def test_sent_is_not_delivered(attempt: dict[str, Any], state: str) -> None:
    """An attempt says how far the provider got; only a later event says that it arrived."""
    words = Vocabulary(gamma={42: DeliveryState.BLOCKED})
    (receipt,) = read(mail(attempts=[attempt], job_state=[]), words=words)
    assert receipt.state == state


def test_a_job_that_expires_after_sending_takes_nothing_back() -> None:
    """The end of a job is not the end of a delivery that was handed over."""
    assert states(read(mail(attempts=[{"state": "Sent"}], job_state=["Expired"]))) == ["SENT"]
    assert states(read(mail(attempts=[{"state": "Pending"}], job_state=["Expired"]))) == ["SUBMITTED", "EXPIRED"]
    assert states(read(mail(job_state=["Cancelled", "Posted"]))) == ["CANCELLED"]


def test_a_provider_clock_that_runs_ahead_is_not_believed() -> None:
    """No fact happened later than we heard of it, and its identity does not depend on when we did."""
    snapshot = mail({"dsn": {"status": "2.0.0", "event_time": "2026-03-05T01:00:00Z"}})
    (early,), (late,) = read(snapshot), read(snapshot, NOW + timedelta(days=1))
    assert early.occurred_at == NOW
    assert late.occurred_at == datetime(2026, 3, 5, 1, tzinfo=UTC)
    assert early.fingerprint == late.fingerprint


def test_a_word_of_the_tenant_is_one_line_of_configuration() -> None:
    """Field names and words that turn out different are settings."""
    words = Vocabulary(dsn_code=("$.notice.rfc",), sms_events={"Zugestellt": DeliveryState.DELIVERED})
    assert states(read(sms({"status": "ZUGESTELLT"}), words=words)) == ["DELIVERED"]
    assert states(read(mail({"dsn": {"x": 1}, "notice": {"rfc": "5.1.1"}}), words=words)) == ["BOUNCED_HARD"]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"7"])
def test_what_is_no_snapshot_is_rejected(body: bytes) -> None:
    """An unreadable status is a dead letter with its bytes."""
    with pytest.raises(Reject) as refused:
        receipts(body, NOW, Vocabulary())
    assert refused.value.code == "bad_snapshot"


def test_a_job_of_somebody_else_is_rejected_and_never_guessed() -> None:
    """A status without a reference of ours cannot be taken for one of our deliveries."""
    foreign = {"job_id": "xsi-9", "deliveries": [{"ref_base64": "Qy03Nw==", "sms": "1", "delivery_attempts": []}]}
    with pytest.raises(Reject) as refused:
        read(foreign)
    assert refused.value.code == "foreign_job"
    assert read({"job_id": "xsi-9", "job_state": ["Pending"], "deliveries": []}) == []


TIME = st.sampled_from(["2026-03-01T09:00:00.000Z", "2026-03-01T10:00:00+01:00", "2026-03-02T00:00:00Z", None, "soon"])
DSN = st.fixed_dictionaries({"event_time": TIME, "status": st.sampled_from(["2.0.0", "5.1.1", "4.2.2", "?"])})
OPEN = st.fixed_dictionaries({"event_time": TIME})
HISTORY = st.lists(
    st.tuples(st.just("dsn"), DSN) | st.tuples(st.just("html_open"), OPEN) | st.tuples(st.just("opt_out"), OPEN),
    max_size=8,
)


def grown(history: Sequence[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """The snapshot after that much happened."""
    events: dict[str, list[Any]] = {}
    for name, event in history:
        events.setdefault(name, []).append(event)
    return mail(events, attempts=[{"state": "Sent"}])


@given(HISTORY, st.data())
def test_snapshots_in_any_order_and_number_give_the_same_facts(
    history: list[tuple[str, dict[str, Any]]], data: st.DataObject
) -> None:
    """Lost, repeated and overtaking snapshots do not matter as long as the last one comes: the facts are the same."""
    final = {receipt.fingerprint: receipt for receipt in read(grown(history))}
    stages = data.draw(st.lists(st.integers(0, len(history)), max_size=6))
    seen: dict[str, Receipt] = {}
    for stage in data.draw(st.permutations([*stages, len(history)])):
        for receipt in read(grown(history[:stage])):
            seen.setdefault(receipt.fingerprint, receipt)
    assert seen == final
    assert len({(receipt.state, receipt.occurred_at) for receipt in final.values()}) <= len(final)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "deliveries",
                    "delivery_attempts",
                    "events",
                    "sms_delivery_events",
                    "email_delivery_events",
                    "dsn",
                    "opt_out",
                    "state",
                    "gamma_code",
                    "status",
                    "event_time",
                    "first_attempt",
                    "job_state",
                    "ref_base64",
                    "html_open",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON, JSON)
def test_no_snapshot_breaks_the_reader(events: Any, attempts: Any) -> None:
    """Whatever the provider sends, it is read or rejected, the same way twice."""
    delivery = {"ref_base64": REF, "email": "x", "delivery_attempts": attempts, "events": events}
    body = orjson.dumps({"job_id": "xsi-1", "job_state": events, "deliveries": [delivery]})
    first, second = receipts(body, NOW, Vocabulary()), receipts(body, NOW, Vocabulary())
    assert first == second
    assert {receipt.state for receipt in first} <= set(DeliveryState)
