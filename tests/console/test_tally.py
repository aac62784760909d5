"""The tally: every record counts once, in any order, and nobody's address is shown."""

import random

from pydantic import BaseModel

from schemas.models import Channel, DeliveryState, OrderStatus, Outcome
from streams.console.tally import TOPICS, Tally
from streams.topics import STAGES, TABLE
from tests.console import records

FLOW: tuple[tuple[str, BaseModel], ...] = (
    ("collect.raw", records.raw("a")),
    ("collect.raw", records.raw("b", "store/order/statusUpdated")),
    ("commerce.orders", records.order("100234")),
    ("flow.inbox", records.inbox("i1")),
    ("flow.inbox", records.inbox("i2", "timer.due")),
    ("communication.decisions", records.decision("d1", Outcome.HOLD, "grace")),
    ("communication.decisions", records.decision("d2")),
    ("communication.decisions", records.decision("d3", Outcome.SUPPRESS, "consent_absent", "c2", "cart_reminder")),
    ("communication.documents", records.document("x")),
    ("communication.documents", records.document("x", "EMAIL_OUT")),
    ("communication.feedback", records.feedback("f1", DeliveryState.SUBMITTED)),
    ("communication.feedback", records.feedback("f2", DeliveryState.BOUNCED_HARD)),
    ("communication.feedback", records.feedback("f3", DeliveryState.SUBMITTED, "e2", Channel.SMS, 1)),
    ("communication.feedback", records.feedback("f4", DeliveryState.DELIVERED, "e2", Channel.SMS, 1)),
    ("report.results", records.result("w1", "f2")),
    ("report.results", records.result("w2", "f4", "unchanged")),
    ("decide.dlq", records.dead_letter("l1")),
)


def counted(flow: tuple[tuple[str, BaseModel], ...]) -> Tally:
    tally = Tally()
    for topic, record in flow:
        tally.add(topic, record)
    return tally


def test_the_summary_counts_effects_and_not_records() -> None:
    """Two decisions about one communication are one communication, a fallback is a second delivery."""
    assert counted(FLOW).summary() == {
        "events": 2,
        "communications": 1,
        "deliveries": 2,
        "suppressed": {"consent_absent": 1},
        "feedback": {"bounced_hard": 1, "delivered": 1, "submitted": 2},
        "writebacks": 1,
    }


def test_a_topic_read_twice_counts_once() -> None:
    """Redelivered webhooks and aborted records change nothing but the number of repeats."""
    once, twice = counted(FLOW).snapshot(), counted(FLOW + FLOW).snapshot()
    assert twice.summary == once.summary
    assert twice.columns == once.columns
    assert twice.repeats == len(FLOW)


def test_the_order_in_which_partitions_are_read_does_not_matter() -> None:
    """Counts are the same whichever partition is read first."""
    shuffled = list(FLOW)
    random.Random(7).shuffle(shuffled)
    assert {c.stage: (c.total, dict(c.parts), c.dead) for c in counted(tuple(shuffled)).snapshot().columns} == {
        c.stage: (c.total, dict(c.parts), c.dead) for c in counted(FLOW).snapshot().columns
    }


def test_each_stage_has_its_column() -> None:
    """The seven words stand in their order, each with what its stage did."""
    columns = counted(FLOW).snapshot().columns
    assert tuple(column.stage for column in columns) == STAGES
    assert [column.total for column in columns] == [2, 2, 3, 2, 2, 2, 2]
    assert dict(columns[2].parts) == {"hold": 1, "send": 1, "suppress": 1}
    assert dict(columns[4].parts) == {"e-mail": 1, "SMS": 1}
    assert [column.dead for column in columns] == [0, 0, 1, 0, 0, 0, 0]


def test_stories_read_like_sentences() -> None:
    """Whoever watches sees what happened to which order."""
    assert [str(story) for story in counted(FLOW).snapshot().stories] == [
        "order 100234 · placed",
        "order 100234 · order_confirmation · held: grace",
        "order 100234 · order_confirmation · send by e-mail, then SMS",
        "cart 100234 · cart_reminder · suppressed: consent_absent",
        "order 100234 · order_confirmation · composed pdf (de)",
        "order 100234 · order_confirmation · composed pdf (de)",
        "order 100234 · order_confirmation · → e-mail",
        "order 100234 · order_confirmation · bounced hard by e-mail",
        "order 100234 · order_confirmation · → SMS (fallback 1)",
        "order 100234 · order_confirmation · delivered by SMS",
        "order 100234 · order.metafield written",
        "order 100234 · order.metafield unchanged",
        "dead letter · decide · bad_avro",
    ]


def test_stories_never_show_an_address() -> None:
    """A guest is known by the address, and still it is not shown."""
    tally = Tally()
    tally.add("commerce.orders", records.order("1"))
    tally.add("communication.decisions", records.decision("d", key=f"{records.REF}:guest:{records.ADDRESS}"))
    told = records.feedback("f", DeliveryState.SENT).model_copy(update={"about": records.about(None)})
    tally.add("communication.feedback", told)
    shown = [str(story) for story in tally.snapshot().stories]
    assert len(shown) == 3
    assert "@" not in "".join(shown)


def test_memory_is_bounded() -> None:
    """A console that stays open for a week keeps the last stories and ids, and goes on counting."""
    tally = Tally(stories=3, remembered=10)
    for number in range(100):
        tally.add("commerce.orders", records.order(str(number), OrderStatus.SHIPPED))
        tally.add("collect.raw", records.raw(str(number)))
    assert [story.about for story in tally.snapshot().stories] == ["order 97", "order 98", "order 99"]
    assert tally.summary()["events"] == 100


def test_one_communication_refused_for_one_reason_counts_once() -> None:
    """A reason is counted per communication, whether it was found when deciding or right before the hand-over."""
    tally = Tally()
    tally.add("communication.decisions", records.decision("d", Outcome.SUPPRESS, "consent_withdrawn", "c9"))
    late = records.feedback("f", DeliveryState.SUPPRESSED, reason="consent_withdrawn", communication="c9")
    tally.add("communication.feedback", late)
    tally.add("communication.decisions", records.decision("e", Outcome.SUPERSEDE, "superseded_by_event", "c9"))
    assert tally.summary()["suppressed"] == {"consent_withdrawn": 1, "superseded_by_event": 1}


def test_what_cannot_be_read_is_counted() -> None:
    """A record this version cannot decode shows as a number instead of ending the console."""
    tally = Tally()
    tally.skip()
    assert tally.snapshot().unreadable == 1


def test_the_console_reads_what_is_public_and_what_was_given_up() -> None:
    """A new public topic or stage is shown without a change here."""
    assert {topic.name for topic in TABLE if topic.public} <= set(TOPICS)
    assert {f"{stage}.dlq" for stage in STAGES} <= set(TOPICS)
