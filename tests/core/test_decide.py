"""Decisions: one for every type that matches, each with its reason, and everything that follows from them."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from schemas.models import Channel, DeliveryState, InboxRecord, Outcome, TimerDue
from streams.core.cases import fact_of, worded
from streams.core.decide import decide
from streams.core.policy import Policy
from streams.core.samples import CART, ORDER, START, WHO
from streams.core.simulate import TOLD, Simulation, Told
from streams.core.state import EMPTY, Phase, mark
from tests.core.given import ABOUT, at


class Story:
    """Things that happen one after the other; alarms in between go off."""

    def __init__(self, policy: Policy) -> None:
        self.simulation = Simulation(policy, START)
        self._events = 0

    def add(self, seconds: float, kind: str, **changes: Any) -> "Story":
        """A fact arrives."""
        name = "carts" if kind == "cart" else f"{kind}s"
        self._events += 1
        fact = fact_of(kind, changes, seconds, f"evt-{self._events}")  # type: ignore[arg-type]
        self.simulation.at(at(seconds), lambda: self.simulation.fact(f"commerce.{name}", fact))
        return self

    def tell(
        self, seconds: float, kind: str, state: DeliveryState, channel: Channel = Channel.EMAIL, told: Told = TOLD
    ) -> "Story":
        """The provider tells about the latest delivery of a type."""
        self.simulation.at(at(seconds), lambda: self._receipt(kind, channel, state, told))
        return self

    def _receipt(self, kind: str, channel: Channel, state: DeliveryState, told: Told) -> None:
        assert self.simulation.receipt(kind, channel, state, told)

    def decisions(self) -> list[str]:
        """Everything that was decided."""
        self.simulation.run()
        return [worded(decision) for decision in self.simulation.decisions]

    def left(self) -> list[str]:
        """Everything that left."""
        self.simulation.run()
        return [f"{item.request.type} {item.request.channel.value}" for item in self.simulation.handed]


@pytest.fixture
def story(policy: Policy) -> Story:
    """Nothing happened yet."""
    return Story(policy)


def test_a_decision_can_be_explained(story: Story) -> None:
    """A decision names its policy, the records that led to it and the steps in words, without an address."""
    story.add(0, "order").decisions()
    hold, send = story.simulation.decisions
    order, alarm = (record for record, _ in story.simulation.inbox[:2])
    assert (hold.outcome, hold.reason, hold.until) == (Outcome.HOLD, "grace", at(120))
    assert (send.outcome, send.reason, send.channels) == (Outcome.SEND, None, ("EMAIL", "SMS"))
    assert send.policy_version == story.simulation.policy.version
    assert send.facts == (order.record_id, alarm.record_id)
    assert send.business_key == "SO-1001"
    assert send.explanation == ("EMAIL: open", "locale en")
    assert "ada" not in send.model_dump_json()


def test_the_document_is_asked_for_with_everything_it_needs(policy: Policy, story: Story) -> None:
    """The composition carries data, its hash, texts, the delivery and whom the outcome concerns."""
    story.add(0, "order").decisions()
    order, fact = story.simulation.inbox[0]
    alarm, due = story.simulation.inbox[1]
    held = decide(policy, EMPTY, order, fact)
    assert held.compositions == ()
    (timer,) = held.timers
    assert (timer.due_at, timer.timer_id) == (at(120), alarm.record_id)
    (asked,) = decide(policy, held.state, alarm, due).compositions
    assert orjson.loads(asked.data)["order"]["number"] == "4711"
    (delivery,) = asked.deliveries
    assert (delivery.channel, delivery.rung, delivery.address) == (Channel.EMAIL, 0, WHO.email)
    assert (asked.template, asked.locale, asked.subject_line) == ("order_confirmation", "en", "Your order 4711")
    assert (asked.about.order_ref, asked.about.order_number) == (ORDER.order_ref, "4711")
    assert asked.communication_id == held.decisions[0].communication_id


def test_a_record_read_twice_changes_nothing(policy: Policy, story: Story) -> None:
    """A record that comes again is one decision per matching type, duplicate_event, and nothing else."""
    story.add(0, "order").decisions()
    order, fact = story.simulation.inbox[0]
    held = decide(policy, EMPTY, order, fact)
    again = decide(policy, held.state, order, fact)
    assert [(item.type, item.outcome, item.reason) for item in again.decisions] == [
        ("order_confirmation", Outcome.SUPPRESS, "duplicate_event")
    ]
    assert replace(again, decisions=()) == replace(held, decisions=(), timers=(), permissions=None)


def test_an_alarm_that_was_called_off_says_nothing(policy: Policy, story: Story) -> None:
    """An alarm that went off although it was cancelled finds nothing to do."""
    story.add(0, "order").add(60, "order", status="CANCELLED", changed_at=60).decisions()
    state = next(iter(story.simulation.states.values()))
    held = decide(policy, EMPTY, *story.simulation.inbox[0])
    (timer,) = held.timers
    assert decide(policy, held.state, *story.simulation.inbox[1]).cancelled == (timer.timer_id,)
    late = decide(policy, state, timer.record(b""), timer.due())
    assert (late.decisions, late.compositions, late.notifications) == ((), (), ())


@pytest.mark.parametrize("kind", ["commerce.weather", "timer.due", "communication.feedback", "commerce.carts"])
def test_a_record_that_does_not_fit_its_kind_decides_nothing(policy: Policy, kind: str) -> None:
    """Whatever arrives under a kind that is not its own changes nothing."""
    record = InboxRecord(
        record_id="r" * 32, subject="s" * 16, kind=kind, tenant="demo", brand="example", recorded_at=START, fact=b""
    )
    decided = decide(policy, EMPTY, record, ORDER)
    assert decided.state == EMPTY
    assert decided.decisions == ()


def test_an_alarm_about_nothing_decides_nothing(policy: Policy) -> None:
    """An alarm for a communication nobody knows is taken in and done."""
    due = TimerDue(timer_id="t" * 32, subject="s" * 16, due_at=START, purpose="due", about="c" * 32)
    record = InboxRecord(
        record_id="t" * 32, subject="s" * 16, kind="timer.due", tenant="d", brand="e", recorded_at=START, fact=b""
    )
    assert decide(policy, EMPTY, record, due).decisions == ()


def test_a_late_copy_never_brings_older_content(story: Story) -> None:
    """A copy of the order that is older than the one known does not change what is sent."""
    story.add(0, "order", total="20.00", changed_at=0).add(5, "order", total="10.00", changed_at=-50).decisions()
    assert '"total":"20.00"' in story.simulation.handed[0].request.attachments[0].content.decode()


@pytest.mark.parametrize(
    "state",
    [
        DeliveryState.BOUNCED_HARD,
        DeliveryState.REJECTED,
        DeliveryState.BLOCKED,
        DeliveryState.EXPIRED,
        DeliveryState.FAILED,
        DeliveryState.UNDELIVERED,
    ],
)
def test_what_failed_for_good_moves_on_at_once(story: Story, state: DeliveryState) -> None:
    """Each permanent failure of the e-mail is followed by the SMS, once, with the reason in the explanation."""
    story.add(0, "order").tell(200, "order_confirmation", state)
    story.tell(300, "order_confirmation", DeliveryState.BOUNCED_HARD)
    assert story.left() == ["order_confirmation EMAIL", "order_confirmation SMS"]
    assert story.decisions()[2:] == ["200 order_confirmation send"]
    assert story.simulation.decisions[-1].explanation[0] == f"EMAIL, rung 0: {state.value}"


def test_a_soft_bounce_waits(story: Story) -> None:
    """A temporary failure may still be delivered; two channels at once would be worse."""
    story.add(0, "order").tell(200, "order_confirmation", DeliveryState.BOUNCED_SOFT)
    assert story.left() == ["order_confirmation EMAIL"]


def test_an_unknown_outcome_moves_on_and_says_so(story: Story) -> None:
    """After a parked hand-over the next channel is used, flagged as a possible second reach."""
    story.add(0, "order").decisions()
    simulation = story.simulation
    sent = simulation.feedback[0]
    parked = sent.model_copy(update={"state": DeliveryState.PARKED, "feedback_id": "f" * 32})
    record, _ = next(item for item in simulation.inbox if item[0].kind == "communication.feedback")
    simulation.take(record.model_copy(update={"record_id": "f" * 32}), parked)
    assert story.left() == ["order_confirmation EMAIL", "order_confirmation SMS"]
    assert any("possible_double_reach" in line for line in simulation.decisions[-1].explanation)


def test_a_parked_hand_over_that_a_receipt_proved_goes_nowhere_else(story: Story) -> None:
    """Parked although it was delivered: the receipt counts, and no second channel makes a second copy."""
    story.add(0, "order").decisions()
    story.tell(200, "order_confirmation", DeliveryState.DELIVERED)
    story.tell(300, "order_confirmation", DeliveryState.PARKED)
    assert story.left() == ["order_confirmation EMAIL"]


def test_when_no_rung_is_left_the_reason_is_on_record(story: Story) -> None:
    """A communication that got through nowhere ends in a decision, not in silence."""
    story.add(0, "order").tell(200, "order_confirmation", DeliveryState.BOUNCED_HARD)
    story.tell(300, "order_confirmation", DeliveryState.UNDELIVERED, Channel.SMS)
    story.tell(400, "order_confirmation", DeliveryState.COMPLAINED, Channel.EMAIL)
    story.tell(500, "order_confirmation", DeliveryState.BLOCKED, Channel.SMS)
    assert story.decisions()[3:] == ["300 order_confirmation suppress(no_channel)"]
    state = next(iter(story.simulation.states.values()))
    assert [item.phase for item in state.communications.values()] == [Phase.FAILED]


def test_a_bounced_address_is_not_used_until_it_changes(story: Story) -> None:
    """After a hard bounce the next order goes out by SMS; with a new address, by e-mail again."""
    story.add(0, "order").tell(200, "order_confirmation", DeliveryState.BOUNCED_HARD)
    story.add(1000, "order", order_ref="o-2", external_ref=None)
    new = {"email": "new@example.test"}
    story.add(2000, "order", order_ref="o-3", external_ref=None, who=new)
    assert story.left() == [f"order_confirmation {channel}" for channel in ("EMAIL", "SMS", "SMS", "EMAIL")]


def test_a_bounce_is_known_where_deliveries_leave(story: Story) -> None:
    """When an address is blocked or free again, those who hand over are told."""
    story.add(0, "order").tell(200, "order_confirmation", DeliveryState.BOUNCED_HARD).decisions()
    (subject,) = story.simulation.permissions
    assert story.simulation.permissions[subject].blocked == ("EMAIL",)
    story.add(2000, "order", order_ref="o-3", external_ref=None, who={"email": "new@example.test"}).decisions()
    assert story.simulation.permissions[subject].blocked == ()


def test_stop_closes_sms_for_everything(story: Story) -> None:
    """A STOP blocks the number for transactional messages too and withdraws what was allowed by SMS."""
    story.add(0, "order").add(200, "shipment").tell(300, "shipment_notice", DeliveryState.UNSUBSCRIBED, Channel.SMS)
    story.add(400, "shipment", shipment_ref="s-2")
    assert story.left()[-1] == "shipment_notice EMAIL"
    (known,) = story.simulation.permissions.values()
    assert known.blocked == ("SMS",)
    assert [(entry.channel, entry.purpose, entry.state.value) for entry in known.entries] == [
        (Channel.SMS, "all", "WITHDRAWN")
    ]


def test_an_opt_out_by_mail_leaves_transactional_mail_alone(story: Story) -> None:
    """Who unsubscribes from advertising still gets the confirmation of the next order."""
    story.add(0, "order").tell(200, "order_confirmation", DeliveryState.UNSUBSCRIBED)
    story.add(300, "order", order_ref="o-2", external_ref=None)
    assert story.left() == ["order_confirmation EMAIL"] * 2


def test_an_opt_out_counts_from_when_it_is_known(story: Story) -> None:
    """A grant from before the opt-out was known does not survive it, whatever the provider's clock says."""
    story.add(0, "consent").add(0, "cart").add(3700, "consent", decided_at=3700)
    story.tell(4000, "cart_reminder", DeliveryState.UNSUBSCRIBED, told=Told(ago_s=1800))
    story.add(5000, "cart", cart_ref="c-2", changed_at=5000)
    assert story.decisions()[-1] == "8600 cart_reminder suppress(consent_withdrawn)"


