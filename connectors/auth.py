"""How a call proves who it is: fixed headers, Basic, or OAuth 2.0 client credentials with a cached token.

Tokens are renewed once for everybody who waits (single flight), a little before they end, and never appear in an error.
"""

import asyncio
import base64
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol
from urllib.parse import quote_plus, urlencode

from pydantic import SecretStr

from streams.errors import Misconfigured, Reject

if TYPE_CHECKING:
    from connectors.http import Http


class Auth(Protocol):
    """Gives the headers of a call."""

    async def headers(self, http: "Http", fresh: bool = False) -> Mapping[str, str]:
        """`fresh` follows a 401: whatever was cached is dropped and got anew."""
        ...


class Static:
    """The same headers for every call, such as an API key."""

    def __init__(self, headers: Mapping[str, str | SecretStr]) -> None:
        self._headers = {name: _plain(value) for name, value in headers.items()}

    async def headers(self, http: "Http", fresh: bool = False) -> Mapping[str, str]:
        """The headers given at the start."""
        return self._headers


class Basic(Static):
    """HTTP Basic with a user and a password."""

    def __init__(self, user: str | SecretStr, password: str | SecretStr) -> None:
        super().__init__({"authorization": basic(_plain(user), _plain(password))})


class ClientCredentials:
    """OAuth 2.0 client credentials (RFC 6749 section 4.4). `style` says where the client's id and secret go."""

    def __init__(
        self,
        token_url: str,
        client_id: str,
        secret: str | SecretStr,
        scope: str | None = None,
        style: Literal["form", "basic"] = "form",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url, self._id, self._secret, self._scope, self._style = token_url, client_id, _plain(secret), scope, style
        self._clock = clock
        self._lock = asyncio.Lock()
        self._headers: Mapping[str, str] = {}
        self._renew_at = float("-inf")
        self._generation = 0

    async def headers(self, http: "Http", fresh: bool = False) -> Mapping[str, str]:
        """The bearer header. Raises Misconfigured when the client is refused, Retry when no token can be got now."""
        seen = self._generation
        if not fresh and self._clock() < self._renew_at:
            return self._headers
        async with self._lock:
            if self._generation == seen or self._clock() >= self._renew_at:
                await self._renew(http)
            return self._headers

    async def _renew(self, http: "Http") -> None:
        form = {"grant_type": "client_credentials", **({"scope": self._scope} if self._scope else {})}
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        if self._style == "basic":
            headers["authorization"] = basic(quote_plus(self._id), quote_plus(self._secret))
        else:
            form |= {"client_id": self._id, "client_secret": self._secret}
        asked_at = self._clock()
        try:
            answer = await http.send(
                "token",
                "POST",
                self._url,
                content=urlencode(form).encode(),
                headers=headers,
                safe=True,
                authenticated=False,
            )
            token, lifetime = _token(answer.json())
        except Reject as refused:
            raise Misconfigured(
                "token_refused",
                f"{http.connector}: no token ({refused.code}); check client id, secret, scope and token URL",
            ) from None
        self._headers = {"authorization": f"Bearer {token}"}
        self._renew_at = asked_at + lifetime - min(60.0, 0.2 * lifetime)
        self._generation += 1


def basic(user: str, password: str) -> str:
    """The value of an `authorization` header for HTTP Basic."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _plain(value: str | SecretStr) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _token(answer: Any) -> tuple[str, float]:
    """Token and lifetime in seconds; servers differ in every other field and some send numbers as text."""
    token = answer.get("access_token") if isinstance(answer, dict) else None
    if not isinstance(token, str) or not token:
        raise Reject("no_access_token")
    try:
        return token, float(answer.get("expires_in") or 300)
    except (TypeError, ValueError):
        return token, 300.0
