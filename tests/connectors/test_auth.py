"""OAuth 2.0 client credentials: one token for everybody, renewed in time, refused clearly."""

import asyncio
from typing import Any

import httpx
import pytest

from connectors.http import ClientCredentials, Http, Limits, Wire
from streams.errors import Misconfigured, Retry

TOKEN_URL = "https://login.example.test/token"


class Server:
    """A token endpoint beside an API; it accepts only the token it gave last."""

    def __init__(self, token_answer: Any = None, token_status: int = 200) -> None:
        self.tokens = 0
        self.forms: list[httpx.Request] = []
        self.answer, self.status = token_answer or {}, token_status
        self.accepted: str | None = None

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answers as transport of the wire."""
        await asyncio.sleep(0)
        if request.url.path == "/token":
            self.tokens += 1
            self.forms.append(request)
            self.accepted = f"t{self.tokens}"
            return httpx.Response(self.status, json={"access_token": self.accepted, "expires_in": 100, **self.answer})
        known = request.headers.get("authorization") == f"Bearer {self.accepted}"
        return httpx.Response(200 if known else 401)

    def client(self, clock: Any = None, style: Any = "form") -> Http:
        """A client of the API that gets its tokens here."""
        auth = ClientCredentials(TOKEN_URL, "id", "s3cret", "a b", style, clock or (lambda: 0.0))
        return Wire(transport=httpx.MockTransport(self)).client("x", "https://api.test", auth, Limits(attempts=1))


async def test_many_calls_share_one_token() -> None:
    """However many calls start at once, the token is asked for once."""
    server = Server()
    http = server.client()
    await asyncio.gather(*(http.send("op", "GET", "/", safe=True) for _ in range(20)))
    assert server.tokens == 1


async def test_a_token_is_renewed_before_it_ends() -> None:
    """A token of 100 s is used for 80 s and then renewed, so that no call starts with one about to end."""
    server, now = Server(), [0.0]
    http = server.client(lambda: now[0])
    for moment, tokens in ((0.0, 1), (79.0, 1), (80.0, 2)):
        now[0] = moment
        await http.send("op", "GET", "/", safe=True)
        assert server.tokens == tokens


async def test_a_revoked_token_is_replaced_once_for_all_who_notice() -> None:
    """After a 401 the waiting calls get one new token between them and succeed."""
    server = Server()
    http = server.client()
    await http.send("op", "GET", "/", safe=True)
    server.accepted = None
    await asyncio.gather(*(http.send("op", "GET", "/", safe=True) for _ in range(10)))
    assert server.tokens == 2


async def test_a_fresh_token_that_is_refused_needs_a_person() -> None:
    """When even a new token gets 401, the credentials are wrong, and nothing goes round in circles."""
    seen: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path)
        return (
            httpx.Response(200, json={"access_token": f"t{len(seen)}"})
            if request.url.path == "/token"
            else httpx.Response(401)
        )

    auth = ClientCredentials(TOKEN_URL, "id", "s3cret")
    http = Wire(transport=httpx.MockTransport(handle)).client("x", "https://api.test", auth)
    with pytest.raises(Misconfigured) as caught:
        await http.send("op", "POST", "/", safe=False)
    assert caught.value.code == "unauthorized"
    assert seen == ["/token", "/", "/token", "/"]


@pytest.mark.parametrize("status", [400, 401])
async def test_a_refused_client_needs_a_person(status: int) -> None:
    """A token endpoint that refuses the client is a setting to change, and the secret is not told."""
    with pytest.raises(Misconfigured) as caught:
        await Server(token_status=status).client().send("op", "GET", "/", safe=True)
    assert "s3cret" not in str(caught.value)


async def test_a_token_endpoint_in_trouble_is_no_ambiguity() -> None:
    """Without a token the call was certainly not made, so even an unsafe one is a Retry."""
    with pytest.raises(Retry):
        await Server(token_status=503).client().send("op", "POST", "/", safe=False)


@pytest.mark.parametrize("answer", [{"expires_in": "3600", "extra": 1}, {"expires_in": None}, {"expires_in": "soon"}])
async def test_odd_token_answers_are_understood(answer: dict[str, Any]) -> None:
    """Lifetimes as text, missing or unreadable do not stop a call."""
    assert (await Server(answer).client().send("op", "GET", "/", safe=True)).status == 200


async def test_the_client_is_named_in_the_form_or_in_the_header() -> None:
    """Both styles of RFC 6749 section 2.3.1 are spoken, and never both at once."""
    form, header = Server(), Server()
    await form.client().send("op", "GET", "/", safe=True)
    await header.client(style="basic").send("op", "GET", "/", safe=True)
    asked, named = form.forms[0], header.forms[0]
    assert asked.content == b"grant_type=client_credentials&scope=a+b&client_id=id&client_secret=s3cret"
    assert "authorization" not in asked.headers
    assert named.content == b"grant_type=client_credentials&scope=a+b"
    assert named.headers["authorization"] == "Basic aWQ6czNjcmV0"
