"""The one HTTP client: what each thing that can go wrong on the wire means for the caller."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from connectors.http import Basic, Http, Limits, Static, Wire
from streams.errors import Ambiguous, Failure, Misconfigured, Reject, Retry

Handler = Callable[[httpx.Request], Any]


def client(handler: Handler, **limits: Any) -> Http:
    """A client with a fixed key whose wire is `handler`."""
    wire = Wire(transport=httpx.MockTransport(handler))
    return wire.client("shop", "https://api.example.test/v1/", Static({"x-key": "k-123"}), Limits(**limits))


def answers(*statuses: int, headers: dict[str, str] | None = None) -> tuple[Handler, list[httpx.Request]]:
    """A handler that gives these statuses in turn, the last for ever, and the requests it saw."""
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(statuses[min(len(seen), len(statuses)) - 1], headers=headers, json={"n": len(seen)})

    return handle, seen


async def test_an_expected_answer_is_returned_with_lower_case_headers() -> None:
    """A call that works gives status, headers and parsed body, and carried its credentials, query and JSON."""
    handle, seen = answers(201, headers={"X-Left": "7"})
    answer = await client(handle).send(
        "create", "POST", "/things", params={"a": 1}, json={"b": [2]}, headers={"x-extra": "e"}, safe=False
    )
    assert (answer.status, answer.headers["x-left"], answer.json()) == (201, "7", {"n": 1})
    request = seen[0]
    assert str(request.url) == "https://api.example.test/v1/things?a=1"
    assert (request.headers["x-key"], request.headers["x-extra"]) == ("k-123", "e")
    assert (request.headers["content-type"], request.content) == ("application/json", b'{"b":[2]}')


async def test_a_status_the_caller_expects_is_no_error() -> None:
    """A caller that can handle 404 gets it as an answer."""
    handle, _ = answers(404)
    assert (await client(handle).send("read", "GET", "/x", safe=True, expect={200, 404})).status == 404


@pytest.mark.parametrize(
    ("status", "family", "code"),
    [
        (400, Reject, "http_400"),
        (404, Reject, "http_404"),
        (422, Reject, "http_422"),
        (401, Misconfigured, "unauthorized"),
        (403, Misconfigured, "forbidden"),
        (302, Misconfigured, "redirected"),
        (429, Retry, "throttled"),
    ],
)
@pytest.mark.parametrize("safe", [True, False])
async def test_a_refusal_means_the_same_whether_or_not_the_call_may_be_repeated(
    status: int, family: type[Failure], code: str, safe: bool
) -> None:
    """A refusal is certain: it is never repeated in place and never ambiguous."""
    handle, seen = answers(status)
    with pytest.raises(family) as caught:
        await client(handle).send("op", "POST", "/x", safe=safe)
    assert (caught.value.code, len(seen)) == (code, 1)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
async def test_a_server_error_is_repeated_only_when_that_is_safe(status: int) -> None:
    """A safe call is tried as often as the limits say and ends in Retry; an unsafe one is Ambiguous at once."""
    handle, seen = answers(status)
    with pytest.raises(Retry) as caught:
        await client(handle, attempts=4).send("op", "GET", "/x", safe=True)
    assert (caught.value.code, len(seen)) == ("server_error", 4)
    handle, seen = answers(status)
    with pytest.raises(Ambiguous) as unknown:
        await client(handle, attempts=4).send("op", "POST", "/x", safe=False)
    assert (unknown.value.code, len(seen)) == ("server_error", 1)


async def test_a_safe_call_survives_a_short_trouble() -> None:
    """Two failures in a row and then an answer are a success."""
    handle, seen = answers(502, 503, 200)
    assert (await client(handle).send("op", "GET", "/x", safe=True)).status == 200
    assert len(seen) == 3


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (httpx.ReadTimeout("slow"), "timeout"),
        (httpx.WriteTimeout("slow"), "timeout"),
        (httpx.ReadError("reset"), "reset"),
        (httpx.RemoteProtocolError("gone"), "reset"),
        (httpx.DecodingError("not gzip"), "reset"),
    ],
)
async def test_a_call_that_was_sent_and_not_answered_is_unknown(error: Exception, code: str) -> None:
    """After the request left, only a safe call may be repeated; any other is Ambiguous."""

    def handle(request: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(Retry) as caught:
        await client(handle).send("op", "GET", "/x", safe=True)
    with pytest.raises(Ambiguous) as unknown:
        await client(handle).send("op", "POST", "/x", safe=False)
    assert caught.value.code == unknown.value.code == code


@pytest.mark.parametrize("error", [httpx.ConnectError("refused"), httpx.ConnectTimeout("t"), httpx.ProxyError("t")])
async def test_a_call_that_never_left_is_certainly_not_done(error: Exception) -> None:
    """Without a connection even an unsafe call is a plain Retry."""

    def handle(request: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(Retry) as caught:
        await client(handle).send("op", "POST", "/x", safe=False)
    assert caught.value.code == "unreachable"


async def test_a_lack_of_connections_is_ours_and_not_an_outage() -> None:
    """Too many calls at once come back later and do not make the system look down."""

    def handle(request: httpx.Request) -> httpx.Response:
        raise httpx.PoolTimeout("full")

    http = client(handle, breaker_failures=1)
    for _ in range(3):
        with pytest.raises(Retry) as caught:
            await http.send("op", "POST", "/x", safe=False)
        assert caught.value.code == "busy"


async def test_an_answer_that_never_ends_is_a_timeout() -> None:
    """A system that drips its answer cannot hold a call for longer than its limit."""

    async def handle(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    limits = {"timeout_s": 0.01, "connect_timeout_s": 0.01, "attempts": 1}
    with pytest.raises(Ambiguous) as unknown:
        await client(handle, **limits).send("op", "POST", "/x", safe=False)
    assert unknown.value.code == "timeout"


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"x-retry-after": "2.5"}, 2.5),
        ({"x-rate-limit-time-reset-ms": "1500"}, 1.5),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
async def test_a_throttled_call_tells_when_to_come_back(headers: dict[str, str], after: float | None) -> None:
    """The other side's wish reaches the caller in seconds, whatever its spelling."""
    handle, _ = answers(429, headers=headers)
    with pytest.raises(Retry) as caught:
        await client(handle).send("op", "GET", "/x", safe=True)
    assert caught.value.after == after


