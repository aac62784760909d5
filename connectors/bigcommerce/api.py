"""The calls to BigCommerce this connector makes, typed, and nothing else.

Orders are v2 (bare JSON, 204 for an empty list), the rest is v3 (a `data` envelope). Every call is safe to repeat:
reads by nature, writes because a metafield has a natural key and a consent is set as a whole. None means there is no
such thing.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from connectors.bigcommerce.events import PLATFORM
from connectors.bigcommerce.settings import Settings
from connectors.http import Http, Limits, Static, Wire
from streams.errors import Reject

Json = Mapping[str, Any]
Owner = Literal["orders", "customers"]
"""What a metafield hangs on."""

_PAGE = 250


def connect(settings: Settings, wire: Wire) -> "Api":
    """The API of the store in `settings`."""
    limits = Limits(rate_per_s=settings.rate_per_s, timeout_s=settings.timeout_s, attempts=settings.attempts)
    auth = Static({"x-auth-token": settings.access_token})
    base = f"{settings.base_url.rstrip('/')}/stores/{settings.account}"
    return Api(wire.client(PLATFORM, base, auth, limits), settings.metafield_namespace)


class Api:
    """One store. Raises what `Http.send` raises."""

    def __init__(self, http: Http, namespace: str) -> None:
        self._http, self._namespace = http, namespace

    async def order(self, order_id: str) -> Json | None:
        """A v2 order."""
        return await self._read_one("order", f"/v2/orders/{order_id}")

    async def order_products(self, order_id: str) -> Sequence[Json] | None:
        """All products of an order, however many pages they fill."""
        products: list[Json] = []
        for page in range(1, 41):
            found = await self._read("order_products", f"/v2/orders/{order_id}/products", page=page, limit=_PAGE)
            if found is None:
                return None
            rows = _rows("order_products", found)
            products += rows
            if len(rows) < _PAGE:
                return products
        raise Reject("too_many_lines", f"order {order_id} has more than {len(products)} lines")

    async def shipment(self, order_id: str, shipment_id: str) -> Json | None:
        """A v2 shipment."""
        return await self._read_one("shipment", f"/v2/orders/{order_id}/shipments/{shipment_id}")

    async def customer(self, customer_id: str) -> Json | None:
        """A customer with addresses. There is no call for one, only a filtered list."""
        filters = {"id:in": customer_id, "include": "addresses"}
        return _only(await self._read("customer", "/v3/customers", **filters))

    async def customer_by_email(self, email: str) -> Json | None:
        """The customer with that address."""
        filters = {"email:in": email, "include": "addresses"}
        return _only(await self._read("customer_by_email", "/v3/customers", **filters))

    async def subscriber(self, subscriber_id: str) -> Json | None:
        """A newsletter subscriber."""
        return await self._read_one("subscriber", f"/v3/customers/subscribers/{subscriber_id}")

    async def subscriber_by_email(self, email: str) -> Json | None:
        """The subscriber with that address; there is at most one."""
        return _only(await self._read("subscriber_by_email", "/v3/customers/subscribers", email=email))

    async def set_consents(self, subscriber_id: str, consents: Sequence[str]) -> bool:
        """Replaces a subscriber's consents; False when the subscriber is gone."""
        path = f"/v3/customers/subscribers/{subscriber_id}"
        return await self._write("set_consents", "PUT", path, {"consents": list(consents)}) == 200

    async def cart(self, cart_id: str) -> Json | None:
        """A cart with links to recover it; None once it became an order or was deleted."""
        return await self._read_one("cart", f"/v3/carts/{cart_id}", include="redirect_urls")

    async def metafield(self, owner: Owner, owner_id: str, key: str) -> Json | None:
        """Our metafield with that key."""
        path = f"/v3/{owner}/{owner_id}/metafields"
        return _only(await self._read("metafield", path, namespace=self._namespace, key=key))

    async def create_metafield(self, owner: Owner, owner_id: str, key: str, value: str) -> int:
        """200, 404 when there is no such owner, or 409 when the key exists."""
        body = {"permission_set": "read", "namespace": self._namespace, "key": key, "value": value}
        body["description"] = "Notification status"
        path = f"/v3/{owner}/{owner_id}/metafields"
        return await self._write("create_metafield", "POST", path, body)

    async def update_metafield(self, owner: Owner, owner_id: str, metafield_id: int, value: str) -> int:
        """200, or 404 when it was deleted meanwhile."""
        path = f"/v3/{owner}/{owner_id}/metafields/{metafield_id}"
        return await self._write("update_metafield", "PUT", path, {"value": value})

    async def hooks(self) -> Sequence[Json]:
        """The hooks this account made."""
        return _rows("hooks", await self._read("hooks", "/v3/hooks", limit=_PAGE))

    async def create_hook(self, scope: str, destination: str, headers: Mapping[str, str]) -> None:
        """Subscribes to one scope."""
        body = {"scope": scope, "destination": destination, "is_active": True, "headers": dict(headers)}
        await self._http.send("create_hook", "POST", "/v3/hooks", json=body, safe=True)

    async def repair_hook(self, hook_id: int, headers: Mapping[str, str]) -> None:
        """Switches a hook on, with these headers."""
        body = {"is_active": True, "headers": dict(headers)}
        await self._http.send("repair_hook", "PUT", f"/v3/hooks/{hook_id}", json=body, safe=True)

    async def _read(self, operation: str, path: str, **params: Any) -> Any:
        headers = {"accept": "application/json"}
        expect = {200, 204, 404}
        answer = await self._http.send(operation, "GET", path, params=params, headers=headers, safe=True, expect=expect)
        if answer.status == 404:
            return None
        if answer.status == 204 or not answer.body:
            return []
        found = answer.json()
        return found.get("data") if path.startswith("/v3/") and isinstance(found, dict) else found

    async def _read_one(self, operation: str, path: str, **params: Any) -> Json | None:
        found = await self._read(operation, path, **params)
        return found if isinstance(found, dict) else None

    async def _write(self, operation: str, method: str, path: str, body: Json) -> int:
        headers = {"accept": "application/json"}
        expect = {200, 404, 409}
        answer = await self._http.send(operation, method, path, json=body, headers=headers, safe=True, expect=expect)
        return answer.status


def _rows(operation: str, found: Any) -> Sequence[Json]:
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise Reject("unexpected_answer", f"{PLATFORM} {operation}: the answer is no list of objects")
    return found


def _only(found: Any) -> Json | None:
    """The first of a list; some endpoints give the object itself."""
    if isinstance(found, list):
        found = found[0] if found else None
    return found if isinstance(found, dict) else None
