"""A sandbox store, the connector's client on it and a stand-in of our ingress, all without a network."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from connectors.bigcommerce import Client
from connectors.bigcommerce.sandbox import SandboxConfig, app
from connectors.bigcommerce.testing import settings
from connectors.contract import HttpRequest
from connectors.http import Wire

URL = "http://sandbox.test/bigcommerce"
HOOK = "http://127.0.0.1/hooks/bigcommerce/abc123"
ADA = {"email": "ada@example.test", "phone": "+4922100000", "first_name": "Ada", "last_name": "Example", "locale": "de"}
BOB = {"email": "bob@example.test", "first_name": "Bob", "guest": True}


@dataclass
class Ingress:
    """Takes webhooks; answers with `statuses` in turn, the last for ever."""

    statuses: list[int] = field(default_factory=lambda: [200])
    requests: list[HttpRequest] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: Request) -> Response:
        """Keeps the request."""
        headers, body = dict(request.headers), await request.body()
        self.requests.append(HttpRequest("POST", request.url.path, headers, body, datetime.now(UTC)))
        self.arrived.set()
        return Response(status_code=self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0])

    async def received(self, number: int) -> None:
        """Returns once so many have arrived."""
        while len(self.requests) < number:
            self.arrived.clear()
            await self.arrived.wait()

    @property
    def wire(self) -> Wire:
        """The way from the sandbox to this ingress."""
        route = Route("/hooks/bigcommerce/abc123", self.take, methods=["POST"])
        return Wire(transport=httpx.ASGITransport(app=Starlette(routes=[route])))


class Shop:
    """A store under a prefix, as it is served beside other sandboxes."""

    def __init__(self, ingress: Ingress | None = None, second_factor: str | None = None, **config: Any) -> None:
        self.ingress = ingress or Ingress()
        self.app = app(SandboxConfig(wire=self.ingress.wire, **config))
        self.transport = httpx.ASGITransport(app=Starlette(routes=[Mount("/bigcommerce", self.app)]))
        self.http = httpx.AsyncClient(transport=self.transport, base_url=URL)
        self.token = {"x-auth-token": "sandbox-token"}
        self.use(second_factor)

    def use(self, second_factor: str | None) -> None:
        """Opens the client, with or without a custom header on its hooks."""
        secret = SecretStr(second_factor) if second_factor else None
        own = settings(URL).model_copy(update={"hook_header_value": secret})
        self.client = Client(own, Wire(transport=self.transport))

    async def control(self, path: str, body: Any = None) -> Any:
        """Does what a shopper or merchant would."""
        answer = await self.http.post(f"/_sandbox/{path}", json=body or {})
        assert answer.is_success, answer.text
        return answer.json()

    async def api(self, method: str, path: str, body: Any = None, **query: str) -> httpx.Response:
        """One call of the platform's API."""
        url = f"/stores/abc123{path}"
        return await self.http.request(method, url, json=body, params=query, headers=self.token)

    async def journal(self) -> dict[str, Any]:
        """What is and what happened."""
        found: dict[str, Any] = (await self.http.get("/_sandbox/journal")).json()
        return found

    async def settled(self) -> dict[str, Any]:
        """The journal once no webhook is under way."""
        await self.app.state.dispatcher.idle()
        return await self.journal()
