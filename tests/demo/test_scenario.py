"""The scenario: covers what the product promises to handle, and can be judged."""

import itertools

import phonenumbers
import pytest

from connectors.opentext_notifications.sandbox.life import outcome
from streams.demo.acts import Convert, Leave, Person, Place, Scene
from streams.demo.scenario import endless, fixed_set

FIXED = fixed_set()
PLAYED = (*FIXED, *itertools.islice(endless(), 500))


def people(scene: Scene) -> list[Person]:
    return [act.who for act in scene.acts if isinstance(act, Place | Leave)]


def keys(scene: Scene) -> list[str]:
    return [act.key for act in scene.acts if isinstance(act, Place | Leave | Convert)]


def test_the_fixed_set_is_always_the_same() -> None:
    """Two runs play the same, so that their summaries can be compared."""
    assert fixed_set() == FIXED


def test_the_same_seed_gives_the_same_day() -> None:
    """An endless run can be repeated, and another seed gives another one."""
    one, again, other = (list(itertools.islice(endless(seed), 50)) for seed in (1, 1, 2))
    assert one == again
    assert one != other


def test_the_fixed_set_covers_the_promises() -> None:
    """Confirmation, cancellation, shipment, fallback, reminder, opt-out and silence are played, in two languages."""
    effects = {(effect.type, effect.channel) for scene in FIXED for effect in scene.effects}
    assert effects == {
        ("order_confirmation", "EMAIL"),
        ("order_confirmation", "SMS"),
        ("order_cancelled", "EMAIL"),
        ("shipment_notice", "EMAIL"),
        ("shipment_notice", "SMS"),
        ("cart_reminder", "EMAIL"),
    }
    assert {who.locale for scene in FIXED for who in people(scene)} == {"en", "de"}
    assert {who.guest for scene in FIXED for who in people(scene)} == {True, False}
    assert {told.status for scene in FIXED for told in scene.write_backs} == {"delivered", "opened"}
    assert sum(not scene.effects for scene in FIXED) >= 3
    assert sum(bool(scene.withdrawals) for scene in FIXED) == 2
    assert len({scene.title for scene in FIXED}) == 10


@pytest.mark.parametrize("scenes", [FIXED, PLAYED[len(FIXED) :]], ids=["fixed", "endless"])
def test_every_thing_has_its_own_name(scenes: tuple[Scene, ...]) -> None:
    """No order or cart is mistaken for another, and every expectation is about something that is played."""
    named = [key for scene in scenes for key in keys(scene)]
    assert len(named) == len(set(named))
    for scene in scenes:
        wanted = {effect.key for effect in scene.effects} | {told.key for told in scene.write_backs}
        assert wanted <= set(keys(scene))


def test_addresses_decide_what_the_scenes_expect() -> None:
    """The sandbox reads the addresses as the scenes mean them, and no phone number means anything by accident."""
    for scene in PLAYED:
        for who in people(scene):
            expected = {
                "an e-mail bounces and an SMS follows": {"hard"},
                "an opt-out silences a reminder": {"optout"},
                "an order is confirmed": {"ok", "soft", "open"},
            }.get(scene.title, {"ok"})
            assert outcome(who.email) in expected
            assert who.phone is None or outcome(who.phone) == "ok"


def test_nobody_in_it_can_be_real() -> None:
    """Addresses lie in a domain that cannot exist, numbers in the range kept free for fiction."""
    for scene in PLAYED:
        for who in people(scene):
            assert who.email.endswith("@example.test")
            if who.phone:
                assert who.phone.startswith("+447700900")
                assert phonenumbers.is_possible_number(phonenumbers.parse(who.phone, None))


def test_a_withdrawal_is_not_taken_back_by_the_shop() -> None:
    """Who opted out is not signed up again by their next cart."""
    for scene in PLAYED:
        for gone in scene.withdrawals:
            carts = [act.who for act in scene.acts if isinstance(act, Leave)]
            assert carts
            assert all(who.email == gone.email and who.abandoned_cart is None for who in carts)
