"""The sandbox's own controls under /_sandbox: what shoppers and merchants do, what breaks, and what happened."""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.bigcommerce.sandbox.gate import Gate
from connectors.bigcommerce.sandbox.shapes import STATUSES, Json
from connectors.bigcommerce.sandbox.state import Shop
from connectors.bigcommerce.sandbox.webhooks import Dispatcher

_LINES = ({"sku": "MUG-1", "name": "Mug", "quantity": 1, "price": "20.00"},)
_FLAGS = {"newsletter": "marketing_newsletter", "abandoned_cart": "abandoned_cart"}


class Control:
    """Handlers over one shop; `gate` is set once the app is put together."""

    gate: Gate

    def __init__(self, shop: Shop, dispatcher: Dispatcher) -> None:
        self.shop, self.dispatcher = shop, dispatcher

    def routes(self) -> list[Route]:
        """Below /_sandbox."""
        post = ["POST"]
        return [
            Route("/orders", self.order, methods=post),
            Route("/orders/{order_id:int}/status", self.status, methods=post),
            Route("/orders/{order_id:int}/shipments", self.shipment, methods=post),
            Route("/carts", self.cart, methods=post),
            Route("/carts/{cart_id}/convert", self.convert, methods=post),
            Route("/customers", self.customer, methods=post),
            Route("/subscribers", self.subscriber, methods=post),
            Route("/subscribers/{email}", self.subscriber, methods=post),
            Route("/faults", self.fault, methods=post),
            Route("/faults", self.mend, methods=["DELETE"]),
            Route("/journal", self.journal),
        ]

    async def order(self, request: Request) -> Response:
        """{customer, lines, status_id?, incomplete_first?, external_order_id?}."""
        body = await _body(request)
        told = {name: body[name] for name in ("incomplete_first", "external_order_id") if name in body}
        status_id = int(body.get("status_id", 11))
        if status_id not in STATUSES:
            return _refuse(f"status_id {status_id} is none of 0 to 14")
        found = self.shop.place(body.get("customer", {}), body.get("lines") or _LINES, status_id, **told)
        return JSONResponse(found, 201)

    async def status(self, request: Request) -> Response:
        """{status_id}."""
        order_id, status_id = request.path_params["order_id"], int((await _body(request)).get("status_id", -1))
        if order_id not in self.shop.orders or status_id not in STATUSES:
            return _refuse(f"there is no order {order_id}, or no status {status_id}")
        self.shop.set_status(order_id, status_id)
        return JSONResponse(self.shop.orders[order_id])

    async def shipment(self, request: Request) -> Response:
        """{items?, tracking_number?, carrier?, carrier_name?, tracking_link?}."""
        order_id = request.path_params["order_id"]
        if order_id not in self.shop.orders:
            return _refuse(f"there is no order {order_id}")
        return JSONResponse(self.shop.ship(order_id, await _body(request)), 201)

    async def cart(self, request: Request) -> Response:
        """{customer, lines, abandoned?: true}."""
        body = await _body(request)
        lines = body.get("lines") or _LINES
        return JSONResponse(self.shop.leave(body.get("customer", {}), lines, body.get("abandoned", True)), 201)

    async def convert(self, request: Request) -> Response:
        """{customer?, status_id?}."""
        cart_id, body = request.path_params["cart_id"], await _body(request)
        if cart_id not in self.shop.carts:
            return _refuse(f"there is no cart {cart_id}")
        return JSONResponse(self.shop.convert(cart_id, body.get("customer", {}), int(body.get("status_id", 11))), 201)

    async def customer(self, request: Request) -> Response:
        """{email, phone?, first_name, last_name, ...}."""
        customer_id = self.shop.enrol(await _body(request))
        found = self.shop.customers.get(customer_id)
        return JSONResponse(found, 201) if found else _refuse("a customer needs an email and is no guest")

    async def subscriber(self, request: Request) -> Response:
        """{email, consents: [...]} or {email, newsletter?, abandoned_cart?}; or {deleted: true}."""
        body = await _body(request)
        email = str(request.path_params.get("email") or body.get("email") or "")
        if not email:
            return _refuse("a subscriber needs an email")
        known = self.shop.find_subscriber(email)
        if body.get("deleted"):
            self.shop.unsubscribe(known["id"] if known else 0)
            return JSONResponse({})
        consents = body.get("consents", [word for flag, word in _FLAGS.items() if body.get(flag)])
        return JSONResponse(self.shop.subscribe(email, consents), 201)

    async def fault(self, request: Request) -> Response:
        """{path, method?, status, times?, headers?: true, delay_s?} or {quota}."""
        try:
            self.gate.break_(await _body(request))
        except TypeError as wrong:
            return _refuse(str(wrong))
        return JSONResponse({"faults": len(self.gate.faults), "quota": self.gate.quota})

    async def mend(self, _request: Request) -> Response:
        """No more faults."""
        self.gate.faults.clear()
        return Response(status_code=204)

    async def journal(self, request: Request) -> Response:
        """Everything that is or happened."""
        shop, counts = self.shop, self.dispatcher.counts
        names = ("id", "status_id", "status", "customer_id", "customer_locale", "total_inc_tax", "cart_id")
        orders = [
            {**{n: row[n] for n in names}, "email": row["billing_address"]["email"]} for row in shop.orders.values()
        ]
        carts = [{n: row[n] for n in ("id", "customer_id", "email", "cart_amount")} for row in shop.carts.values()]
        fields = [
            {"owner": owner, **{n: row[n] for n in ("id", "resource_id", "namespace", "key", "value")}}
            for (owner, _), rows in shop.metafields.items()
            for row in rows
        ]
        consents = [{"email": row["email"], "consents": row["consents"]} for row in shop.subscribers.values()]
        sent = {"sent": counts.sent, "acknowledged": counts.acknowledged, "failed": counts.failed}
        webhooks = {**sent, "pending": self.dispatcher.pending, "attempts": counts.attempts}
        webhooks |= {"hooks": len(self.dispatcher.hooks)}
        shipments = [{n: row[n] for n in ("id", "order_id")} for rows in shop.shipments.values() for row in rows]
        customers = [{n: row[n] for n in ("id", "email")} for row in shop.customers.values()]
        requests = [{"operation": name, "count": count} for name, count in sorted(self.gate.requests.items())]
        return JSONResponse(
            {
                "orders": orders,
                "shipments": shipments,
                "carts": carts,
                "customers": customers,
                "metafields": fields,
                "consents": consents,
                "webhooks": webhooks,
                "requests": requests,
            }
        )


async def _body(request: Request) -> Json:
    raw = await request.body()
    body: Any = json.loads(raw) if raw else {}
    return body if isinstance(body, dict) else {}


def _refuse(why: str) -> Response:
    return JSONResponse({"error": why}, 400)
