"""What every connector that takes webhooks does with genuine, forged, stale, repeated and broken ones."""

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from pydantic import SecretStr

from connectors.contract import BadRequest, HttpRequest, Receipt, Refused, Unauthorized
from connectors.http import Wire
from schemas.models import RawDelivery
from streams.errors import Failure, Reject, Retry, Skip
from tests.connectors.conformance.case import Case, World
from tests.connectors.conformance.registry import check

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


@check("ingest")
async def keeps_every_genuine_event_as_it_came(case: Case) -> None:
    """Every kind of event is accepted, with its exact bytes and without credentials, and filed under its connector."""
    client = World(case).client
    for path in case.events:
        body = path.read_bytes()
        for raw in _accept(case, client, _genuine(case, body)):
            where = f"{case.connector.name}/{path.name}"
            assert raw.connector == case.connector.name, f"{where}: filed under {raw.connector}"
            assert raw.key, f"{where}: no key"
            assert raw.event_id, f"{where}: no event id"
            assert raw.received_at == NOW, f"{where}: received at {raw.received_at}"
            kept = " ".join([*raw.headers, *raw.headers.values()])
            assert not [secret for secret in case.secrets if secret in kept], f"{where}: keeps a secret"
            assert "authorization" not in raw.headers, f"{where}: keeps credentials"
            assert not [name for name in raw.headers if "signature" in name], f"{where}: keeps the signature"


@check("ingest")
async def knows_a_repeated_event(case: Case) -> None:
    """The same event sent again has the same ids and key, so that it can be found out."""
    client = World(case).client
    for path in case.events:
        body = path.read_bytes()
        first = _accept(case, client, _genuine(case, body))
        again = _accept(case, client, _genuine(case, body, NOW + timedelta(minutes=2)))
        ids = [[(raw.raw_id, raw.event_id, raw.key) for raw in raws] for raws in (first, again)]
        assert ids[0] == ids[1], f"{case.connector.name}/{path.name}: a repeat looks new"


@check("ingest")
async def refuses_what_nobody_signed(case: Case) -> None:
    """Without its proof, or with a proof made with other secrets, an event is refused with 401."""
    request = _genuine(case, _any_body(case))
    bare = {name: value for name, value in request.headers.items() if name == "content-type"}
    _refused(case, World(case).client, replace(request, headers=bare))
    secrets = {n: SecretStr("another-1") for n in type(case.settings).model_fields if _secret(case, n)}
    stranger = case.connector.open(
        case.settings.model_copy(update=secrets), Wire(transport=httpx.MockTransport(_nobody))
    )
    _refused(case, stranger, request)


@check("ingest")
async def refuses_what_was_changed_on_its_way(case: Case) -> None:
    """When the proof covers the body, one byte more or less is refused with 401."""
    request = _genuine(case, _any_body(case))
    if case.profile.signs_body:
        _refused(case, World(case).client, replace(request, body=request.body + b" "))
        _refused(case, World(case).client, replace(request, body=request.body.replace(b":", b": ", 1)))


@check("ingest")
async def refuses_what_is_stale(case: Case) -> None:
    """When a proof ages, one from too long ago or from the future is refused with 401; one in time is not."""
    tolerance, request, client = case.profile.tolerance_s, _genuine(case, _any_body(case)), World(case).client
    if tolerance is not None:
        for seconds in (tolerance + 1, -tolerance - 1):
            _refused(case, client, replace(request, received_at=NOW + timedelta(seconds=seconds)))
        assert client.accept(replace(request, received_at=NOW + timedelta(seconds=tolerance - 1)))


@check("ingest")
async def refuses_what_cannot_be_read(case: Case) -> None:
    """A genuine request that is no JSON gets 400, and no odd body makes anything else escape."""
    client = World(case).client
    with pytest.raises(BadRequest):
        client.accept(_genuine(case, b"{not json"))
    for body in (b"", b"null", b"[]", b"[1]", b'"x"', b"{}", b'{"scope": 1}', b"1e999", b"[" * 2000):
        with contextlib.suppress(Refused):
            client.accept(_genuine(case, body))


@check("hydrate")
async def hydrates_every_event_or_says_why_not(case: Case) -> None:
    """Every kind of event, asked about in an empty store, ends in facts or in a family of errors."""
    world = World(case)
    for path in case.events:
        for raw in _accept(case, world.client, _genuine(case, path.read_bytes())):
            with contextlib.suppress(Retry, Reject, Skip):
                await world.client.hydrate(raw)


@check("track")
async def reads_the_same_receipts_every_time(case: Case) -> None:
    """Every kind of receipt is read into the same facts whenever it is read, or refused by a family of errors."""
    client = World(case).client
    for path in case.events:
        for raw in _accept(case, client, _genuine(case, path.read_bytes())):
            first, second = (_receipts(client.receipts, raw) for _ in range(2))
            assert first == second, f"{case.connector.name}/{path.name}: read differently the second time"


def _nobody(request: httpx.Request) -> httpx.Response:
    raise AssertionError("accepting an event needs no call")


def _receipts(read: object, raw: RawDelivery) -> Sequence[Receipt] | str:
    try:
        assert callable(read)
        return list(read(raw))
    except Failure as failure:
        return failure.code


def _genuine(case: Case, body: bytes, now: datetime = NOW) -> HttpRequest:
    assert case.profile.inbound, f"{case.connector.name}: PROFILE.inbound is needed for the role ingest"
    return case.profile.inbound(body, now)


def _any_body(case: Case) -> bytes:
    return case.events[0].read_bytes()


def _secret(case: Case, name: str) -> bool:
    return isinstance(getattr(case.settings, name), SecretStr)


def _accept(case: Case, client: object, request: HttpRequest) -> Sequence[RawDelivery]:
    accepted: Sequence[RawDelivery] = client.accept(request)  # type: ignore[attr-defined]
    assert all(isinstance(raw, RawDelivery) for raw in accepted), f"{case.connector.name}: accept gives RawDelivery"
    return accepted


def _refused(case: Case, client: object, request: HttpRequest) -> None:
    with pytest.raises(Unauthorized) as caught:
        client.accept(request)  # type: ignore[attr-defined]
    told = str(caught.value)
    assert not [secret for secret in case.secrets if secret in told], (
        f"{case.connector.name}: the refusal tells a secret"
    )
