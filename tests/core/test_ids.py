"""Ids collapse what is the same and keep apart what is not."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.models import Channel
from streams.core import ids

PARTS = st.lists(st.text(max_size=4), min_size=1, max_size=4)


@given(PARTS, PARTS)
def test_different_parts_give_different_ids(first: list[str], second: list[str]) -> None:
    """No two lists of parts share an id, however their text is cut."""
    assert (ids.digest(*first) == ids.digest(*second)) == (first == second)


def test_ids_have_their_length() -> None:
    """Subjects are 16 hex digits and everything else is 32."""
    subject = ids.subject_id("demo", "example", "ada@example.test")
    communication = ids.communication_id("demo", "example", "order_confirmation", "SO-1", subject)
    delivery = ids.delivery_id(communication, Channel.SMS, 1)
    assert [len(name) for name in (subject, communication, delivery)] == [16, 32, 32]
    assert int(subject + communication + delivery, 16) >= 0


def test_a_provider_reference_leads_back_to_subject_and_delivery() -> None:
    """What a provider echoes names the Kafka key and the delivery."""
    assert ids.parse_provider_ref(ids.provider_ref("a" * 16, "b" * 32)) == ("a" * 16, "b" * 32)


@given(st.text(max_size=60))
def test_a_foreign_reference_is_not_mistaken_for_ours(text: str) -> None:
    """A reference that is not ours is told apart, whatever it is."""
    parsed = ids.parse_provider_ref(text)
    assert parsed is None or ids.provider_ref(*parsed) == text
