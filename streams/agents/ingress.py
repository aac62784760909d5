"""The front door of collect and track: verify, store durably, and only then answer 2xx.

A sender is told to come again (503) whenever the broker did not acknowledge; it is told no (400, 401, 404, 413) only
when coming again would not help.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from connectors.contract import Connector, HttpRequest, Refused
from schemas.codec import Codec
from schemas.models import RawDelivery
from streams.errors import Misconfigured, Retry
from streams.runtime.outbox import Outbox
from streams.runtime.web import read_body

log = structlog.get_logger("ingress")
Answered = Callable[[str, int], None]


class Ingress:
    """`POST /hooks/{connector}/{account}`: one route for platforms (collect) and messaging systems (track)."""

    def __init__(
        self,
        codec: Codec,
        outbox: Outbox,
        connectors: Mapping[str, Connector],
        clients: Mapping[str, Any],
        limits: Mapping[str, int],
        answered: Answered,
    ) -> None:
        self._codec, self._outbox, self._clients, self._limits = codec, outbox, clients, limits
        self._topics = {name: raw_topic(c) for name, c in connectors.items() if "ingest" in c.roles}
        self._answered = answered

    @property
    def routes(self) -> list[BaseRoute]:
        """To be added to the process's web server."""
        return [Route("/hooks/{connector}/{account}", self.receive, methods=["POST"])]

    async def receive(self, request: Request) -> Response:
        """One inbound request, answered with an empty body."""
        name = request.path_params["connector"]
        known = name in self._topics and name in self._clients
        try:
            status = await self._store(name, request) if known else 404
        except HTTPException as error:
            status = error.status_code
        self._answered(name if known else "unknown", status)
        return Response(status_code=status, headers={"Retry-After": "5"} if status == 503 else None)

    async def _store(self, name: str, request: Request) -> int:
        topic = self._topics[name]
        inbound = HttpRequest(
            method=request.method,
            path=request.url.path,
            headers={key.lower(): value for key, value in request.headers.items()},
            body=await read_body(request, self._limits[topic]),
            received_at=_now(),
        )
        try:
            deliveries = self._clients[name].accept(inbound)
            await self._outbox.send(topic, [self._record(topic, raw) for raw in deliveries])
        except Refused as error:
            log.warning("ingress.refused", connector=name, code=error.code, status=error.status)
            return error.status
        except (Retry, Misconfigured) as error:
            log.error("ingress.unavailable", connector=name, code=error.code)
            return 503
        return 200

    def _record(self, topic: str, raw: RawDelivery) -> tuple[bytes, bytes]:
        return raw.key.encode(), self._codec.encode(topic, raw)


def raw_topic(connector: Connector) -> str:
    """Platforms feed collect, messaging systems feed track."""
    return "track.raw" if "track" in connector.roles else "collect.raw"


def _now() -> datetime:
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