async def test_an_outage_opens_the_breaker_and_one_probe_closes_it() -> None:
    """After enough failures in a row nothing is sent until the breaker lets one call through."""
    handle, seen = answers(500, 500, 200)
    http = client(handle, attempts=1, breaker_failures=2, breaker_open_s=0.05)
    for _ in range(2):
        with pytest.raises(Retry):
            await http.send("op", "GET", "/x", safe=True)
    with pytest.raises(Retry) as caught:
        await http.send("op", "POST", "/x", safe=False)
    assert (caught.value.code, len(seen)) == ("breaker_open", 2)
    assert caught.value.after
    while len(seen) == 2:
        await asyncio.sleep(0.01)
        with contextlib.suppress(Retry):
            await http.send("op", "GET", "/x", safe=True)
    assert (await http.send("op", "GET", "/x", safe=True)).status == 200


async def test_refusals_do_not_open_the_breaker() -> None:
    """A system that answers, even with no, is up."""
    handle, seen = answers(404)
    http = client(handle, breaker_failures=2)
    for _ in range(5):
        with pytest.raises(Reject):
            await http.send("op", "GET", "/x", safe=True)
    assert len(seen) == 5


async def test_a_slow_rate_spaces_calls() -> None:
    """A connector never asks faster than its limit: the second call waits until the first one's second is over."""
    handle, seen = answers(200)
    http = client(handle, rate_per_s=0.001)
    await http.send("op", "GET", "/x", safe=True)
    waiting = asyncio.create_task(http.send("op", "GET", "/x", safe=True))
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(seen) == 1
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_credentials_stay_with_the_base_urls_origin() -> None:
    """A link to another host taken from a payload cannot carry our token away."""
    handle, seen = answers(200)
    http = client(handle)
    assert (await http.send("op", "GET", "https://api.example.test:443/other", safe=True)).status == 200
    for foreign in ("https://evil.example/x", "http://api.example.test/x", "https://api.example.test:8443/x"):
        with pytest.raises(Misconfigured) as caught:
            await http.send("op", "GET", foreign, safe=True)
        assert caught.value.code == "foreign_origin"
    assert (await http.send("op", "GET", "https://files.example/x", safe=True, authenticated=False)).status == 200
    assert "x-key" not in seen[-1].headers


async def test_a_bad_base_url_is_a_setting_to_change() -> None:
    """An address that cannot be called at all asks for a person and is not tried again."""
    wire = Wire()
    with pytest.raises(Misconfigured) as caught:
        await wire.client("shop", "ftp://api.example.test").send("op", "GET", "/x", safe=True)
    assert caught.value.code == "bad_address"
    await wire.aclose()


async def test_an_answer_that_is_not_json_is_rejected_without_its_text() -> None:
    """An error page instead of JSON is refused, and its content stays out of the error."""
    http = client(lambda request: httpx.Response(200, text="<html>ada@example.test</html>"))
    answer = await http.send("op", "GET", "/x", safe=True)
    with pytest.raises(Reject) as caught:
        answer.json()
    assert caught.value.code == "bad_json"
    assert "ada@" not in str(caught.value)


async def test_cookies_are_not_kept() -> None:
    """One call's session never leaks into the next."""
    handle, seen = answers(200, headers={"set-cookie": "sid=1; Path=/"})
    http = client(handle)
    for _ in range(2):
        await http.send("op", "GET", "/x", safe=True)
    assert all("cookie" not in request.headers for request in seen)


async def test_every_try_is_measured_with_bounded_labels() -> None:
    """Each try reports connector, operation and a status class, the failed ones too."""
    seen: list[tuple[str, str, str]] = []
    wire = Wire(
        transport=httpx.MockTransport(answers(503, 200)[0]),
        observe=lambda connector, operation, outcome, seconds: seen.append((connector, operation, outcome)),
    )
    await wire.client("shop", "https://api.example.test").send("read", "GET", "/x", safe=True)
    assert seen == [("shop", "read", "5xx"), ("shop", "read", "2xx")]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
async def test_no_error_or_log_line_holds_an_address_or_a_token(
    status: int, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a failed call tells names connector, operation and status, and nothing about a person."""
    caplog.set_level("DEBUG")
    http = client(lambda request: httpx.Response(status, text="no such person ada@example.test"))
    with pytest.raises(Failure) as caught:
        await http.send("find", "GET", "/people/ada@example.test", params={"email": "ada@example.test"}, safe=True)
    told = str(caught.value) + caplog.text + "".join(capsys.readouterr())
    assert "ada" not in told
    assert "k-123" not in told
    assert "shop find" in str(caught.value)


async def test_basic_credentials_are_sent_as_rfc_7617_says() -> None:
    """User and password travel as one base64 text."""
    handle, seen = answers(200)
    http = Wire(transport=httpx.MockTransport(handle)).client("x", "https://x.test", Basic("Aladdin", "open sesame"))
    await http.send("op", "GET", "/", safe=True)
    assert seen[0].headers["authorization"] == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
