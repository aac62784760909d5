"""Entries keep what the next step needs and forget what it must not use."""

from schemas.models import DeliveryState, LedgerState
from streams.core import ledger
from tests.core.given import at, request


def test_equal_messages_have_equal_hashes() -> None:
    """The hash names what is handed over and to whom; time and ids are no part of it."""
    later = request().model_copy(update={"requested_at": at(9)})
    assert ledger.body_hash(request()) == ledger.body_hash(later)
    assert ledger.body_hash(request()) != ledger.body_hash(request(text="other"))
    assert ledger.body_hash(request()) != ledger.body_hash(request(address="other@example.test"))


def test_a_closed_entry_keeps_no_body() -> None:
    """What is settled does not hold personal data any longer than needed."""
    entry = ledger.opened(request(), b"framed", "sink", at(0))
    assert ledger.closed(entry, LedgerState.ACCEPTED, None, at(1), "job-1").request is None


def test_the_count_of_unknown_outcomes_outlives_a_repeat() -> None:
    """That the first try may have left is known as long as the entry is open."""
    entry = ledger.opened(request(), b"framed", "sink", at(0))
    assert ledger.unresolved(entry) == 0
    unknown = ledger.waiting(entry, LedgerState.AMBIGUOUS, ledger.unresolved_reason(2), at(60), at(1))
    assert ledger.unresolved(ledger.intended(unknown, at(60))) == 2


def test_other_reasons_are_not_taken_for_a_count() -> None:
    """Only the ledger's own mark counts unknown outcomes."""
    entry = ledger.opened(request(), b"framed", "sink", at(0))
    for reason in ("timeout", "unresolved_", "unresolved_x", "xunresolved_1"):
        assert ledger.unresolved(ledger.waiting(entry, LedgerState.PLANNED, reason, at(1), at(1))) == 0


def test_the_same_state_is_told_under_the_same_id() -> None:
    """Whoever reports that a delivery was submitted reports one fact."""
    entry = ledger.opened(request(), b"framed", "sink", at(0))
    one = ledger.feedback(entry, DeliveryState.SUBMITTED, at(1))
    other = ledger.feedback(entry, DeliveryState.SUBMITTED, at(9))
    assert one.feedback_id == other.feedback_id
    assert one.feedback_id != ledger.feedback(entry, DeliveryState.FAILED, at(1)).feedback_id
