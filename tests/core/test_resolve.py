"""Facts are filed under the person they are about, once."""

import pytest

from schemas.models import InboxRecord, Source
from streams.core.resolve import KINDS, resolve
from streams.core.samples import CART, CONSENT, CUSTOMER, ORDER, SHIPMENT, SOURCE, WHO
from streams.core.timer import later
from streams.errors import Reject

FACTS = dict(zip(KINDS, (ORDER, SHIPMENT, CART, CUSTOMER, CONSENT), strict=True))


def test_two_platforms_that_know_the_same_mailbox_know_the_same_person() -> None:
    """The subject is born from the normalised address, whatever the platform."""
    other = ORDER.model_copy(
        update={
            "who": WHO.model_copy(update={"platform": "sfcc", "customer_ref": "sfcc:7", "email": "ADA@example.test"})
        }
    )
    assert resolve("commerce.orders", ORDER, None, b"").subject == resolve("commerce.orders", other, None, b"").subject


def test_a_known_customer_keeps_the_subject_when_the_address_changes() -> None:
    """Changing the address does not make another person."""
    before = resolve("commerce.orders", ORDER, None, b"")
    moved = ORDER.model_copy(update={"who": WHO.model_copy(update={"email": "new@example.test"})})
    assert resolve("commerce.orders", moved, before.subject, b"").subject == before.subject
    assert resolve("commerce.orders", moved, None, b"").subject != before.subject


def test_brands_do_not_share_people() -> None:
    """The same address under another brand is another subject."""
    other = ORDER.model_copy(update={"who": WHO.model_copy(update={"brand": "other"})})
    assert resolve("commerce.orders", ORDER, None, b"").subject != resolve("commerce.orders", other, None, b"").subject


def record(source: Source) -> InboxRecord:
    """The example order as `source` brought it."""
    return resolve("commerce.orders", ORDER.model_copy(update={"source": source}), None, b"").record


def test_a_redelivered_event_is_the_same_record() -> None:
    """A webhook that comes again, collected later, has the same id."""
    again = SOURCE.model_copy(update={"collected_at": later(SOURCE.collected_at, 30)})
    assert record(again).record_id == record(SOURCE).record_id


def test_another_event_is_another_record() -> None:
    """The same content under another event id is told apart here and collapses later, by its effect."""
    assert record(SOURCE.model_copy(update={"event_id": "evt-2"})).record_id != record(SOURCE).record_id


def test_the_same_event_with_other_content_is_another_record() -> None:
    """A thin event fetched again after a change says something new."""
    changed = ORDER.model_copy(update={"number": "4712"})
    ids = {resolve("commerce.orders", fact, None, b"").record.record_id for fact in (ORDER, changed)}
    assert len(ids) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_the_fact_passes_through_untouched(kind: str) -> None:
    """Resolving adds an envelope and changes no byte of the fact; its time is when we received it."""
    resolved = resolve(kind, FACTS[kind], None, b"\x00bytes")
    assert resolved.record.fact == b"\x00bytes"
    assert resolved.record.recorded_at == SOURCE.collected_at
    assert resolved.record.subject == resolved.subject
    assert resolved.customer_ref == WHO.customer_ref


def test_a_fact_on_the_wrong_topic_is_rejected() -> None:
    """A cart among the orders is bad input, not an order."""
    with pytest.raises(Reject) as refused:
        resolve("commerce.orders", CART, None, b"")
    assert refused.value.code == "wrong_fact"


def test_an_unknown_topic_is_rejected() -> None:
    """A topic that carries no facts about people is bad input."""
    with pytest.raises(Reject) as refused:
        resolve("commerce.weather", CART, None, b"")
    assert refused.value.code == "unknown_kind"
