"""The v3 half of the API: customers, subscribers and carts."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.bigcommerce.sandbox.answers import v3, v3_error, v3_page
from connectors.bigcommerce.sandbox.shapes import Json
from connectors.bigcommerce.sandbox.state import Shop

_CONSENTS = {"marketing_newsletter", "abandoned_cart"}
_CUSTOMER = ("first_name", "last_name", "company", "phone", "notes", "accepts_product_review_abandoned_cart_emails")


class V3:
    """Handlers over one shop."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def routes(self) -> list[Route]:
        """Everything below /v3 but hooks and metafields."""
        one, cart = "/customers/subscribers/{subscriber_id:int}", "/carts/{cart_id}"
        return [
            Route("/customers", self.customers),
            Route("/customers", self.change_customers, methods=["PUT"]),
            Route("/customers/subscribers", self.subscribers),
            Route("/customers/subscribers", self.subscribe, methods=["POST"]),
            Route("/customers/subscribers", self.drop_subscribers, methods=["DELETE"]),
            Route(one, self.subscriber),
            Route(one, self.change_subscriber, methods=["PUT"]),
            Route(one, self.drop_subscriber, methods=["DELETE"]),
            Route(cart, self.cart),
            Route(f"{cart}/redirect_urls", self.redirect_urls, methods=["POST"]),
            Route("/settings/store/locale", self.locale),
        ]

    async def customers(self, request: Request) -> Response:
        """GET /customers: a list only; addresses come when they are asked for."""
        query = request.query_params
        rows = self.shop.find_customers(_set(query.get("id:in")), _set(query.get("email:in")))
        if "addresses" not in query.get("include", ""):
            rows = [{name: value for name, value in row.items() if name != "addresses"} for row in rows]
        return v3_page(request, rows)

    async def change_customers(self, request: Request) -> Response:
        """PUT /customers: an array of at most ten."""
        body = await request.json()
        if not isinstance(body, list) or any(item.get("id") not in self.shop.customers for item in body):
            return v3_error(422, {"id": "must be known"})
        if len(body) > 10:
            return v3_error(413)
        for item in body:
            self.shop.change_customer(item["id"], {name: item[name] for name in _CUSTOMER if name in item})
        return v3([self.shop.customers[item["id"]] for item in body])

    async def subscribers(self, request: Request) -> Response:
        """GET /customers/subscribers."""
        wanted = request.query_params.get("email")
        if wanted is None:
            return v3_page(request, list(self.shop.subscribers.values()))
        found = self.shop.find_subscriber(wanted)
        return v3_page(request, [found] if found else [])

    async def subscribe(self, request: Request) -> Response:
        """POST /customers/subscribers: one per address."""
        body = await request.json()
        if not body.get("email") or not _valid(body.get("consents", [])):
            return v3_error(422, {"email": "required"})
        if self.shop.find_subscriber(body["email"]):
            return v3_error(409)
        more = {name: body[name] for name in ("first_name", "last_name", "source") if name in body}
        return v3(self.shop.subscribe(body["email"], body.get("consents", []), **more))

    async def drop_subscribers(self, request: Request) -> Response:
        """DELETE /customers/subscribers: without a filter it deletes all of them, as the real one does."""
        wanted = _set(request.query_params.get("id:in"))
        for subscriber_id in list(self.shop.subscribers):
            if not wanted or str(subscriber_id) in wanted:
                self.shop.unsubscribe(subscriber_id)
        return Response(status_code=204)

    async def subscriber(self, request: Request) -> Response:
        """GET /customers/subscribers/{id}."""
        found = self.shop.subscribers.get(request.path_params["subscriber_id"])
        return v3(found) if found else v3_error(404)

    async def change_subscriber(self, request: Request) -> Response:
        """PUT /customers/subscribers/{id}."""
        found = self.shop.subscribers.get(request.path_params["subscriber_id"])
        if found is None:
            return v3_error(404)
        consents = (await request.json()).get("consents", found["consents"])
        if not _valid(consents):
            return v3_error(422, {"consents": "unknown"})
        return v3(self.shop.subscribe(found["email"], consents))

    async def drop_subscriber(self, request: Request) -> Response:
        """DELETE /customers/subscribers/{id}."""
        self.shop.unsubscribe(request.path_params["subscriber_id"])
        return Response(status_code=204)

    async def cart(self, request: Request) -> Response:
        """GET /carts/{id}: 404 once converted."""
        found = self.shop.carts.get(request.path_params["cart_id"])
        if found is None:
            return v3_error(404)
        urls = (
            {"redirect_urls": self._urls(found)} if "redirect_urls" in request.query_params.get("include", "") else {}
        )
        return v3({**found, **urls})

    async def redirect_urls(self, request: Request) -> Response:
        """POST /carts/{id}/redirect_urls."""
        found = self.shop.carts.get(request.path_params["cart_id"])
        return v3(self._urls(found), 201) if found else v3_error(404)

    async def locale(self, request: Request) -> Response:
        """GET /settings/store/locale."""
        return v3(
            {"default_shopper_language": self.shop.config.language, "shopper_language_selection_method": "browser"}
        )

    def _urls(self, cart: Json) -> Json:
        base = self.shop.config.shop_url
        return {"cart_url": f"{base}/cart.php?id={cart['id']}", "checkout_url": f"{base}/checkout?id={cart['id']}"}


def _set(text: str | None) -> set[str]:
    return {part.strip().lower() for part in (text or "").split(",") if part.strip()}


def _valid(consents: object) -> bool:
    return isinstance(consents, list) and set(consents) <= _CONSENTS
