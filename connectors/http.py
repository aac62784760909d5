"""The one HTTP client: authentication, limits, retries, breaker and redaction, so that no connector invents its own.

Every failure leaves as a family of `streams.errors`, by what the caller should do next. `safe` is the caller's word
that repeating the call does no harm: a safe call is repeated here and ends in Retry; an unsafe one whose outcome is
unknown is Ambiguous at once. Details name the connector and the operation, never a URL, body, address or token.
"""

import asyncio
import logging
import ssl
import time
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
import stamina
import structlog
from aiolimiter import AsyncLimiter

from connectors.auth import Auth, Basic, ClientCredentials, Static
from connectors.breaker import Breaker
from connectors.verdict import refusal
from streams.errors import Ambiguous, Failure, Misconfigured, Reject, Retry

__all__ = ["Auth", "Basic", "ClientCredentials", "Http", "Limits", "Observe", "Response", "Static", "Wire"]

Observe = Callable[[str, str, str, float], None]
"""Told about each try: connector, operation, seconds and what came of it ("2xx" ... "5xx", "unreachable", "timeout",
"reset", "cancelled")."""

log = structlog.get_logger()

_REPEATABLE = {"server_error", "timeout", "reset"}
_OURS = {"busy", "bad_address"}
_PATIENCE_S = 3.0
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)
_UNUSABLE = (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connector may ask of its system; `attempts` counts the first try."""

    rate_per_s: float = 50
    timeout_s: float = 10
    connect_timeout_s: float = 3
    attempts: int = 3
    breaker_failures: int = 10
    breaker_open_s: float = 5
    connections: int = 16


@dataclass(frozen=True, slots=True)
class Response:
    """An expected answer. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The parsed body. Raises Reject("bad_json")."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            raise Reject(
                "bad_json", f"an answer with status {self.status} and {len(self.body)} bytes is not JSON"
            ) from None


class Wire:
    """The network. Tests and the all-in-one run replace it by `transport`."""

    def __init__(self, *, transport: Any = None, observe: Observe | None = None) -> None:
        # httpx logs every URL at INFO, and query strings hold addresses.
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)
        # Every try is observed; a log line per retry would say nothing more and say it loudest in an outage.
        stamina.instrumentation.set_on_retry_hooks(())
        self._transport, self._observe = transport, observe or _ignore
        self._tls: ssl.SSLContext | bool = True
        self._clients: list[httpx.AsyncClient] = []

    def client(self, connector: str, base_url: str, auth: Auth | None = None, limits: Limits | None = None) -> "Http":
        """A client for one system, with its own connections, limiter and breaker: a slow system slows nobody else."""
        limits = limits or Limits()
        if self._transport is None and self._tls is True:
            self._tls = httpx.create_ssl_context()
        self._clients.append(
            httpx.AsyncClient(
                transport=self._transport,
                verify=self._tls,
                limits=httpx.Limits(max_connections=limits.connections),
                # A session cookie would tie calls of different tokens together.
                cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
                follow_redirects=False,
            )
        )
        return Http(self._clients[-1], self._observe, connector, base_url, auth, limits)

    async def aclose(self) -> None:
        """Closes the connections; the clients are of no use afterwards."""
        for client in self._clients:
            await client.aclose()


