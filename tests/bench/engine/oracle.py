"""Says whether a run did its work: every order answered once, in its customer's order, rightly, and the state is right.

Expectations come from the generated orders in closed form, not from running `decide` over a state: a count is how many
orders a customer has, `recent` its last five. Pure.
"""

import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import NamedTuple

from tests.bench.engine.workload import RECENT, Fields, profile_of, request_number


class Sent(NamedTuple):
    """One order that was sent: its number, whose it is, when it was placed, its amount, its request's checksum."""

    number: int
    customer: int
    ts: int
    total: float
    request: int


@dataclass(slots=True)
class Verdict:
    """How many outputs and states were wrong, and in which way. `foreign` answers nothing that was sent."""

    lost: int = 0
    repeated: int = 0
    disordered: int = 0
    altered: int = 0
    foreign: int = 0
    state_wrong: int = 0

    @property
    def ok(self) -> bool:
        """Nothing at all was wrong."""
        return not any(asdict(self).values())

    def __str__(self) -> str:
        return ", ".join(f"{name} {count}" for name, count in asdict(self).items() if count) or "verified"


@dataclass(slots=True)
class Customer:
    """What one customer's orders must lead to."""

    numbers: list[int] = field(default_factory=list)
    total: float = 0.0
    last_ts: int = 0

    def state(self, customer: int) -> Fields:
        """The state after all orders."""
        return {
            "count": len(self.numbers),
            "total": self.total,
            "last_ts": self.last_ts,
            "last_channel": channel(customer),
            "recent": [f"ord-{number:012d}" for number in self.numbers[-RECENT:]],
        }


def channel(customer: int) -> str:
    """How a customer is reached, from what they agreed to: the preferred way, else e-mail, text message, push."""
    profile = profile_of(customer)
    open_ways = {
        "email": profile["consent_email"],
        "sms": profile["consent_sms"] and profile["phone"] is not None,
        "push": profile["consent_push"],
    }
    ways = [profile["preferred"], *open_ways]
    return next((way for way in ways if open_ways[way]), "")


class Expected:
    """Everything that must be there after a run, from the orders in the sequence in which they were sent."""

    def __init__(self, sent: Iterable[Sent]) -> None:
        self.customers: dict[int, Customer] = defaultdict(Customer)
        self.requests: dict[int, int] = {}
        for order in sent:
            customer = self.customers[order.customer]
            customer.numbers.append(order.number)
            # Added one by one, in the order in which contestants add them: floats are not associative.
            customer.total += order.total
            customer.last_ts = order.ts
            self.requests[order.number] = order.request

    def judge(self, outputs: Iterable[tuple[bytes, bytes]], states: Mapping[bytes, Fields]) -> Verdict:
        """Compares outputs (key, encoded request; partitions in any order, each in its own) and final states."""
        verdict = Verdict()
        answered: dict[int, list[int]] = defaultdict(list)
        for key, value in outputs:
            number = request_number(value)
            answered[int(key[5:])].append(number)
            expected = self.requests.get(number)
            verdict.altered += expected is not None and expected != zlib.crc32(value)
        for customer in self.customers.keys() | answered.keys():
            wanted = self.customers[customer].numbers if customer in self.customers else []
            _compare(verdict, wanted, answered.get(customer, []))
        verdict.state_wrong = sum(1 for _ in self._wrong(states))
        return verdict

    def _wrong(self, states: Mapping[bytes, Fields]) -> Iterator[int]:
        known = {b"cust-%08d" % number: number for number in self.customers}
        for key, number in known.items():
            if states.get(key) != self.customers[number].state(number):
                yield number
        yield from (-1 for key in states if key not in known)


def _compare(verdict: Verdict, wanted: list[int], answered: list[int]) -> None:
    if wanted == answered:
        return
    once = list(dict.fromkeys(answered))
    verdict.repeated += len(answered) - len(once)
    known, seen = set(wanted), set(once)
    verdict.foreign += len(seen - known)
    verdict.lost += len(known - seen)
    if [number for number in wanted if number in seen] != [number for number in once if number in known]:
        verdict.disordered += 1
