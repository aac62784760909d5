"""The oracle: silent when all is well, and not to be fooled when it is not."""

from collections.abc import Callable

import pytest

from streams.demo.oracle import Journals, Verdict, judge
from streams.demo.scenario import fixed_set
from tests.demo import world

SCENES = fixed_set()
THINGS = world.things(SCENES)


def verdict(journals: Journals) -> Verdict:
    return judge(SCENES, THINGS, journals)


def test_a_run_without_a_fault_is_clean() -> None:
    """Everything once, nothing else: no finding."""
    found = verdict(world.journals(SCENES))
    assert found.clean
    assert (found.lost, found.duplicates, found.unexpected) == ([], [], [])


def test_every_single_message_is_missed() -> None:
    """Whichever message is taken away, it is named as lost, and nothing else is."""
    for position in range(len(world.journals(SCENES).messenger["accepted"])):
        journals = world.journals(SCENES)
        gone = journals.messenger["accepted"].pop(position)
        found = verdict(journals)
        number = gone["customer_reference"].rpartition(":")[2]
        assert found.lost == [f"{gone['billing_code']} {number} by {gone['channel']} never arrived"]
        assert not found.duplicates
        assert not found.unexpected


def test_every_single_message_is_noticed_when_doubled() -> None:
    """Whichever message arrives twice, under whatever id, is one duplicate."""
    for position in range(len(world.journals(SCENES).messenger["accepted"])):
        journals = world.journals(SCENES)
        journals.messenger["accepted"].append({**journals.messenger["accepted"][position], "message_id": "another"})
        found = verdict(journals)
        assert len(found.duplicates) == 1
        assert not found.lost


def test_a_message_twice_on_two_channels_is_two_messages() -> None:
    """An SMS beside the e-mail nobody asked for is unexpected, not a duplicate of the e-mail."""
    journals = world.journals(SCENES)
    journals.messenger["accepted"].append(world.accepted("order_confirmation", THINGS["c5"], "SMS"))
    found = verdict(journals)
    assert found.unexpected == [f"order_confirmation {THINGS['c5'].number} by SMS should not have been sent"]
    assert not found.duplicates


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("order_confirmation", "a5"),
        ("order_confirmation", "a9"),
        ("cart_reminder", "a1-cart"),
        ("cart_reminder", "a2-cart"),
        ("cart_reminder", "a7"),
    ],
)
def test_what_must_not_be_sent_is_noticed(kind: str, key: str) -> None:
    """A cancelled or unfinished order's confirmation and a reminder without consent are findings."""
    journals = world.journals(SCENES)
    journals.messenger["accepted"].append(world.accepted(kind, THINGS[key]))
    found = verdict(journals)
    assert len(found.unexpected) == 1
    assert not found.clean


def _no_documents(journals: Journals) -> None:
    journals.composer["generated"].clear()


def _no_fields(journals: Journals) -> None:
    journals.shop["metafields"].clear()


def _wrong_status(journals: Journals) -> None:
    for field in journals.shop["metafields"]:
        field["value"] = '{"status": "submitted"}'


def _unreadable(journals: Journals) -> None:
    for field in journals.shop["metafields"]:
        field["value"] = "delivered"


def _still_subscribed(journals: Journals) -> None:
    for row in journals.shop["consents"]:
        row["consents"] = ["abandoned_cart"]


@pytest.mark.parametrize("spoil", [_no_documents, _no_fields, _wrong_status, _unreadable, _still_subscribed])
def test_what_the_other_systems_were_not_told_is_lost(spoil: Callable[[Journals], None]) -> None:
    """A document that was not composed, an outcome or a withdrawal that was not written back count as lost."""
    journals = world.journals(SCENES)
    spoil(journals)
    found = verdict(journals)
    assert found.lost
    assert not found.duplicates


def test_nothing_at_all_is_everything_lost() -> None:
    """Empty journals are no clean run."""
    found = judge(SCENES, {}, Journals({}, {}, {}))
    effects = sum(len(scene.effects) for scene in SCENES)
    told = sum(len(scene.write_backs) for scene in SCENES)
    assert len(found.lost) == effects + told


def test_findings_hold_no_addresses() -> None:
    """What is printed about a failed run names orders and types, never people."""
    journals = world.journals(SCENES)
    _still_subscribed(journals)
    journals.messenger["accepted"].clear()
    found = verdict(journals)
    assert not any("@" in text for text in (*found.lost, *found.duplicates, *found.unexpected))


def test_webhooks_on_their_way_are_counted() -> None:
    """A run with undelivered webhooks is not over."""
    journals = world.journals(SCENES)
    journals.shop["webhooks"]["pending"] = 2
    journals.messenger["webhooks"]["pending"] = 1
    assert journals.under_way == 3
