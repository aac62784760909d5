"""What every connector does when its system answers well, badly, or not at all."""

import contextlib
from collections.abc import Mapping

import httpx
import pytest

from connectors.conformance import Call
from streams.errors import Ambiguous, Failure, Misconfigured, Retry
from tests.connectors.conformance.case import Answer, Case, World, listening
from tests.connectors.conformance.registry import check

_NONSENSE = (
    b"",
    b"<html>",
    b"null",
    b"1",
    b'"x"',
    b"{}",
    b"[]",
    b"[{}]",
    b'{"data": [{}]}',
    b'{"data": {}}',
    b'{"id": []}',
)
_STATUSES = (400, 401, 403, 404, 409, 422, 429, 500, 503)


@check()
async def works_against_its_sandbox(case: Case) -> None:
    """Every call of the profile succeeds against a fresh sandbox, which shows it in its journal."""
    for call in case.calls():
        world = World(case)
        before = await world.journal()
        results = await world.run(call)
        assert results[0] is not None, f"{case.connector.name}: {call.role} gave nothing"
        assert await world.journal() != before, f"{case.connector.name}: {call.role} left no trace in the journal"


@check()
async def starts_every_sandbox_afresh(case: Case) -> None:
    """Two sandboxes share nothing, and each takes faults."""
    first, second = World(case), World(case)
    untouched = await second.journal()
    await first.run(case.calls()[0])
    assert await second.journal() == untouched, f"{case.connector.name}: sandboxes share their state"
    await first.control("/_sandbox/faults", {"path": "/", "status": 503, "times": 1})


@check()
async def asks_for_a_person_when_refused(case: Case) -> None:
    """Wrong credentials and missing rights are Misconfigured: nothing is dropped, somebody must act."""
    for status in (401, 403):
        for call in case.calls():
            await _fails(case, call, _answers(case, status), Misconfigured)


@check()
async def comes_back_when_it_is_told_to(case: Case) -> None:
    """A throttled call is a Retry that keeps the system's wish."""
    for call in case.calls():
        failure = await _fails(case, call, _answers(case, 429, {"retry-after": "7"}), Retry)
        assert getattr(failure, "after", None) == 7, f"{case.connector.name}: {call.role} forgot Retry-After"


@check()
async def never_guesses_an_outcome(case: Case) -> None:
    """After a server error or a silence, a harmless call is a Retry and any other is Ambiguous."""
    for call in case.calls():
        family = Retry if call.safe else Ambiguous
        await _fails(case, call, _answers(case, 500), family)
        await _fails(case, call, _raises(httpx.ReadTimeout("no answer")), family)


@check()
async def knows_a_call_that_never_left(case: Case) -> None:
    """Without a connection every call is a plain Retry."""
    for call in case.calls():
        await _fails(case, call, _raises(httpx.ConnectError("refused")), Retry)


@check()
async def survives_nonsense(case: Case) -> None:
    """An answer that is nothing like the documented one ends in a result or in a family of errors."""
    for body in _NONSENSE:
        for call in case.calls():
            with contextlib.suppress(Failure):
                await World(case, _says(body)).run(call)


@check()
async def tells_nothing_about_people_or_secrets(case: Case) -> None:
    """Whatever goes wrong, no error, log line or output holds a secret, an address or a name."""
    hidden = [*case.secrets, *case.profile.private]
    for status in _STATUSES:
        for call in case.calls():
            with listening() as said:
                told = await _told(World(case, _answers(case, status)), call)
            leaks = [text for text in hidden if text in told + said()]
            assert not leaks, f"{case.connector.name}: {call.role} after {status} tells {leaks[0][:3]}..."


@check("write_back")
async def writes_an_outcome_once(case: Case) -> None:
    """The same feedback twice leaves the same state, and the second time nothing is written."""
    for call in case.calls("write_back"):
        world = World(case)
        (first,) = await world.run(call)
        state = await world.journal()
        again = await call.run(world.client, world.control)
        assert (first.outcome, again.outcome) == ("written", "unchanged"), (
            f"{case.connector.name}: {first} then {again}"
        )
        assert first.result_id == again.result_id, f"{case.connector.name}: a repeat has another id"
        assert await world.journal() == state, f"{case.connector.name}: a repeated write-back changed something"


async def _told(world: World, call: Call) -> str:
    try:
        await world.run(call)
        return ""
    except Failure as failure:
        return f"{failure} {failure.detail} {failure.__cause__}"


async def _fails(case: Case, call: Call, answer: Answer, family: type[Failure]) -> Failure:
    world = World(case, answer)
    with pytest.raises(Failure) as caught:
        await world.run(call)
    assert type(caught.value) is family, (
        f"{case.connector.name}: {call.role} gave {caught.value!r}, not {family.__name__}"
    )
    return caught.value


def _answers(case: Case, status: int, headers: Mapping[str, str] | None = None) -> Answer:
    """An error whose text quotes people, as real ones do."""
    quoted = {"message": " ".join(case.profile.private)}
    return lambda _: httpx.Response(status, headers=headers, json=quoted)


def _says(body: bytes) -> Answer:
    return lambda _: httpx.Response(200, content=body)


def _raises(error: Exception) -> Answer:
    def answer(request: httpx.Request) -> httpx.Response:
        raise error

    return answer
