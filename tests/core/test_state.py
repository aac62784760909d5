"""State survives being stored, other versions of the product, and time."""

from dataclasses import replace
from datetime import timedelta

import orjson

from schemas.models import ConsentState
from streams.core.state import (
    EMPTY,
    KEEP_DATA,
    KEEP_DETAILS,
    KEPT_COMMUNICATIONS,
    KEPT_ORDERS,
    KEPT_RECENT,
    Communication,
    Contact,
    OrderState,
    Phase,
    SubjectState,
    from_bytes,
    mark,
    pruned,
)
from tests.core.given import ABOUT, at, choice

FULL = SubjectState(
    clock=at(5),
    contacts={"bigcommerce": Contact(at(1), "ada@example.test", None, "de", "Ada")},
    consents=(choice(ConsentState.GRANTED, 1),),
    complaints=("EMAIL",),
    blocked={"f" * 16: "address_invalid"},
    orders={"SO-1": OrderState(at(1), "PLACED", "1", {"1": "Lamp"})},
    aliases={"o-1": "SO-1"},
    communications={
        "c" * 32: Communication(
            "order_confirmation", "SO-1", Phase.PENDING, ABOUT, at(1), at(1), at(121), data={"order": {"lines": []}}
        )
    },
    ended={"cart_reminder": at(3)},
    closed=("e" * 16,),
    recent=("r" * 16,),
)


def test_state_comes_back_as_it_was_stored() -> None:
    """Nothing is lost or changed between two records of a subject."""
    assert from_bytes(FULL.to_bytes()) == FULL


def test_an_unknown_subject_costs_nothing() -> None:
    """The empty state is two bytes."""
    assert EMPTY.to_bytes() == b"{}"
    assert from_bytes(b"{}") == EMPTY


def test_state_of_a_newer_version_can_be_read() -> None:
    """Rolling back finds keys and symbols it does not know and goes on."""
    raw = orjson.loads(FULL.to_bytes())
    raw["mood"] = "sunny"
    raw["consents"][0] |= {"basis": "express", "channel": "PIGEON"}
    raw["communications"]["c" * 32] |= {"phase": "levitating", "weight": 3}
    raw["communications"]["c" * 32]["about"]["store"] = "7"
    state = from_bytes(orjson.dumps(raw))
    assert state.consents[0].channel == "UNKNOWN"
    assert state.communications["c" * 32].phase is Phase.SENT
    assert state.contacts == FULL.contacts


def communication(began: float, phase: Phase = Phase.LEFT) -> Communication:
    """A communication that began at a time."""
    return Communication("order_confirmation", "k", phase, ABOUT, at(began), at(began), at(began), data={"order": {}})


def test_data_goes_first_then_details_and_the_id_stays() -> None:
    """After a week the data of what is done is let go, after a month all but the fact that it was."""
    state = replace(EMPTY, communications={"c" * 32: communication(0)})
    week = pruned(replace(state, clock=at(1) + KEEP_DATA))
    assert week.communications["c" * 32].data is None
    month = pruned(replace(state, clock=at(1) + KEEP_DETAILS))
    assert month.communications == {}
    assert month.closed == (mark("c" * 32),)


def test_what_is_still_open_is_never_let_go() -> None:
    """However old, a communication that may still leave keeps everything."""
    waiting = {"c" * 32: communication(0, Phase.WAITING)}
    state = pruned(replace(EMPTY, communications=waiting, clock=at(0) + timedelta(days=400)))
    assert state.communications == waiting


def test_state_stays_bounded() -> None:
    """A busy business account does not grow without end; the newest stays."""
    state = replace(
        EMPTY,
        clock=at(1000),
        communications={f"{number:032}": communication(number) for number in range(KEPT_COMMUNICATIONS + 7)},
        orders={f"o-{number}": OrderState(at(number)) for number in range(KEPT_ORDERS + 7)},
        aliases={f"o-{number}": f"o-{number}" for number in range(KEPT_ORDERS + 7)},
        recent=tuple(f"{number:016}" for number in range(KEPT_RECENT + 7)),
        blocked={f"{number:016}": "address_invalid" for number in range(40)},
        ended={f"{number:016}": at(number) for number in range(200)},
    )
    small = pruned(state)
    assert len(small.communications) == KEPT_COMMUNICATIONS
    assert len(small.closed) == 7
    assert len(small.orders) == len(small.aliases) == KEPT_ORDERS
    assert f"o-{KEPT_ORDERS + 6}" in small.orders
    assert small.recent[-1] == state.recent[-1]
    assert max(len(small.blocked), len(small.ended), len(small.recent)) < 70
