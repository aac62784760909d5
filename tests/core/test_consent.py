"""What is not known to be allowed is not allowed."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from schemas.models import Channel, ConsentState, Permission
from streams.core.consent import hand_over_refusal, marketing_block, newer, refusal
from tests.core.given import choice, permissions

GRANTED, WITHDRAWN, UNKNOWN = ConsentState.GRANTED, ConsentState.WITHDRAWN, ConsentState.UNKNOWN
CHOICES = st.lists(
    st.builds(
        choice,
        st.sampled_from([GRANTED, WITHDRAWN, UNKNOWN]),
        st.integers(0, 5),
        st.sampled_from(["cart_reminder", "all", "marketing"]),
    ),
    max_size=6,
)


def asked(*entries: Permission, channel: Channel = Channel.EMAIL) -> str | None:
    """Why a cart reminder is refused."""
    return refusal(entries, channel, "cart_reminder")


def test_no_record_is_no() -> None:
    """Without an explicit grant for this channel and purpose nothing is allowed."""
    assert asked() == "consent_absent"
    assert asked(choice(GRANTED, 0, "marketing")) == "consent_absent"
    assert asked(choice(GRANTED, 0, channel=Channel.SMS)) == "consent_absent"


def test_the_latest_decision_counts() -> None:
    """An older grant changes nothing, a newer one does."""
    assert asked(choice(WITHDRAWN, 5), choice(GRANTED, 4)) == "consent_withdrawn"
    assert asked(choice(WITHDRAWN, 5), choice(GRANTED, 6)) is None


def test_a_tie_is_a_withdrawal() -> None:
    """Two decisions of the same instant are read the careful way, in any order."""
    assert asked(choice(GRANTED, 5), choice(WITHDRAWN, 5)) == "consent_withdrawn"
    assert asked(choice(WITHDRAWN, 5), choice(GRANTED, 5)) == "consent_withdrawn"


def test_all_speaks_for_every_purpose() -> None:
    """Withdrawing everything withdraws this, until it is granted anew."""
    assert asked(choice(GRANTED, 1), choice(WITHDRAWN, 2, "all")) == "consent_withdrawn"
    assert asked(choice(GRANTED, 3), choice(WITHDRAWN, 2, "all")) is None


def test_what_this_version_cannot_read_is_no_grant() -> None:
    """A state or a channel from a newer version is never taken for a yes."""
    assert asked(choice(UNKNOWN, 5)) == "consent_withdrawn"
    assert asked(choice(GRANTED, 1, channel=Channel.UNKNOWN)) == "consent_absent"
    assert asked(choice(GRANTED, 1), choice(WITHDRAWN, 2, channel=Channel.UNKNOWN)) == "consent_withdrawn"


@given(CHOICES, st.randoms())
def test_the_order_of_arrival_does_not_matter(entries: list[Permission], chance: Random) -> None:
    """The same decisions in any order allow the same."""
    shuffled = list(entries)
    chance.shuffle(shuffled)
    assert asked(*entries) == asked(*shuffled)


@given(st.permutations([choice(GRANTED, 1), choice(WITHDRAWN, 2), choice(GRANTED, 2)]))
def test_keeping_only_the_newer_one_loses_nothing(entries: list[Permission]) -> None:
    """One decision per channel and purpose is all that must be remembered."""
    held: Permission | None = None
    for entry in entries:
        held = newer(held, entry)
    assert held is not None
    assert asked(held) == asked(*entries)


def test_marketing_without_knowledge_is_refused_and_transactional_is_not() -> None:
    """Right before the hand-over, marketing fails closed and an order confirmation does not."""
    assert hand_over_refusal(None, "marketing", "cart_reminder", Channel.EMAIL) == "consent_absent"
    assert hand_over_refusal(None, "transactional", None, Channel.EMAIL) is None
    assert hand_over_refusal(permissions(choice(GRANTED, 1)), "marketing", None, Channel.EMAIL) == "consent_absent"


def test_a_blocked_channel_is_closed_to_everything() -> None:
    """A block holds back transactional messages too; a block for marketing only does not."""
    known = permissions(choice(GRANTED, 1), blocked=("SMS", marketing_block("EMAIL")))
    assert hand_over_refusal(known, "transactional", None, Channel.SMS) == "channel_blocked"
    assert hand_over_refusal(known, "transactional", None, Channel.EMAIL) is None
    assert hand_over_refusal(known, "marketing", "cart_reminder", Channel.EMAIL) == "channel_blocked"