def test_a_complaint_closes_marketing_for_good(story: Story) -> None:
    """After a spam complaint not even a new grant brings advertising back; confirmations still leave."""
    story.add(0, "consent").add(0, "cart").tell(4000, "cart_reminder", DeliveryState.COMPLAINED)
    story.add(5000, "consent", decided_at=5000)
    story.add(5000, "cart", cart_ref="c-2", changed_at=5000).add(9000, "order", changed_at=9000)
    assert story.left() == ["cart_reminder EMAIL", "order_confirmation EMAIL"]
    assert "8600 cart_reminder suppress(channel_blocked)" in story.decisions()


def test_the_invalid_address_is_the_reason(story: Story) -> None:
    """An address that cannot be one is told apart from none at all."""
    story.add(0, "order", who={"email": "not-an-address", "phone": None})
    assert story.decisions()[-1] == "120 order_confirmation suppress(address_invalid)"


def test_another_platform_helps_out_with_an_address(story: Story) -> None:
    """When the order's platform has no address, one that another platform knows is used."""
    reference = {"platform": "sfcc", "customer_ref": WHO.customer_ref, "phone": None}
    story.add(0, "order", who={"email": None, "phone": None})
    story.add(10, "customer", who=reference)
    assert story.left() == ["order_confirmation EMAIL"]


