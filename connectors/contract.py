"""What every connector offers, whatever the system behind it: the only names the rest of the product knows.

A connector is one sub-package with a `CONNECTOR`. It implements the protocols that match its role and nothing else:
a commerce platform is `Ingest` + `Hydrate` + `WriteBack`, a composition system is `Compose`, a messaging system is
`Notify` + `Ingest` (its receipts) + `Track`. Errors are the families of `streams.errors`; nothing else may escape.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, runtime_checkable

from pydantic import BaseModel
from pydantic_settings import BaseSettings

from connectors.http import Wire
from schemas.models import (
    CompositionRequest,
    Document,
    Feedback,
    NotificationRequest,
    RawDelivery,
    WriteBackResult,
)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """An inbound HTTP request as received. Header names are lower case; `body` is the exact bytes."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


class Ingest(Protocol):
    """Accepts webhooks. Pure: verifies and splits, never fetches."""

    def accept(self, request: HttpRequest) -> Sequence[RawDelivery]:
        """The raw deliveries to store before the sender gets its 2xx; empty when there is nothing to keep.

        Raises `Unauthorized` (401), `BadRequest` (400). Size is limited by the caller (413).
        """
        ...


class Hydrate(Protocol):
    """Turns a stored thin event into canonical facts, fetching what the event lacks."""

    async def hydrate(self, raw: RawDelivery) -> Sequence[BaseModel]:
        """Canonical records (Order, Customer, ...). Raises Retry, Reject, Skip, Misconfigured."""
        ...


@runtime_checkable
class Subscribe(Protocol):
    """A platform that has to be told where to send its webhooks."""

    async def subscribe(self, destination: str) -> Mapping[str, str]:
        """What was done, by event. Harmless to repeat. Raises Retry, Reject, Misconfigured."""
        ...


class WriteBack(Protocol):
    """Writes an outcome back to the platform. Idempotent: the same feedback twice leaves the same state."""

    async def write_back(self, feedback: Feedback) -> WriteBackResult:
        """Raises Retry, Reject, Skip (nothing to write here), Misconfigured."""
        ...


class Compose(Protocol):
    """Composes documents. A repeat composes the same document again and does no harm."""

    async def compose(self, request: CompositionRequest) -> Sequence[Document]:
        """One per output file. Raises Retry, Reject, Misconfigured."""
        ...


@dataclass(frozen=True, slots=True)
class Accepted:
    """The sink took responsibility. `provider_id` is opaque."""

    provider_id: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """One new-or-old fact about one delivery, as the provider's snapshot tells it.

    `fingerprint` identifies the fact whatever the transport; `state` is a DeliveryState symbol.
    """

    delivery_id: str
    subject: str
    fingerprint: str
    state: str
    occurred_at: datetime
    reason: str | None = None
    detail: str | None = None
    provider_id: str | None = None


@dataclass(frozen=True, slots=True)
class SinkPromise:
    """What the ledger may rely on when an outcome is unknown."""

    idempotency: Literal["none", "key", "natural"]
    status: Literal["none", "by_key", "by_provider_id"]


class Notify(Protocol):
    """Hands one delivery over on one channel."""

    promise: SinkPromise

    async def submit(self, request: NotificationRequest) -> Accepted:
        """The delivery id is the idempotency key.

        Raises Retry (certainly not accepted), Reject (refused for good), Ambiguous (unknown), Misconfigured.
        """
        ...


class Track(Protocol):
    """Reads what became of deliveries."""

    def receipts(self, raw: RawDelivery) -> Sequence[Receipt]:
        """Pure: every fact in a stored snapshot. Raises Reject when it cannot be read."""
        ...

    async def poll(self, provider_id: str, channel: str) -> RawDelivery | None:
        """The current snapshot, or None when the provider no longer knows the job. Raises Retry, Misconfigured."""
        ...


class Refused(Exception):
    """An inbound request that is not stored; `status` is the HTTP answer, `code` a bounded metric label."""

    status = 400

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


class BadRequest(Refused):
    """Cannot be parsed: 400."""


class Unauthorized(Refused):
    """Forged, stale or unsigned: 401."""

    status = 401


@dataclass(frozen=True, slots=True)
class Connector:
    """One external system. `open` builds the client; `sandbox` builds an ASGI stand-in of the vendor."""

    name: str
    roles: frozenset[Literal["ingest", "hydrate", "write_back", "compose", "notify", "track"]]
    settings: type[BaseSettings]
    open: Callable[[Any, Wire], Any]
    sandbox: Callable[..., Any]
    channels: frozenset[str] = field(default_factory=frozenset)
