"""One hand-over per delivery, whatever the sink and the network do."""

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.models import ConsentState, DeliveryState, LedgerEntry, LedgerState, NotificationRequest, Permissions
from streams.core import ledger
from streams.core.notify import (
    AlreadyDone,
    Intend,
    Outcome,
    Park,
    Query,
    Retries,
    Settled,
    Sink,
    Step,
    Suppress,
    Wait,
    answer,
    plan,
    settle,
)
from streams.errors import Ambiguous, Misconfigured, Reject, Retry
from tests.core.given import Job, Promise, at, choice, permissions, request

KEYED = Sink("sink", Promise("key", "none"))
BLIND = Sink("sink", Promise("none", "none"))
ASKED = Sink("sink", Promise("none", "by_key"))
GRANT = permissions(choice(ConsentState.GRANTED, 0))


def planned(
    entry: LedgerEntry | None,
    now: datetime,
    sink: Sink = KEYED,
    asked: NotificationRequest | None = None,
    known: Permissions | None = None,
) -> Step:
    """The next step of the example delivery."""
    return plan(entry, asked or request(), b"framed", known, sink, now)


def intent(sink: Sink = KEYED) -> LedgerEntry:
    """The entry of a first attempt."""
    step = planned(None, at(0), sink)
    assert isinstance(step, Intend)
    return step.entry


def test_an_intent_is_recorded_before_anything_is_submitted() -> None:
    """The first step of a delivery is an entry that says what is about to happen and keeps the request."""
    entry = intent()
    assert (entry.state, entry.attempt, entry.request, entry.provider) == (LedgerState.INTENT, 1, b"framed", "sink")
    assert entry.body_hash == ledger.body_hash(request())


def test_acceptance_closes_the_entry_and_is_told() -> None:
    """An accepted hand-over has a provider id, keeps no body and is reported as submitted."""
    done = settle(intent(), Job(), KEYED, at(1))
    assert (done.entry.state, done.entry.provider_id, done.entry.request) == (LedgerState.ACCEPTED, "job-1", None)
    assert done.feedback is not None
    assert done.feedback.state is DeliveryState.SUBMITTED
    assert done.timer is None
    assert isinstance(planned(done.entry, at(2)), AlreadyDone)


def test_a_certain_refusal_is_tried_again_later() -> None:
    """What was certainly not accepted is planned again, after the sink's wish or our own delay."""
    later = settle(intent(), Retry("throttled", after=42), KEYED, at(0))
    assert (later.entry.state, later.entry.retry_at, later.feedback) == (LedgerState.PLANNED, at(42), None)
    assert later.timer is not None
    assert later.timer.due_at == at(42)
    assert isinstance(planned(later.entry, at(41)), Wait)
    again = planned(later.entry, at(42))
    assert isinstance(again, Intend)
    assert again.entry.attempt == 2


def test_delays_grow_and_the_last_one_repeats() -> None:
    """The schedule is followed and its last delay is used again and again."""
    sink, entry, now, waits = Sink("sink", Promise(), Retries(delays_s=(1, 10))), intent(), 0.0, []
    for _ in range(4):
        settled = settle(entry, Retry("unreachable"), sink, at(now))
        assert settled.entry.retry_at is not None
        waits.append((settled.entry.retry_at - at(now)).total_seconds())
        now += waits[-1]
        step = planned(settled.entry, at(now), sink)
        assert isinstance(step, Intend)
        entry = step.entry
    assert waits == [1, 10, 10, 10]


def test_patience_ends_at_a_person() -> None:
    """After the last attempt the delivery is parked and told, not forgotten."""
    settled = settle(intent(), Retry("unreachable"), Sink("sink", Promise(), Retries(max_attempts=1)), at(0))
    assert settled.entry.state is LedgerState.PARKED
    assert settled.feedback is not None
    assert (settled.feedback.state, settled.feedback.reason) == (DeliveryState.PARKED, "sink_unavailable")


def test_a_refusal_for_good_is_told_as_failed() -> None:
    """A rejected delivery is closed with the sink's reason, so that a ladder moves on."""
    settled = settle(intent(), Reject("address_invalid", "not a number"), KEYED, at(0))
    assert settled.entry.state is LedgerState.REFUSED
    assert settled.feedback is not None
    assert (settled.feedback.state, settled.feedback.reason) == (DeliveryState.FAILED, "address_invalid")


def test_wrong_credentials_drop_nothing() -> None:
    """A delivery that met a misconfigured sink waits as long as that takes."""
    sink = Sink("sink", Promise(), Retries(max_attempts=1))
    settled = settle(intent(), Misconfigured("unauthorized"), sink, at(0))
    assert (settled.entry.state, settled.entry.request, settled.feedback) == (LedgerState.PLANNED, b"framed", None)
    assert settled.timer is not None