def test_all_parcels_of_an_order_are_released(story: Story) -> None:
    """Two parcels that wait for the same confirmation both leave when it has left."""
    story.add(0, "order").add(10, "shipment").add(20, "shipment", shipment_ref="s-2")
    assert story.left()[0] == "order_confirmation EMAIL"
    assert sorted(story.left()[1:]) == ["shipment_notice EMAIL"] * 2 + ["shipment_notice SMS"] * 2


def test_a_parcel_is_not_held_back_by_a_confirmation_that_got_nowhere(story: Story) -> None:
    """When the confirmation failed on every rung, the parcel is still told of."""
    story.add(0, "order", who={"phone": None}).add(10, "shipment", who={"phone": None})
    story.tell(120.5, "order_confirmation", DeliveryState.REJECTED)
    assert story.left() == ["order_confirmation EMAIL", "shipment_notice EMAIL"]


def test_a_parcel_parked_for_long_is_taken_up_within_a_day(story: Story) -> None:
    """The order arrives hours later: the exception is over and the notice leaves after the confirmation."""
    story.add(0, "shipment").add(7200, "order", placed_at=7000)
    assert story.decisions() == [
        "0 shipment_notice hold(parked_missing_parent)",
        "1800 shipment_notice hold(parked_missing_parent)",
        "7200 order_confirmation hold(grace)",
        "7200 shipment_notice hold(grace)",
        "7320 order_confirmation send",
        "7321 shipment_notice send",
    ]


