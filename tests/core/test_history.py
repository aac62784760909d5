"""What holds for every history, however events are mixed, repeated and delayed."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.models import Channel, Consent, ConsentState, Decision, DeliveryState, Feedback, Order, Outcome, Shipment
from streams.communications.loader import load
from streams.core.cases import fact_of
from streams.core.decide import decide
from streams.core.resolve import KINDS, Fact
from streams.core.samples import START
from streams.core.simulate import Simulation
from streams.core.state import EMPTY, SubjectState, from_bytes
from streams.core.work import Decided
from tests.core.given import at

POLICY = load()
MANY = settings(max_examples=30, deadline=None)

PEOPLE = [
    {"customer_ref": "bigcommerce:abc123:1", "email": "ada@example.test"},
    {"customer_ref": "bigcommerce:abc123:2", "email": "bo@example.test", "phone": None},
]
TIMES = st.integers(0, 6000)
WHO = st.sampled_from(PEOPLE)
Event = tuple[str, int, dict[str, Any]]


def event(kind: str, **changes: Any) -> st.SearchStrategy[Event]:
    """A fact that arrives at some time, about something that changed at some time."""
    changes["who"] = WHO
    return st.tuples(st.just(kind), TIMES, st.fixed_dictionaries(changes))


ORDERS = event(
    "order",
    order_ref=st.sampled_from(["o-1", "o-2"]),
    external_ref=st.sampled_from([None, "SO-1"]),
    status=st.sampled_from(["INCOMPLETE", "PLACED", "PROCESSING", "SHIPPED", "DECLINED", "CANCELLED"]),
    changed_at=TIMES,
    placed_at=st.sampled_from([0, 3000, -400000]),
)
SHIPMENTS = event("shipment", shipment_ref=st.sampled_from(["s-1", "s-2"]), order_ref=st.sampled_from(["o-1", "o-2"]))
CARTS = event(
    "cart",
    cart_ref=st.sampled_from(["c-1", "c-2"]),
    status=st.sampled_from(["ACTIVE", "ABANDONED", "ABANDONED", "CONVERTED"]),
    changed_at=TIMES,
)
CONSENTS = event(
    "consent",
    purpose=st.sampled_from(["cart_reminder", "all", "marketing"]),
    state=st.sampled_from(["GRANTED", "GRANTED", "WITHDRAWN"]),
    channel=st.sampled_from(["EMAIL", "EMAIL", "SMS"]),
    decided_at=TIMES,
)
RECEIPTS = st.tuples(
    st.just("receipt"),
    TIMES,
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["order_confirmation", "shipment_notice", "cart_reminder", "order_cancelled"]),
            "channel": st.sampled_from([Channel.EMAIL, Channel.SMS]),
            "state": st.sampled_from(
                [
                    DeliveryState.DELIVERED,
                    DeliveryState.BOUNCED_HARD,
                    DeliveryState.BOUNCED_SOFT,
                    DeliveryState.UNSUBSCRIBED,
                    DeliveryState.COMPLAINED,
                ]
            ),
        }
    ),
)
ADA = st.just(PEOPLE[0])
ADVERTISING = st.lists(
    st.one_of(
        st.tuples(
            st.just("cart"),
            st.sampled_from([0, 1000, 2000]),
            st.fixed_dictionaries(
                {"who": ADA, "cart_ref": st.sampled_from(["c-1", "c-2", "c-3"]), "changed_at": st.integers(0, 2000)}
            ),
        ),
        st.tuples(
            st.just("consent"),
            TIMES,
            st.fixed_dictionaries(
                {
                    "who": ADA,
                    "purpose": st.sampled_from(["cart_reminder", "cart_reminder", "all"]),
                    "state": st.sampled_from(["GRANTED", "GRANTED", "WITHDRAWN"]),
                    "decided_at": TIMES,
                }
            ),
        ),
        st.tuples(
            st.just("receipt"),
            TIMES,
            st.fixed_dictionaries(
                {
                    "type": st.just("cart_reminder"),
                    "channel": st.just(Channel.EMAIL),
                    "state": st.sampled_from([DeliveryState.UNSUBSCRIBED, DeliveryState.COMPLAINED]),
                }
            ),
        ),
    ),
    min_size=3,
    max_size=12,
)
"""Carts, consents and opt-outs of one person, dense enough that reminders do leave."""
HISTORIES = st.lists(st.one_of(ORDERS, SHIPMENTS, CARTS, CONSENTS, RECEIPTS), max_size=14)


def played(events: Iterable[Event]) -> Simulation:
    """Everything that follows from a history."""
    simulation = Simulation(POLICY, START)
    for number, (kind, seconds, changes) in enumerate(events):
        if kind == "receipt":
            told = dict(changes)
            simulation.at(at(seconds), lambda told=told: _tell(simulation, told))  # type: ignore[misc]
            continue
        fact = fact_of(kind, changes, seconds, f"evt-{number}")  # type: ignore[arg-type]
        simulation.at(at(seconds), lambda fact=fact: simulation.fact(_topic(fact), fact))  # type: ignore[misc]
    simulation.run()
    return simulation


def _tell(simulation: Simulation, told: dict[str, Any]) -> None:
    simulation.receipt(told["type"], told["channel"], told["state"])


def _topic(fact: Fact) -> str:
    return next(topic for topic, kind in KINDS.items() if isinstance(fact, kind))


@MANY
@given(HISTORIES)
def test_every_match_is_one_decision(events: list[Event]) -> None:
    """For each record and each type whose trigger matches there is exactly one decision of that type."""
    simulation = played(events)
    states: dict[str, SubjectState] = {}
    for record, fact in simulation.inbox:
        decided = decide(POLICY, states.get(record.subject, EMPTY), record, fact)
        states[record.subject] = decided.state
        found = Counter(decision.type for decision in decided.decisions)
        for rule in POLICY.triggered_by(record.kind):
            if rule.matches(fact):
                assert found[rule.type] == 1
        assert all(decision.reason for decision in decided.decisions if decision.outcome is not Outcome.SEND)
        ids = [decision.communication_id for decision in decided.decisions]
        assert len(ids) == len(set(ids))


@MANY
@given(HISTORIES)
def test_a_replay_gives_the_same_bytes(events: list[Event]) -> None:
    """Reading the inbox again, from stored state, gives the same decisions and the same state to the byte."""
    simulation = played(events)
    states: dict[str, bytes] = {}
    decisions = []
    for record, fact in simulation.inbox:
        state = from_bytes(states.get(record.subject, b"{}"))
        decided = decide(POLICY, state, record, fact)
        states[record.subject] = decided.state.to_bytes()
        decisions += [decision.model_dump_json() for decision in decided.decisions]
    assert decisions == [decision.model_dump_json() for decision in simulation.decisions]
    assert states == {subject: state.to_bytes() for subject, state in simulation.states.items()}


@MANY
@given(HISTORIES, st.data())
def test_repeated_records_change_nothing(events: list[Event], data: st.DataObject) -> None:
    """Any record that comes again, at any later point, changes no state and sends nothing."""
    inbox = played(events).inbox
    states: dict[str, SubjectState] = {}
    for number, (record, fact) in enumerate(inbox):
        states[record.subject] = decide(POLICY, states.get(record.subject, EMPTY), record, fact).state
        repeated, old = inbox[data.draw(st.integers(0, number))]
        state = states[repeated.subject]
        again = decide(POLICY, state, repeated, old)
        assert again.state is state
        assert {decision.reason for decision in again.decisions} <= {"duplicate_event"}
        assert replace(again, decisions=()) == Decided(state)


@MANY
@given(HISTORIES, st.data())
def test_no_delivery_is_asked_for_twice_even_when_repeats_are_not_recognised(
    events: list[Event], data: st.DataObject
) -> None:
    """With the memory of recent records wiped, effects still collapse: each delivery is asked for once."""
    inbox = played(events).inbox
    states: dict[str, SubjectState] = {}
    asked: Counter[str] = Counter()
    for number, current in enumerate(inbox):
        for record, fact in (current, inbox[data.draw(st.integers(0, number))]):
            state = replace(states.get(record.subject, EMPTY), recent=())
            decided = decide(POLICY, state, record, fact)
            states[record.subject] = decided.state
            asked.update(delivery.delivery_id for item in decided.compositions for delivery in item.deliveries)
            asked.update(item.delivery_id for item in decided.notifications)
    assert [delivery for delivery, count in asked.items() if count > 1] == []


@MANY
@given(st.one_of(ADVERTISING, HISTORIES))
def test_no_advertisement_leaves_without_a_consent_that_holds(events: list[Event]) -> None:
    """At the moment a reminder leaves, the latest decision known about it is a grant, and nobody complained."""
    simulation = played(events)
    for handed in simulation.handed:
        request = handed.request
        if request.message_class == "marketing":
            arrived = [
                fact
                for record, fact in simulation.inbox
                if record.subject == request.subject and record.recorded_at <= handed.at
            ]
            assert _allowed(arrived, request.channel)


def _allowed(facts: list[Any], channel: Channel) -> bool:
    said: list[tuple[datetime, int]] = []
    for fact in facts:
        if isinstance(fact, Consent) and fact.channel is channel and fact.purpose in {"cart_reminder", "all"}:
            yes = fact.state is ConsentState.GRANTED
            said.append((min(fact.decided_at, fact.source.collected_at) if yes else fact.decided_at, 0 if yes else 1))
        if isinstance(fact, Feedback) and fact.channel is channel and fact.state is DeliveryState.UNSUBSCRIBED:
            said.append((fact.recorded_at, 1))
        if isinstance(fact, Feedback) and fact.channel is channel and fact.state is DeliveryState.COMPLAINED:
            return False
    return bool(said) and max(said)[1] == 0


@MANY
@given(HISTORIES)
def test_no_parcel_is_told_of_before_its_order(events: list[Event]) -> None:
    """When a shipment notice leaves, the confirmation has left, or it was decided that it never will."""
    simulation = played(events)
    keys = _order_keys(simulation)
    for handed in simulation.handed:
        if handed.request.type != "shipment_notice":
            continue
        key = keys[handed.request.subject, handed.request.about.order_ref]
        done = {Outcome.SUPPRESS, Outcome.SUPERSEDE}
        ended = [
            decision
            for decision in simulation.decisions
            if (decision.type, decision.subject, decision.business_key)
            == ("order_confirmation", handed.request.subject, key)
            and decision.outcome in done
            and decision.reason not in {"duplicate_event", "duplicate_effect"}
            and decision.decided_at <= handed.at
        ]
        left = [
            feedback
            for feedback in simulation.feedback
            if feedback.type == "order_confirmation"
            and feedback.about.order_ref in {ref for (_, ref), name in keys.items() if name == key}
            and feedback.recorded_at <= handed.at
        ]
        assert ended or left


def _order_keys(simulation: Simulation) -> dict[tuple[str, str | None], str]:
    return {
        (subject, name): key
        for subject, state in simulation.states.items()
        for name, key in state.aliases.items()
        if name != "SO-1"
    }


@MANY
@given(HISTORIES)
def test_people_do_not_influence_one_another(events: list[Event]) -> None:
    """Each person's decisions are those they would get if nobody else existed."""
    facts = [item for item in events if item[0] != "receipt"]
    together = played(facts)
    for subject in together.states:
        records = [(record, fact) for record, fact in together.inbox if record.subject == subject]
        state, alone = EMPTY, list[Decision]()
        for record, fact in records:
            decided = decide(POLICY, state, record, fact)
            state = decided.state
            alone += decided.decisions
        assert alone == [decision for decision in together.decisions if decision.subject == subject]
        assert state == together.states[subject]