def test_an_unknown_outcome_is_repeated_under_the_same_key_where_that_is_safe() -> None:
    """At a sink that takes equal keys for one, the same body is submitted again after a minute."""
    unknown = settle(intent(), Ambiguous("timeout"), KEYED, at(0))
    assert (unknown.entry.state, unknown.entry.retry_at) == (LedgerState.AMBIGUOUS, at(60))
    again = planned(unknown.entry, at(60))
    assert isinstance(again, Intend)
    assert again.entry.body_hash == intent().body_hash


def test_an_unknown_outcome_is_never_guessed() -> None:
    """At a sink without any promise nothing is submitted a second time: a person must look."""
    unknown = settle(intent(BLIND), Ambiguous("timeout"), BLIND, at(0))
    step = planned(unknown.entry, at(60), BLIND)
    assert isinstance(step, Park)
    assert step.feedback.state is DeliveryState.PARKED


def test_a_sink_that_can_be_asked_is_asked() -> None:
    """A status query settles an unknown outcome either way."""
    unknown = settle(intent(ASKED), Ambiguous("timeout"), ASKED, at(0)).entry
    assert isinstance(planned(unknown, at(60), ASKED), Query)
    found = answer(unknown, Job(), ASKED, at(60))
    assert found.entry.state is LedgerState.ACCEPTED
    absent = answer(unknown, None, ASKED, at(60))
    assert absent.entry.state is LedgerState.PLANNED
    assert isinstance(planned(absent.entry, at(60), ASKED), Intend)


def test_a_query_without_an_answer_is_asked_again_and_then_left_to_a_person() -> None:
    """Queries follow the schedule of one, five and fifteen minutes; then the delivery is parked."""
    entry, now, seen = settle(intent(ASKED), Ambiguous("timeout"), ASKED, at(0)).entry, 60.0, []
    while entry.state is LedgerState.AMBIGUOUS:
        settled = answer(entry, Retry("unreachable"), ASKED, at(now))
        entry = settled.entry
        seen.append((entry.retry_at - at(now)).total_seconds() if entry.retry_at else None)
        now += seen[-1] or 0
    assert seen == [300, 900, None]
    assert entry.state is LedgerState.PARKED


def test_a_misconfigured_query_waits() -> None:
    """Credentials that fail while asking do not use up the questions."""
    unknown = settle(intent(ASKED), Ambiguous("timeout"), ASKED, at(0)).entry
    put_off = answer(unknown, Misconfigured("forbidden"), ASKED, at(60)).entry
    assert (put_off.state, ledger.unresolved(put_off)) == (LedgerState.AMBIGUOUS, 1)


def test_an_intent_found_again_is_an_unknown_outcome() -> None:
    """After a crash between intent and answer nobody knows; it is never a fresh start."""
    step = planned(intent(), at(5))
    assert isinstance(step, Wait)
    assert (step.entry.state, step.timer.due_at) == (LedgerState.AMBIGUOUS, at(65))


def test_a_refused_repeat_does_not_settle_the_first_try() -> None:
    """A repeat that was certainly not done says nothing about what happened before it."""
    unknown = settle(intent(), Ambiguous("timeout"), KEYED, at(0))
    again = planned(unknown.entry, at(60))
    assert isinstance(again, Intend)
    after = settle(again.entry, Retry("unreachable"), KEYED, at(61))
    assert after.entry.state is LedgerState.AMBIGUOUS


def test_a_key_that_may_be_used_never_carries_another_body() -> None:
    """A second composition of a delivery whose outcome is unknown is not submitted under its key."""
    unknown = settle(intent(), Ambiguous("timeout"), KEYED, at(0)).entry
    step = planned(unknown, at(60), asked=request(text="another"))
    assert isinstance(step, Park)
    assert step.entry.reason == "body_changed"


def test_a_key_that_was_certainly_not_used_is_free() -> None:
    """After a certain refusal the entry stands for what is submitted next."""
    put_off = settle(intent(), Retry("throttled"), KEYED, at(0)).entry
    step = planned(put_off, at(60), asked=request(text="another"))
    assert isinstance(step, Intend)
    assert step.entry.body_hash == ledger.body_hash(request(text="another"))


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        (None, "consent_absent"),
        (permissions(), "consent_absent"),
        (permissions(choice(ConsentState.WITHDRAWN, 1)), "consent_withdrawn"),
        (permissions(choice(ConsentState.GRANTED, 1), choice(ConsentState.WITHDRAWN, 2, "all")), "consent_withdrawn"),
        (permissions(choice(ConsentState.GRANTED, 0), blocked=("EMAIL",)), "channel_blocked"),
    ],
)
def test_marketing_is_checked_right_before_it_leaves(known: Permissions | None, reason: str) -> None:
    """Without a grant that holds now, an advertisement is suppressed with its reason."""
    step = planned(None, at(0), asked=request("marketing", "cart_reminder"), known=known)
    assert isinstance(step, Suppress)
    assert (step.entry.state, step.entry.reason) == (LedgerState.SUPPRESSED, reason)
    assert (step.feedback.state, step.feedback.reason) == (DeliveryState.SUPPRESSED, reason)


