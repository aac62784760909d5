"""Receipts lead to the same state in any order, and only news is told."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.models import DeliveryState as S
from schemas.models import Feedback, LedgerEntry, LedgerState
from streams.core import ledger
from streams.core.track import Polling, Tracked, apply, feedback_record, next_poll, polled
from streams.core.track_state import RANK, Kept, TrackState, from_bytes
from tests.core.given import at, request

STATES = [state for state in S if state is not S.UNKNOWN]
RECEIPTS = st.lists(st.tuples(st.sampled_from(STATES), st.integers(0, 5)), max_size=7)


def accepted() -> LedgerEntry:
    """The entry of an accepted delivery."""
    opened = ledger.opened(request(), b"framed", "sink", at(0))
    return ledger.closed(opened, LedgerState.ACCEPTED, None, at(0), "job-1")


def receipt(state: str, seconds: float = 0, fingerprint: str | None = None) -> Kept:
    """One fact from the provider."""
    return Kept(fingerprint or f"{state}:{seconds}", state, at(seconds))


def told(*states: S) -> Tracked:
    """What becomes of an accepted delivery after receipts one second apart."""
    tracked = apply(None, accepted(), [], at(0))
    feedbacks: tuple[Feedback, ...] = ()
    for seconds, state in enumerate(states, 1):
        tracked = apply(tracked.state, None, [receipt(state, seconds)], at(seconds))
        feedbacks += tracked.feedbacks
    return Tracked(tracked.state, feedbacks)


@pytest.mark.parametrize(
    ("states", "current"),
    [
        ([S.SENT, S.DELIVERED, S.OPENED], S.OPENED),
        ([S.DELIVERED, S.BOUNCED_HARD], S.BOUNCED_HARD),
        ([S.BOUNCED_SOFT, S.DELIVERED], S.DELIVERED),
        ([S.DELIVERED, S.BOUNCED_SOFT], S.BOUNCED_SOFT),
        ([S.DEFERRED, S.DELIVERED], S.DELIVERED),
        ([S.DELIVERED, S.SENT], S.DELIVERED),
        ([S.BOUNCED_HARD, S.OPENED], S.BOUNCED_HARD),
        ([S.DELIVERED, S.COMPLAINED], S.COMPLAINED),
        ([S.DELIVERED, S.UNSUBSCRIBED], S.DELIVERED),
        ([S.OPENED, S.BOUNCED_SOFT, S.DELIVERED], S.OPENED),
    ],
)
def test_the_highest_rank_counts(states: list[S], current: S) -> None:
    """A later bounce wins over a delivery, a later delivery over a soft bounce, and nothing lower comes back."""
    assert told(*states).state.current is current


@settings(max_examples=60, deadline=None)
@given(RECEIPTS, st.randoms(), st.integers(1, 3))
def test_order_repeats_and_bundles_do_not_matter(facts: list[tuple[S, int]], chance: Random, size: int) -> None:
    """The same receipts in any order, any bundles and any number lead to the same state."""
    receipts = [receipt(state, seconds) for state, seconds in facts]
    straight = apply(apply(None, accepted(), [], at(0)).state, None, receipts, at(9)).state
    shuffled = [*receipts, *receipts]
    chance.shuffle(shuffled)
    crooked = TrackState()
    bundles = [shuffled[start : start + size] for start in range(0, len(shuffled), size)]
    for number, bundle in enumerate([*bundles, []]):
        # The ledger arrives somewhere in between.
        entry = accepted() if number == len(bundles) // 2 else None
        crooked = apply(crooked, entry, bundle, at(9)).state
    assert (crooked.current, crooked.facts) == (straight.current, straight.facts)


@settings(max_examples=60, deadline=None)
@given(RECEIPTS)
def test_news_is_told_once(facts: list[tuple[S, int]]) -> None:
    """No feedback has the id of another, and a receipt that changes nothing is no news."""
    receipts = [receipt(state, seconds) for state, seconds in facts]
    state, ids = apply(None, accepted(), [], at(0)).state, []
    for _ in range(2):
        for item in receipts:
            tracked = apply(state, None, [item], at(9))
            state = tracked.state
            ids += [feedback.feedback_id for feedback in tracked.feedbacks]
    assert len(ids) == len(set(ids))


@settings(max_examples=60, deadline=None)
@given(RECEIPTS)
def test_a_snapshot_is_told_in_the_order_of_life(facts: list[tuple[S, int]]) -> None:
    """From one snapshot with several facts the outcomes are told from the lowest rank to the highest."""
    tracked = apply(None, accepted(), [receipt(state, seconds) for state, seconds in facts], at(9))
    ranks = [RANK[feedback.state] for feedback in tracked.feedbacks if feedback.state in RANK]
    assert all(low <= high for low, high in pairwise(ranks))


def test_receipts_wait_for_the_ledger() -> None:
    """A receipt that overtakes the ledger is kept and told once the delivery is known."""
    early = apply(None, None, [receipt(S.DELIVERED, 1)], at(1))
    assert early.feedbacks == ()
    known = apply(early.state, accepted(), [], at(2))
    assert [feedback.state for feedback in known.feedbacks] == [S.DELIVERED]
    assert known.state.waiting == ()


def test_every_opt_out_is_told() -> None:
    """An opt-out never changes the delivery's state and is told each time it happens."""
    tracked = told(S.DELIVERED, S.UNSUBSCRIBED, S.UNSUBSCRIBED)
    assert [feedback.state for feedback in tracked.feedbacks] == [S.DELIVERED, S.UNSUBSCRIBED, S.UNSUBSCRIBED]


