"""The v2 half of the API: orders and what hangs on them, and the store's own data."""

from email.utils import parsedate_to_datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.bigcommerce.sandbox import shapes
from connectors.bigcommerce.sandbox.answers import v2_error, v2_page
from connectors.bigcommerce.sandbox.shapes import Json
from connectors.bigcommerce.sandbox.state import Shop

_WRITABLE = ("staff_notes", "customer_message", "external_order_id")


class V2:
    """Handlers over one shop."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def routes(self) -> list[Route]:
        """Everything below /v2."""
        order = "/orders/{order_id:int}"
        return [
            Route("/orders", self.orders),
            Route(order, self.order),
            Route(order, self.change, methods=["PUT"]),
            Route(f"{order}/products", self.products),
            Route(f"{order}/shipments", self.shipments),
            Route(f"{order}/shipments/{{shipment_id:int}}", self.shipment),
            # Read-only on purpose: there is no way to send an order message, so POST is 405.
            Route(f"{order}/messages", self.messages),
            Route("/order_statuses", self.statuses),
            Route("/store", self.store),
        ]

    async def orders(self, request: Request) -> Response:
        """GET /orders: the reconciliation poll."""
        rows = [row for row in self.shop.orders.values() if _wanted(row, request)]
        return v2_page(request, sorted(rows, key=lambda row: int(row["id"])))

    async def order(self, request: Request) -> Response:
        """GET /orders/{id}."""
        found = self.shop.orders.get(request.path_params["order_id"])
        return JSONResponse(found) if found else v2_error(404)

    async def change(self, request: Request) -> Response:
        """PUT /orders/{id}: behaves like PATCH."""
        order_id = request.path_params["order_id"]
        if order_id not in self.shop.orders:
            return v2_error(404)
        body = await request.json()
        self.shop.change_order(order_id, {name: body[name] for name in _WRITABLE if name in body})
        if body.get("status_id") in shapes.STATUSES:
            self.shop.set_status(order_id, body["status_id"])
        return JSONResponse(self.shop.orders[order_id])

    async def products(self, request: Request) -> Response:
        """GET /orders/{id}/products."""
        rows = self.shop.products.get(request.path_params["order_id"])
        return v2_error(404) if rows is None else v2_page(request, rows)

    async def shipments(self, request: Request) -> Response:
        """GET /orders/{id}/shipments."""
        rows = self.shop.shipments.get(request.path_params["order_id"])
        return v2_error(404) if rows is None else v2_page(request, rows)

    async def shipment(self, request: Request) -> Response:
        """GET /orders/{id}/shipments/{id}."""
        rows = self.shop.shipments.get(request.path_params["order_id"], [])
        found = next((row for row in rows if row["id"] == request.path_params["shipment_id"]), None)
        return JSONResponse(found) if found else v2_error(404)

    async def messages(self, request: Request) -> Response:
        """GET /orders/{id}/messages."""
        known = request.path_params["order_id"] in self.shop.orders
        return Response(status_code=204) if known else v2_error(404)

    async def statuses(self, request: Request) -> Response:
        """GET /order_statuses."""
        rows = shapes.STATUSES.items()
        return JSONResponse(
            [{"id": key, "name": name, "system_label": name, "custom_label": name} for key, name in rows]
        )

    async def store(self, request: Request) -> Response:
        """GET /store: `logo` is an empty list when there is none."""
        config = self.shop.config
        named = {"id": config.store_hash, "name": "Example Shop", "domain": "shop.example.test", "logo": []}
        spoken = {"country_code": config.country, "language": config.language, "currency": config.currency}
        return JSONResponse({**named, **spoken, "secure_url": config.shop_url, "plan_name": "Sandbox", "features": {}})


def _wanted(row: Json, request: Request) -> bool:
    query = request.query_params
    equal = {"status_id": row["status_id"], "customer_id": row["customer_id"], "cart_id": row["cart_id"]}
    if any(name in query and query[name] != str(value) for name, value in equal.items()):
        return False
    if "email" in query and query["email"].lower() != row["billing_address"]["email"].lower():
        return False
    if "min_id" in query and row["id"] < int(query["min_id"]):
        return False
    since = query.get("min_date_modified")
    return since is None or parsedate_to_datetime(row["date_modified"]) >= parsedate_to_datetime(since)