def test_a_withdrawal_stops_a_retry() -> None:
    """Consent is looked at again before every attempt."""
    asked = request("marketing", "cart_reminder")
    first = planned(None, at(0), asked=asked, known=GRANT)
    assert isinstance(first, Intend)
    put_off = settle(first.entry, Retry("throttled"), KEYED, at(0)).entry
    withdrawn = permissions(choice(ConsentState.WITHDRAWN, 3))
    assert isinstance(planned(put_off, at(60), asked=asked, known=withdrawn), Suppress)


def test_a_withdrawal_stops_a_repeat_without_claiming_that_nothing_left() -> None:
    """When the first try may have left, the entry is parked, not suppressed."""
    asked = request("marketing", "cart_reminder")
    first = planned(None, at(0), asked=asked, known=GRANT)
    assert isinstance(first, Intend)
    unknown = settle(first.entry, Ambiguous("timeout"), KEYED, at(0)).entry
    step = planned(unknown, at(60), asked=asked, known=permissions(choice(ConsentState.WITHDRAWN, 3)))
    assert isinstance(step, Park)
    assert step.entry.reason == "consent_withdrawn"


def test_what_expired_does_not_leave() -> None:
    """After its last instant a delivery is suppressed, also after an outage."""
    asked = request(not_after=at(10))
    assert isinstance(planned(None, at(10), asked=asked), Intend)
    step = planned(None, at(10.001), asked=asked)
    assert isinstance(step, Suppress)
    assert step.entry.reason == "expired"


def test_a_delivery_without_an_address_does_not_leave() -> None:
    """Nothing is handed over to nowhere."""
    step = planned(None, at(0), asked=request(address=""))
    assert isinstance(step, Suppress)
    assert step.entry.reason == "address_invalid"


OUTCOMES = st.sampled_from(["accept", "retry", "throttle", "reject", "ambiguous", "ambiguous_done", "crash", "wrong"])
PROMISES = st.sampled_from([KEYED, BLIND, ASKED])


class World:
    """A sink that knows what it really accepted, and a ledger that does not."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.entry: LedgerEntry | None = None
        self.accepted = 0
        self.may_have_left = False
        self.now = 0.0

    def submit(self, word: str) -> None:
        """One attempt; `word` says what happens at the sink and on the way back."""
        assert self.entry is not None
        reaches = word in {"accept", "ambiguous_done", "crash"}
        if reaches and not (self.accepted and self.sink is KEYED):
            self.accepted += 1
        if word == "crash":
            return
        answers: dict[str, Outcome] = {
            "accept": Job(),
            "retry": Retry("unreachable"),
            "throttle": Retry("throttled", after=99),
            "reject": Reject("http_422"),
            "ambiguous": Ambiguous("timeout"),
            "ambiguous_done": Ambiguous("timeout"),
            "wrong": Misconfigured("unauthorized"),
        }
        self.keep(settle(self.entry, answers[word], self.sink, at(self.now)))

    def ask(self, word: str) -> None:
        """One status query."""
        assert self.entry is not None
        found = Job() if self.accepted else None
        self.keep(answer(self.entry, Retry("unreachable") if word == "retry" else found, self.sink, at(self.now)))

    def keep(self, settled: Settled) -> None:
        """The entry as it is now."""
        self.entry = settled.entry


@settings(max_examples=60, deadline=None)
@given(PROMISES, st.lists(OUTCOMES, max_size=12))
def test_nobody_ever_gets_a_delivery_twice(sink: Sink, words: list[str]) -> None:
    """Through refusals, time-outs and crashes the sink accepts at most once, and an accepted entry was accepted."""
    world = World(sink)
    for word in words:
        step = planned(world.entry, at(world.now), sink)
        before, world.entry = world.entry, step.entry
        if isinstance(step, Intend):
            if before is not None and ledger.unresolved(before):
                assert sink.promise.idempotency == "key"
            world.submit(word)
        elif isinstance(step, Query):
            world.ask(word)
        world.now += 1000
    assert world.accepted <= 1
    if world.entry is not None and world.entry.state is LedgerState.ACCEPTED:
        assert world.accepted == 1
    if world.entry is not None and world.entry.state is LedgerState.SUPPRESSED:
        assert world.accepted == 0