def test_a_cancelled_order_frees_its_parcels(story: Story) -> None:
    """A confirmation that was superseded holds nothing back."""
    story.add(0, "order").add(10, "shipment").add(20, "order", status="CANCELLED", changed_at=20)
    assert story.left() == ["order_cancelled EMAIL", "shipment_notice EMAIL", "shipment_notice SMS"]


def test_what_was_let_go_is_still_known(policy: Policy, story: Story) -> None:
    """An order confirmed long ago is not confirmed again, and its parcels need not wait."""
    story.add(0, "order").decisions()
    subject, state = next(iter(story.simulation.states.items()))
    (name,) = state.communications
    story.simulation.states[subject] = replace(state, communications={}, closed=(mark(name),))
    story.add(300, "order", changed_at=300).add(400, "shipment")
    assert story.decisions()[2:] == ["300 order_confirmation suppress(duplicate_effect)", "400 shipment_notice send"]


def test_a_type_that_left_the_policy_ends_with_a_reason(policy: Policy, story: Story) -> None:
    """A communication that waits when its type is removed is suppressed, not forgotten and not a crash."""
    story.add(0, "order").decisions()
    record, fact = story.simulation.inbox[0]
    held = decide(policy, EMPTY, record, fact)
    (timer,) = held.timers
    smaller = replace(policy, rules={"cart_reminder": policy.rules["cart_reminder"]})
    late = decide(smaller, held.state, timer.record(b""), timer.due())
    assert [(item.outcome, item.reason) for item in late.decisions] == [(Outcome.SUPPRESS, "ineligible")]


def test_an_empty_cart_is_no_reason_to_write(story: Story) -> None:
    """A cart without lines does not match, so there is nothing to decide."""
    assert story.add(0, "cart", lines=()).decisions() == []


def test_a_cart_bought_before_it_was_abandoned_stays_quiet(story: Story) -> None:
    """When the purchase overtakes the abandonment, no reminder starts."""
    story.add(0, "consent").add(10, "cart", status="CONVERTED").add(20, "cart", changed_at=5)
    assert story.decisions() == ["20 cart_reminder suppress(superseded_by_event)"]


def test_an_older_copy_does_not_restart_a_reminder(story: Story) -> None:
    """Who came back to the cart is not reminded because of a copy from before."""
    story.add(0, "consent").add(10, "cart", changed_at=5).add(20, "cart", status="ACTIVE", changed_at=15)
    story.add(30, "cart", changed_at=10)
    assert story.decisions()[-1] == "30 cart_reminder suppress(superseded_by_event)"


def test_an_older_copy_does_not_call_a_reminder_off(story: Story) -> None:
    """A copy of the cart from before it was abandoned arrives late and changes nothing."""
    story.add(0, "consent").add(10, "cart", changed_at=10).add(20, "cart", status="ACTIVE", changed_at=5)
    assert story.decisions() == ["10 cart_reminder hold(grace)", "3610 cart_reminder send"]


def test_a_reminder_that_is_due_already_leaves_at_once(story: Story) -> None:
    """When the platform reports the abandonment late, the hour is not counted again."""
    story.add(0, "consent").add(4000, "cart", changed_at=100)
    assert story.decisions() == ["4000 cart_reminder send"]


def test_write_backs_know_the_cart(story: Story) -> None:
    """The outcome of a reminder can be written to the cart's platform."""
    story.add(0, "consent").add(0, "cart").decisions()
    about = story.simulation.handed[0].request.about
    assert (about.platform, about.cart_ref, about.order_ref) == ("bigcommerce", CART.cart_ref, None)
    assert about.customer_ref == ABOUT.customer_ref
