"""The webhooks API. Plain http to this machine is allowed here, and only here, because a sandbox has no certificate."""

import itertools
import time
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.bigcommerce.sandbox.answers import v3, v3_error, v3_page
from connectors.bigcommerce.sandbox.webhooks import Dispatcher, Hook

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_CHANGEABLE = ("scope", "destination", "is_active", "headers")


class Hooks:
    """Handlers over one dispatcher."""

    def __init__(self, dispatcher: Dispatcher, store_hash: str) -> None:
        self._dispatcher, self._store_hash = dispatcher, store_hash
        self._ids = itertools.count(20001)
        self._emails: list[str] = []

    def routes(self) -> list[Route]:
        """Below /v3."""
        return [
            Route("/hooks", self.list),
            Route("/hooks", self.create, methods=["POST"]),
            Route("/hooks/admin", self.admin),
            Route("/hooks/admin", self.change_admin, methods=["PUT"]),
            Route("/hooks/{hook_id:int}", self.read),
            Route("/hooks/{hook_id:int}", self.change, methods=["PUT"]),
            Route("/hooks/{hook_id:int}", self.drop, methods=["DELETE"]),
        ]

    async def list(self, request: Request) -> Response:
        """GET /hooks."""
        query = request.query_params
        rows = list(self._dispatcher.hooks.values())
        for name in ("scope", "destination"):
            rows = [row for row in rows if name not in query or row[name] == query[name]]
        if "is_active" in query:
            rows = [row for row in rows if row["is_active"] == (query["is_active"].lower() == "true")]
        return v3_page(request, rows)

    async def create(self, request: Request) -> Response:
        """POST /hooks: one per scope and destination, at most ten per scope."""
        body = await request.json()
        if wrong := _wrong(body):
            return v3_error(422, wrong)
        same = [row for row in self._dispatcher.hooks.values() if row["scope"] == body["scope"]]
        if len(same) >= 10 or any(row["destination"] == body["destination"] for row in same):
            return v3_error(422, {"scope": "a hook for this scope and destination exists, or there are ten"})
        now, hook_id = int(time.time()), next(self._ids)
        hook: Hook = {"id": hook_id, "client_id": "sandbox", "store_hash": self._store_hash, "created_at": now}
        hook |= {"updated_at": now, "scope": body["scope"], "destination": body["destination"]}
        hook |= {"is_active": body.get("is_active", True), "headers": body.get("headers") or {}}
        self._dispatcher.hooks[hook_id] = hook
        return v3(hook)

    async def read(self, request: Request) -> Response:
        """GET /hooks/{id}."""
        found = self._dispatcher.hooks.get(request.path_params["hook_id"])
        return v3(found) if found else v3_error(404)

    async def change(self, request: Request) -> Response:
        """PUT /hooks/{id}."""
        found, body = self._dispatcher.hooks.get(request.path_params["hook_id"]), await request.json()
        if found is None:
            return v3_error(404)
        changed = {**found, **{name: body[name] for name in _CHANGEABLE if name in body}}
        if wrong := _wrong(changed):
            return v3_error(422, wrong)
        found |= {**changed, "updated_at": int(time.time())}
        return v3(found)

    async def drop(self, request: Request) -> Response:
        """DELETE /hooks/{id}."""
        found = self._dispatcher.hooks.pop(request.path_params["hook_id"], None)
        return v3(found) if found else v3_error(404)

    async def admin(self, request: Request) -> Response:
        """GET /hooks/admin: who is mailed, and which destinations are left alone for now."""
        states = {True: "active", False: "deactivated"}
        rows = [{**row, "status": states[row["is_active"]]} for row in self._dispatcher.hooks.values()]
        now = time.monotonic()
        blocked = [
            {"destination": host, "time_left": round(until - now), "reasons": []}
            for host, until in self._dispatcher.blocked.items()
            if until > now
        ]
        return v3({"emails": self._emails, "hooks_list": rows, "blocked_domains": blocked}, pagination={})

    async def change_admin(self, request: Request) -> Response:
        """PUT /hooks/admin."""
        self._emails = list((await request.json()).get("emails", []))
        return Response(status_code=204)


def _wrong(body: dict[str, Any]) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if not str(body.get("scope", "")).startswith("store/"):
        wrong["scope"] = "unknown"
    target = urlsplit(str(body.get("destination", "")))
    safe = target.scheme == "https" and target.port in (None, 443)
    if not safe and not (target.scheme == "http" and target.hostname in _LOOPBACK):
        wrong["destination"] = "must be https on port 443"
    return wrong
