"""Golden cases: given these events at these times, these deliveries leave and these are the decisions with their
reasons.

Times are seconds after an arbitrary start, facts are written as changes to the examples in `samples`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.models import Channel, Decision, DeliveryState, Outcome
from streams.core import samples
from streams.core.policy import Policy
from streams.core.predicate import Location, Problem
from streams.core.resolve import Fact
from streams.core.simulate import Handed, Simulation
from streams.core.simulate import Told as ProviderTold
from streams.core.timer import later

CASES = "cases.yaml"

_SAMPLES: Mapping[str, tuple[str, Fact]] = {
    "order": ("commerce.orders", samples.ORDER),
    "shipment": ("commerce.shipments", samples.SHIPMENT),
    "cart": ("commerce.carts", samples.CART),
    "customer": ("commerce.customers", samples.CUSTOMER),
    "consent": ("commerce.consents", samples.CONSENT),
}
# What happens at a time became true at that time unless the case says otherwise; an order was placed at the start.
_TIMES_OF_EVENT = ("changed_at", "shipped_at", "decided_at")
_TIMES = (*_TIMES_OF_EVENT, "placed_at", "created_at")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Told(_Part):
    """What the provider says about the latest delivery of a type on a channel."""

    type: str
    channel: Channel
    state: DeliveryState
    reason: str | None = None


class Event(_Part):
    """One thing that happens at `at`: a fact, a receipt, or the very record of an earlier event once more."""

    at: float
    order: dict[str, Any] | None = None
    shipment: dict[str, Any] | None = None
    cart: dict[str, Any] | None = None
    customer: dict[str, Any] | None = None
    consent: dict[str, Any] | None = None
    feedback: Told | None = None
    repeat: int | None = Field(default=None, ge=0, description="Number of the event in the list, from 0.")


class Delivery(_Part):
    """A hand-over that is expected, and texts it must show."""

    at: float
    type: str
    channel: Channel
    rung: int = 0
    shows: list[str] = Field(default_factory=list)


class Expected(_Part):
    """All deliveries and all decisions, in order; a decision reads `120 order_confirmation hold(grace)`."""

    deliveries: list[Delivery]
    decisions: list[str]


class Case(_Part):
    """One golden case; `says` is the promise it shows."""

    id: str = Field(pattern=r"^[a-z0-9_]+$")
    says: str = Field(min_length=1)
    events: list[Event] = Field(min_length=1)
    expect: Expected


@dataclass(frozen=True, slots=True)
class Ran:
    """What a case led to."""

    deliveries: tuple[Handed, ...]
    decisions: tuple[Decision, ...]


def parse(raw: Sequence[Any], location: Location) -> tuple[Case, ...]:
    """The cases of a file. Raises Problem."""
    cases = []
    for at, item in enumerate(raw):
        try:
            case = Case.model_validate(item)
        except ValidationError as error:
            first = error.errors()[0]
            raise Problem((*location, at, *first["loc"]), first["msg"]) from None
        for number, event in enumerate(case.events):
            _action_of(event, (*location, at, "events", number))
            if event.repeat is not None and event.repeat >= number:
                raise Problem((*location, at, "events", number, "repeat"), "only an earlier event can be repeated")
        cases.append(case)
    return tuple(cases)


def run(policy: Policy, case: Case) -> Ran:
    """Play a case from its first event until nothing is left to come."""
    simulation = Simulation(policy, later(samples.START, min(event.at for event in case.events)))
    for number, event in enumerate(case.events):
        simulation.at(later(samples.START, event.at), _action(simulation, case, number))
    simulation.run()
    return Ran(tuple(simulation.handed), tuple(simulation.decisions))


def differences(case: Case, ran: Ran) -> tuple[str, ...]:
    """Where what happened is not what was expected; empty when the case holds."""
    wanted = [_wanted(delivery) for delivery in case.expect.deliveries]
    found = [described(handed) for handed in ran.deliveries]
    lines = _compared("delivery", wanted, found)
    if not lines:
        for delivery, handed in zip(case.expect.deliveries, ran.deliveries, strict=True):
            text = _everything_shown(handed)
            missing = [part for part in delivery.shows if part not in text]
            lines += [f"{_wanted(delivery)} does not show {part!r}" for part in missing]
    lines += _compared("decision", case.expect.decisions, [worded(decision) for decision in ran.decisions])
    return tuple(lines)


def described(handed: Handed) -> str:
    """A delivery as one line."""
    request = handed.request
    return f"{_seconds(handed.at)} {request.type} {request.channel.value} rung {request.rung}"


def worded(decision: Decision) -> str:
    """A decision as one line, as cases write it."""
    outcome = decision.outcome.value.lower()
    reason = "" if decision.outcome is Outcome.SEND else f"({decision.reason})"
    return f"{_seconds(decision.decided_at)} {decision.type} {outcome}{reason}"


def fact_of(
    name: Literal["order", "shipment", "cart", "customer", "consent"],
    changes: Mapping[str, Any],
    at: float,
    event_id: str,
) -> Fact:
    """An example fact with `changes`, collected at `at` seconds. Raises ValidationError when the changes do not fit."""
    _, sample = _SAMPLES[name]
    when = later(samples.START, at)
    raw = sample.model_dump()
    raw["source"] |= {"event_id": event_id, "occurred_at": when, "collected_at": when}
    raw |= {field: when for field in _TIMES_OF_EVENT if field in raw}
    for field, value in changes.items():
        if field in {"who", "source"}:
            raw[field] |= value
        elif field in _TIMES and isinstance(value, int | float):
            raw[field] = later(samples.START, value)
        else:
            raw[field] = value
    return type(sample).model_validate(raw)


def _action_of(event: Event, location: Location) -> str:
    given = sorted(event.model_fields_set - {"at"})
    if len(given) != 1:
        raise Problem(location, f"give exactly one of {', '.join((*_SAMPLES, 'feedback', 'repeat'))}")
    return given[0]


def _action(simulation: Simulation, case: Case, number: int) -> Callable[[], None]:
    return lambda: _happen(simulation, case, number)


def _happen(simulation: Simulation, case: Case, number: int) -> None:
    event = case.events[number]
    told = event.feedback
    if told is not None:
        if not simulation.receipt(told.type, told.channel, told.state, ProviderTold(told.reason)):
            raise Problem((case.id, "events", number), f"nothing of type {told.type} left by {told.channel.value} yet")
        return
    source = number if event.repeat is None else event.repeat
    kind, fact = _fact(case, source)
    simulation.fact(kind, fact)


def _fact(case: Case, number: int) -> tuple[str, Fact]:
    event = case.events[number]
    for name, (kind, _) in _SAMPLES.items():
        changes = getattr(event, name)
        if changes is not None:
            try:
                return kind, fact_of(name, changes, event.at, f"evt-{number}")  # type: ignore[arg-type]
            except ValidationError as error:
                first = error.errors()[0]
                raise Problem((case.id, "events", number, name, *first["loc"]), first["msg"]) from None
    raise Problem((case.id, "events", number), "this event cannot be repeated")


def _seconds(at: datetime) -> str:
    return f"{(at - samples.START).total_seconds():g}"


def _wanted(delivery: Delivery) -> str:
    return f"{delivery.at:g} {delivery.type} {delivery.channel.value} rung {delivery.rung}"


def _everything_shown(handed: Handed) -> str:
    request = handed.request
    attached = [item.content.decode(errors="replace") for item in request.attachments]
    return "\n".join([request.subject_line or "", request.text or "", request.html or "", *attached])


def _compared(what: str, wanted: Sequence[str], found: Sequence[str]) -> list[str]:
    if list(wanted) == list(found):
        return []
    missing = [f"missing {what}: {line}" for line in wanted if line not in found]
    extra = [f"unexpected {what}: {line}" for line in found if line not in wanted]
    return missing + extra or [f"{what}s in another order or number: {'; '.join(found)}"]