def test_a_word_nobody_knows_changes_nothing() -> None:
    """An unmapped state never overwrites a known one."""
    state = told(S.DELIVERED).state
    tracked = apply(state, None, [receipt("LEVITATED", 9), receipt(S.UNKNOWN, 9)], at(9))
    assert tracked.state.current is S.DELIVERED
    assert tracked.feedbacks == ()


def test_feedback_says_what_happened_to_which_order() -> None:
    """An outcome names delivery, order, provider's job and both times."""
    tracked = apply(apply(None, accepted(), [], at(0)).state, None, [receipt(S.DELIVERED, 3)], at(9))
    (feedback,) = tracked.feedbacks
    assert (feedback.delivery_id, feedback.about, feedback.provider_id) == (
        request().delivery_id,
        request().about,
        "job-1",
    )
    assert (feedback.occurred_at, feedback.recorded_at) == (at(3), at(9))
    record = feedback_record(feedback, b"fact")
    assert (record.kind, record.subject, record.recorded_at) == ("communication.feedback", request().subject, at(9))


def test_what_the_ledger_told_is_not_told_again() -> None:
    """The hand-over itself is reported by the ledger; a receipt that repeats it shares its id or is no news."""
    assert told(S.SUBMITTED).feedbacks == ()
    intent = ledger.intended(ledger.opened(request(), b"framed", "sink", at(0)), at(0))
    (feedback,) = apply(None, intent, [receipt(S.SUBMITTED, 1)], at(1)).feedbacks
    assert feedback.feedback_id == ledger.feedback(accepted(), S.SUBMITTED, at(5)).feedback_id


def test_an_open_entry_does_not_reopen_a_closed_one() -> None:
    """An old ledger record that arrives late does not undo the last word."""
    state = apply(None, accepted(), [], at(0)).state
    old = ledger.opened(request(), b"framed", "sink", at(0))
    assert apply(state, old, [], at(1)).state == state


def test_state_is_small_and_survives_storage() -> None:
    """What is stored comes back, without the message itself, also under another version."""
    state = apply(None, accepted(), [receipt(S.SENT, 1)], at(1)).state
    assert from_bytes(state.to_bytes()) == state
    assert b"framed" not in state.to_bytes()
    newer = state.to_bytes().replace(b'"SENT"', b'"LEVITATED"').replace(b'"polls"', b'"polish"')
    assert from_bytes(newer).current is S.SUBMITTED
    waiting = apply(None, None, [receipt(S.SENT, 1)], at(1)).state
    assert from_bytes(waiting.to_bytes()) == waiting


def test_polls_thin_out_and_end() -> None:
    """One, five, fifteen and sixty minutes, then every hour until three days are over."""
    waits, attempts = [], 0
    while (seconds := next_poll(attempts, Polling())) is not None:
        waits.append(seconds)
        attempts += 1
    assert waits[:5] == [60, 300, 900, 3600, 3600]
    assert 72 * 3600 <= sum(waits) < 73 * 3600


def test_a_finished_delivery_is_not_polled() -> None:
    """Polling starts with the acceptance and ends with the outcome."""
    started = apply(None, accepted(), [], at(0))
    assert started.timer is not None
    assert (started.timer.due_at, started.timer.about) == (at(60), request().delivery_id)
    assert apply(started.state, accepted(), [], at(1)).timer is None
    state, timer = polled(started.state, at(60))
    assert timer is not None
    assert timer.due_at == at(360)
    done = apply(state, None, [receipt(S.DELIVERED, 70)], at(70)).state
    assert polled(done, at(360))[1] is None
