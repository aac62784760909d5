"""Metafields of orders and customers: natural keys, 409 for a second one, and a partly failed bulk call."""

from typing import Any, get_args

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.bigcommerce.api import Owner as Kind
from connectors.bigcommerce.sandbox.answers import v3, v3_error, v3_page
from connectors.bigcommerce.sandbox.shapes import Json
from connectors.bigcommerce.sandbox.state import Owner, Shop

_PERMISSIONS = {"app_only", "read", "write", "read_and_sf_access", "write_and_sf_access"}
_FIELDS = ("permission_set", "namespace", "key", "value", "description")
_MOST = 250


class Fields:
    """Handlers over one shop."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def routes(self) -> list[Route]:
        """Below /v3; numeric ids only, so that /orders/metafields stays the bulk call."""
        routes: list[Route] = [Route("/orders/metafields", self.bulk, methods=["POST"])]
        for kind in get_args(Kind):
            many = f"/{kind}/{{owner_id:int}}/metafields"
            for path, handler, method in (
                (many, self.list, "GET"),
                (many, self.create, "POST"),
                (f"{many}/{{field_id:int}}", self.read, "GET"),
                (f"{many}/{{field_id:int}}", self.change, "PUT"),
                (f"{many}/{{field_id:int}}", self.drop, "DELETE"),
            ):
                routes.append(Route(path, handler, methods=[method]))
        return routes

    async def list(self, request: Request) -> Response:
        """GET .../metafields?namespace=&key=."""
        owner, query = _owner(request), request.query_params
        if not self.shop.exists(owner):
            return v3_error(404)
        rows = self.shop.metafields.get(owner, [])
        filters = [name for name in ("namespace", "key") if name in query]
        return v3_page(request, [row for row in rows if all(row[name] == query[name] for name in filters)])

    async def create(self, request: Request) -> Response:
        """POST .../metafields: 200, not 201; for customers the data is a list."""
        owner = _owner(request)
        status, result = self._create(owner, await request.json())
        if status != 200:
            return v3_error(status, result)
        return v3([result] if owner[0] == "customers" else result)

    async def read(self, request: Request) -> Response:
        """GET .../metafields/{id}."""
        found = self._find(request)
        return v3(found) if found else v3_error(404)

    async def change(self, request: Request) -> Response:
        """PUT .../metafields/{id}."""
        found, body = self._find(request), await request.json()
        if found is None:
            return v3_error(404)
        return v3(self.shop.write_field(_owner(request), {name: body[name] for name in _FIELDS if name in body}, found))

    async def drop(self, request: Request) -> Response:
        """DELETE .../metafields/{id}."""
        if found := self._find(request):
            self.shop.drop_field(_owner(request), found)
        return Response(status_code=204)

    async def bulk(self, request: Request) -> Response:
        """POST /orders/metafields: 422 with what went well beside what did not."""
        good, bad = [], []
        for number, body in enumerate(await request.json()):
            status, result = self._create(("orders", int(body.get("resource_id", 0))), body)
            if status == 200:
                good.append(result)
            else:
                bad.append({"status": status, "title": "failed", "type": "", "errors": {str(number): "failed"}})
        meta = {"total": len(good) + len(bad), "success": len(good), "failed": len(bad)}
        if not bad:
            return v3(good, **meta)
        return JSONResponse({"data": good, "errors": bad, "meta": meta}, 422)

    def _create(self, owner: Owner, body: Json) -> tuple[int, Any]:
        if not self.shop.exists(owner):
            return 404, None
        field = {name: body[name] for name in _FIELDS if name in body}
        if wrong := _wrong(field):
            return 422, wrong
        rows = self.shop.metafields.get(owner, [])
        if any((row["namespace"], row["key"]) == (field["namespace"], field["key"]) for row in rows):
            return 409, {"key": "exists"}
        return (422, {"key": "too many"}) if len(rows) >= _MOST else (200, self.shop.write_field(owner, field))

    def _find(self, request: Request) -> Json | None:
        rows = self.shop.metafields.get(_owner(request), [])
        return next((row for row in rows if row["id"] == request.path_params["field_id"]), None)


def _owner(request: Request) -> Owner:
    kind = "orders" if "/orders/" in request.url.path else "customers"
    return kind, request.path_params["owner_id"]


def _wrong(field: Json) -> dict[str, str]:
    wrong = {name: "required" for name in ("namespace", "key", "value") if not isinstance(field.get(name), str)}
    wrong |= {name: "too long" for name in ("namespace", "key") if len(str(field.get(name))) > 64}
    if field.get("permission_set") not in _PERMISSIONS:
        wrong["permission_set"] = "unknown"
    return wrong | ({"value": "too long"} if len(str(field.get("value"))) > 65535 else {})