@MANY
@given(HISTORIES)
def test_one_effect_leaves_once(events: list[Event]) -> None:
    """However often and from wherever an order, parcel or cart is told, each delivery leaves once."""
    simulation = played(events)
    delivered = Counter(handed.request.delivery_id for handed in simulation.handed)
    assert [delivery for delivery, count in delivered.items() if count > 1] == []


@MANY
@given(HISTORIES)
def test_nothing_is_left_hanging(events: list[Event]) -> None:
    """When all alarms went off, every communication has left, failed or been suppressed with a reason."""
    simulation = played(events)
    for state in simulation.states.values():
        assert [item for item in state.communications.values() if item.phase in {"pending", "waiting"}] == []


def test_histories_reach_the_interesting_places() -> None:
    """A history like those above really sends parcels, reminders and fallbacks, so the properties are not empty."""
    who = PEOPLE[0]
    simulation = played(
        [
            ("consent", 0, {"who": who}),
            ("order", 0, {"who": who, "order_ref": "o-1", "external_ref": "SO-1"}),
            ("shipment", 10, {"who": who, "order_ref": "o-1"}),
            ("cart", 4000, {"who": who, "changed_at": 4000}),
            (
                "receipt",
                200,
                {"type": "order_confirmation", "channel": Channel.EMAIL, "state": DeliveryState.BOUNCED_HARD},
            ),
        ]
    )
    kinds = {(handed.request.type, handed.request.channel.value) for handed in simulation.handed}
    assert kinds == {
        ("order_confirmation", "EMAIL"),
        ("order_confirmation", "SMS"),
        ("shipment_notice", "EMAIL"),
        ("shipment_notice", "SMS"),
    }
    assert any(isinstance(fact, Shipment) for _, fact in simulation.inbox)
    assert any(isinstance(fact, Order) for _, fact in simulation.inbox)
