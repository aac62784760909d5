"""The benchmark's oracle: a speed counts only for work that was done, so whoever cheats must be caught."""

import random
import zlib

import pytest

from tests.bench.engine.oracle import Expected, Sent, channel
from tests.bench.engine.workload import (
    CUSTOMERS,
    FIRST_BURST_TS,
    Fields,
    dec_order,
    decide,
    enc_order,
    enc_request,
    key_of,
    order_of,
    profile_of,
)

Outputs = list[tuple[bytes, bytes]]
States = dict[bytes, Fields]


class World:
    """Two hundred orders of seven customers, done rightly by the workload's own `decide`."""

    def __init__(self) -> None:
        chance = random.Random(1)
        self.outputs: Outputs = []
        self.states: States = {}
        sent = []
        for number in range(200):
            _, fields = order_of(number, chance, FIRST_BURST_TS + number)
            customer = number % 7
            key = key_of(customer)
            order = dec_order(enc_order(fields))
            request, self.states[key] = decide(order, profile_of(customer), self.states.get(key))
            self.outputs.append((key, enc_request(request)))
            checksum = zlib.crc32(enc_request(request))
            sent.append(Sent(number, customer, fields["ts"], fields["total"], checksum))
        self.expected = Expected(sent)


@pytest.fixture
def world() -> World:
    return World()


def test_right_work_is_verified(world: World) -> None:
    """Work that was done by the pure decision passes, states included."""
    verdict = world.expected.judge(world.outputs, world.states)
    assert verdict.ok
    assert str(verdict) == "verified"


def test_partitions_may_be_read_in_any_order(world: World) -> None:
    """Only the order within a customer counts."""
    by_customer = sorted(world.outputs, key=lambda output: output[0])
    assert world.expected.judge(by_customer, world.states).ok


def test_a_lost_output_is_seen(world: World) -> None:
    """One missing request spoils the run."""
    verdict = world.expected.judge(world.outputs[:50] + world.outputs[51:], world.states)
    assert (verdict.lost, verdict.repeated, verdict.disordered) == (1, 0, 0)
    assert not verdict.ok


def test_a_repeated_output_is_seen(world: World) -> None:
    """One request too many spoils the run."""
    verdict = world.expected.judge([*world.outputs, world.outputs[60]], world.states)
    assert (verdict.lost, verdict.repeated, verdict.disordered) == (0, 1, 0)
    assert not verdict.ok


def test_a_changed_order_is_seen(world: World) -> None:
    """Two requests of one customer the wrong way round spoil the run."""
    outputs = list(world.outputs)
    outputs[0], outputs[7] = outputs[7], outputs[0]
    verdict = world.expected.judge(outputs, world.states)
    assert (verdict.lost, verdict.repeated, verdict.disordered) == (0, 0, 1)
    assert not verdict.ok


def test_a_changed_byte_is_seen(world: World) -> None:
    """A request that is not the one asked for spoils the run."""
    key, value = world.outputs[3]
    outputs = [*world.outputs[:3], (key, value[:-2] + b"!" + value[-1:]), *world.outputs[4:]]
    verdict = world.expected.judge(outputs, world.states)
    assert (verdict.altered, verdict.lost) == (1, 0)


def test_an_output_for_nobody_is_seen(world: World) -> None:
    """A request that answers no order, or goes to a stranger, spoils the run."""
    _, fields = order_of(999, random.Random(2), 0)
    stranger = enc_request(decide(fields, profile_of(1), None)[0])
    assert world.expected.judge([*world.outputs, (key_of(1), stranger)], world.states).foreign == 1
    moved = [(key_of(49), world.outputs[0][1]), *world.outputs[1:]]
    verdict = world.expected.judge(moved, world.states)
    assert (verdict.lost, verdict.foreign) == (1, 1)


@pytest.mark.parametrize("field", ["count", "total", "last_ts", "last_channel", "recent"])
def test_a_wrong_state_is_seen(world: World, field: str) -> None:
    """Every field of a state is compared."""
    spoiled = {"count": 1, "total": 0.1, "last_ts": 1, "last_channel": "pigeon", "recent": []}[field]
    states = {**world.states, key_of(2): {**world.states[key_of(2)], field: spoiled}}
    assert world.expected.judge(world.outputs, states).state_wrong == 1


def test_missing_and_foreign_states_are_seen(world: World) -> None:
    """A state that was never written, and one of nobody, spoil the run."""
    missing = {key: state for key, state in world.states.items() if key != key_of(3)}
    assert world.expected.judge(world.outputs, missing).state_wrong == 1
    foreign = {**world.states, key_of(11): world.states[key_of(1)]}
    assert world.expected.judge(world.outputs, foreign).state_wrong == 1


def test_the_oracle_and_the_workload_agree_on_channels() -> None:
    """The closed form, written apart from `decide`, says the same; and not everybody is reached."""
    _, fields = order_of(0, random.Random(3), 0)
    said = [decide(fields, profile_of(customer), None)[1]["last_channel"] for customer in range(0, CUSTOMERS, 7)]
    assert said == [channel(customer) for customer in range(0, CUSTOMERS, 7)]
    assert set(said) == {"", "email", "sms", "push"}