class Http:
    """Calls one external system. Made by `Wire.client`."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        observe: Observe,
        connector: str,
        base_url: str,
        auth: Auth | None,
        limits: Limits,
    ) -> None:
        self.connector = connector
        self._client, self._observe, self._auth, self._limits = client, observe, auth, limits
        self._base = base_url.rstrip("/")
        self._breaker = Breaker(connector, limits.breaker_failures, limits.breaker_open_s, changed=_log_breaker)
        slow = limits.rate_per_s < 1
        # httpcore looks at every connection for every waiting request: let what cannot have one wait here instead.
        self._connections = asyncio.Semaphore(limits.connections)
        self._limiter = AsyncLimiter(1, 1 / limits.rate_per_s) if slow else AsyncLimiter(limits.rate_per_s, 1)

    async def send(  # noqa: PLR0913 - one call of HTTP has this many independent aspects
        self,
        operation: str,
        method: str,
        path_or_url: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        safe: bool,
        expect: Container[int] = range(200, 300),
        timeout_s: float | None = None,
        authenticated: bool = True,
    ) -> Response:
        """The answer, when its status is in `expect`. `operation` is a bounded word for metrics and errors.

        Raises Retry (certainly not done, or safe to repeat), Ambiguous (unsafe and unknown), Reject (refused for good),
        Misconfigured (credentials, address). Credentials never go to another origin than the base URL's.
        """
        sent = dict(headers or {})
        if json is not None:
            content, sent = orjson.dumps(json), {"content-type": "application/json", **sent}
        use_auth = self._auth if authenticated else None
        url = self._url(operation, path_or_url, use_auth)
        call = _Call(operation, method, url, params, content, sent, safe, expect, timeout_s or self._limits.timeout_s)
        attempts = self._limits.attempts if safe else 1
        async for attempt in stamina.retry_context(
            on=_repeat_here, attempts=attempts, timeout=None, wait_initial=0.1, wait_max=2.0, wait_jitter=0.2
        ):
            with attempt:
                return await self._proven(call, use_auth)
        raise AssertionError("stamina tries at least once")

    def _url(self, operation: str, path_or_url: str, auth: Auth | None) -> str:
        if "://" not in path_or_url:
            return f"{self._base}/{path_or_url.lstrip('/')}"
        if auth and _origin(path_or_url) != _origin(self._base):
            detail = "the address leaves the base URL's origin, and credentials do not; use authenticated=False"
            raise Misconfigured("foreign_origin", f"{self.connector} {operation}: {detail}")
        return path_or_url

    async def _proven(self, call: "_Call", auth: Auth | None) -> Response:
        # The proof comes before the breaker: a token is got through this client too, and would take the only probe.
        proof = await auth.headers(self) if auth else {}
        answer = await self._exchange(call, proof)
        if answer.status == 401 and auth and 401 not in call.expect:
            fresh = await auth.headers(self, fresh=True)
            answer = await self._exchange(call, fresh) if fresh != proof else answer
        if answer.status in call.expect:
            return answer
        raise refusal(self._where(call), answer.status, answer.headers, call.safe, datetime.now(UTC))

    async def _exchange(self, call: "_Call", proof: Mapping[str, str]) -> Response:
        """One request and whatever answer comes; the breaker, the limiter and the metrics see it."""
        with self._breaker.attempt() as attempt:
            async with self._connections, self._limiter:
                started, outcome = time.monotonic(), "cancelled"
                try:
                    answer = await self._request(call, proof)
                    attempt.healthy, outcome = answer.status < 500, f"{answer.status // 100}xx"
                    return answer
                except Failure as failure:
                    outcome = failure.code
                    # A lack of connections or a wrong address of ours is no fault of the other side.
                    attempt.healthy = None if outcome in _OURS else False
                    raise
                finally:
                    self._observe(self.connector, call.operation, outcome, time.monotonic() - started)

    async def _request(self, call: "_Call", proof: Mapping[str, str]) -> Response:
        connect = self._limits.connect_timeout_s
        limits = httpx.Timeout(call.timeout_s, connect=connect, pool=connect)
        where = self._where(call)
        try:
            # httpx limits each read; only this limits an answer that drips.
            async with asyncio.timeout(call.timeout_s + 2 * connect):
                answer = await self._client.request(
                    call.method,
                    call.url,
                    params=call.params,
                    content=call.content,
                    headers={**call.headers, **proof},
                    timeout=limits,
                )
        except httpx.PoolTimeout:
            raise Retry("busy", f"{where}: all {self._limits.connections} connections are in use") from None
        except _NEVER_SENT as cause:
            raise Retry("unreachable", f"{where}: {type(cause).__name__}") from None
        except _UNUSABLE as cause:
            raise Misconfigured(
                "bad_address", f"{where}: {type(cause).__name__}; check the base URL and header values"
            ) from None
        except (httpx.TimeoutException, TimeoutError) as cause:
            raise _unknown(call, "timeout", f"{where}: {type(cause).__name__}") from None
        except httpx.HTTPError as cause:
            raise _unknown(call, "reset", f"{where}: {type(cause).__name__}") from None
        return Response(answer.status_code, dict(answer.headers), answer.content)

    def _where(self, call: "_Call") -> str:
        return f"{self.connector} {call.operation}: {call.method}"


@dataclass(frozen=True, slots=True)
class _Call:
    operation: str
    method: str
    url: str
    params: Mapping[str, Any] | None
    content: bytes | None
    headers: Mapping[str, str]
    safe: bool
    expect: Container[int]
    timeout_s: float


def _ignore(connector: str, operation: str, outcome: str, seconds: float) -> None:
    """For those who do not measure."""


def _unknown(call: _Call, code: str, detail: str) -> Retry | Ambiguous:
    return Retry(code, detail) if call.safe else Ambiguous(code, detail)


def _repeat_here(failure: Exception) -> bool | float:
    """A short wish to wait is honoured here; a long one is the caller's to keep."""
    if not isinstance(failure, Retry) or failure.code not in _REPEATABLE:
        return False
    if failure.after is None:
        return True
    return failure.after if failure.after <= _PATIENCE_S else False


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme.lower())


def _log_breaker(connector: str, opened: bool) -> None:
    log.warning("breaker_opened" if opened else "breaker_closed", connector=connector)
