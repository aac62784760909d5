"""A store in memory: what exists, and which event each real change fires. A write that changes nothing fires none."""

import itertools
import random
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.bigcommerce.sandbox import shapes
from connectors.bigcommerce.sandbox.config import SandboxConfig
from connectors.bigcommerce.sandbox.shapes import Json

Emit = Callable[[str, Mapping[str, Any]], None]
Owner = tuple[str, int]
"""What a metafield hangs on: ("orders" | "customers", id)."""


class Shop:
    """Everything one store holds."""

    def __init__(self, config: SandboxConfig, emit: Emit) -> None:
        self.config, self._emit = config, emit
        self.orders: dict[int, Json] = {}
        self.products: dict[int, list[Json]] = {}
        self.shipments: dict[int, list[Json]] = {}
        self.customers: dict[int, Json] = {}
        self.subscribers: dict[int, Json] = {}
        self.carts: dict[str, Json] = {}
        self.metafields: dict[Owner, list[Json]] = {}
        self._random = random.Random(config.seed)
        self._customer_ids: dict[str, int] = {}
        self._subscriber_ids: dict[str, int] = {}
        self._ids: dict[str, Iterator[int]] = {
            kind: itertools.count(start)
            for kind, start in {
                "order": 1001,
                "line": 140,
                "shipment": 36,
                "customer": 88,
                "subscriber": 15,
                "field": 71,
            }.items()
        }

    def place(self, person: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], status_id: int, **more: Any) -> Json:
        """An order, with its customer and subscriber when they are new. `incomplete_first` begins with status 0."""
        order_id, now = next(self._ids["order"]), _now()
        buyer = {**person, **more, "customer_id": self.enrol(person)}
        rows = [shapes.product(self.config, order_id, next(self._ids["line"]), line) for line in lines]
        found = shapes.order(self.config, order_id, buyer, rows, now)
        shapes.stamp(found, 0 if more.get("incomplete_first") else status_id, now)
        self.orders[order_id], self.products[order_id], self.shipments[order_id] = found, rows, []
        self._emit("store/order/created", {"type": "order", "id": order_id})
        self.set_status(order_id, status_id)
        return found

    def enrol(self, person: Mapping[str, Any]) -> int:
        """The id of the customer with that address, made if need be; 0 for a guest. Flags become consents."""
        customer_id = 0
        email = str(person.get("email", ""))
        if not person.get("guest") and email:
            customer_id = self._customer_ids.get(email.lower(), 0)
            if not customer_id:
                customer_id = self._customer_ids[email.lower()] = next(self._ids["customer"])
                self.customers[customer_id] = shapes.customer(self.config, customer_id, person, _now())
                self._emit("store/customer/created", {"type": "customer", "id": customer_id})
        if email and ("newsletter" in person or "abandoned_cart" in person):
            self._flags(email, person)
        return customer_id

    def _flags(self, email: str, person: Mapping[str, Any]) -> None:
        words = {"newsletter": "marketing_newsletter", "abandoned_cart": "abandoned_cart"}
        known = self.find_subscriber(email)
        given = set(known["consents"]) if known else set()
        for flag, word in words.items():
            if flag in person:
                given = given | {word} if person[flag] else given - {word}
        if known or given:
            self.subscribe(email, [word for word in words.values() if word in given], **_names(person))

    def set_status(self, order_id: int, status_id: int) -> None:
        """Moves an order; fires statusUpdated with the transition, and updated."""
        found = self.orders[order_id]
        before = found["status_id"]
        if before == status_id:
            return
        shapes.stamp(found, status_id, _now())
        status = {"previous_status_id": before, "new_status_id": status_id}
        self._emit("store/order/statusUpdated", {"type": "order", "id": order_id, "status": status})
        self._emit("store/order/updated", {"type": "order", "id": order_id})

    def change_order(self, order_id: int, changes: Mapping[str, Any]) -> None:
        """Writes scalar fields of an order."""
        found = self.orders[order_id]
        if any(found.get(name) != value for name, value in changes.items()):
            found |= {**changes, "date_modified": shapes.v2_date(_now())}
            self._emit("store/order/updated", {"type": "order", "id": order_id})

    def ship(self, order_id: int, told: Mapping[str, Any]) -> Json:
        """A parcel with the given items, or with all that is left; the order's status follows."""
        found, rows = self.orders[order_id], self.products[order_id]
        left = [(row["id"], row["product_id"], row["quantity"] - row["quantity_shipped"]) for row in rows]
        default = [{"order_product_id": line, "product_id": product, "quantity": n} for line, product, n in left if n]
        items = [dict(item) for item in told.get("items") or default]
        for row in rows:
            row["quantity_shipped"] += sum(item["quantity"] for item in items if item["order_product_id"] == row["id"])
        parcel = shapes.shipment(next(self._ids["shipment"]), found, items, told, _now())
        self.shipments[order_id].append(parcel)
        found["items_shipped"] = sum(row["quantity_shipped"] for row in rows)
        found["date_shipped"] = parcel["date_created"]
        self._emit("store/shipment/created", {"type": "shipment", "id": parcel["id"], "orderId": order_id})
        self.set_status(order_id, 2 if found["items_shipped"] >= found["items_total"] else 3)
        return parcel

    def leave(self, person: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], abandoned: bool) -> Json:
        """A cart, abandoned at once unless told otherwise."""
        cart_id = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        buyer = {**person, "customer_id": self.enrol(person)}
        self.carts[cart_id] = found = shapes.cart(self.config, cart_id, buyer, lines, _now())
        self._emit("store/cart/created", {"type": "cart", "id": cart_id})
        if abandoned:
            self._emit("store/cart/abandoned", {"type": "cart", "id": cart_id})
        return found

    def convert(self, cart_id: str, person: Mapping[str, Any], status_id: int) -> Json:
        """Turns a cart into an order; the cart is gone before anybody hears of it."""
        found = self.carts.pop(cart_id)
        items = found["line_items"]["physical_items"]
        lines = [{**item, "price": item["sale_price"]} for item in items]
        known = self.customers.get(found["customer_id"], {"email": found["email"] or "", "guest": True})
        placed = self.place({**known, **person}, lines, status_id, cart_id=cart_id, locale=found["locale"])
        self._emit("store/cart/converted", {"type": "cart", "id": cart_id, "orderId": placed["id"]})
        return placed

    def find_customers(self, ids: Collection[str], emails: Collection[str]) -> list[Json]:
        """The customers with one of these ids or addresses; without either, all."""
        if not ids and not emails:
            return list(self.customers.values())
        wanted = [int(one) for one in ids if one.isdecimal()] + [self._customer_ids.get(one, 0) for one in emails]
        return [self.customers[one] for one in wanted if one in self.customers]

    def find_subscriber(self, email: str) -> Json | None:
        """The subscriber with that address."""
        return self.subscribers.get(self._subscriber_ids.get(email.lower(), 0))

    def subscribe(self, email: str, consents: Sequence[str], **more: Any) -> Json:
        """Makes a subscriber, or sets what the existing one allows."""
        known = self.find_subscriber(email)
        if known is None:
            subscriber_id = self._subscriber_ids[email.lower()] = next(self._ids["subscriber"])
            known = shapes.subscriber(subscriber_id, email, consents, _now(), **more)
            self.subscribers[subscriber_id] = known
            self._emit("store/subscriber/created", {"type": "subscriber", "id": subscriber_id})
        elif known["consents"] != list(consents):
            known |= {"consents": list(consents), "date_modified": shapes.v3_date(_now())}
            self._emit("store/subscriber/updated", {"type": "subscriber", "id": known["id"]})
        return known

    def unsubscribe(self, subscriber_id: int) -> None:
        """Deletes a subscriber."""
        if self.subscribers.pop(subscriber_id, None):
            self._emit("store/subscriber/deleted", {"type": "subscriber", "id": subscriber_id})

    def change_customer(self, customer_id: int, changes: Mapping[str, Any]) -> None:
        """Writes fields of a customer."""
        found = self.customers[customer_id]
        if any(found.get(name) != value for name, value in changes.items()):
            found |= {**changes, "date_modified": shapes.v3_date(_now())}
            self._emit("store/customer/updated", {"type": "customer", "id": customer_id})

    def exists(self, owner: Owner) -> bool:
        """Whether there is such an order or customer."""
        return owner[1] in (self.orders if owner[0] == "orders" else self.customers)

    def write_field(self, owner: Owner, field: Mapping[str, Any], known: Json | None = None) -> Json:
        """Makes a metafield, or changes the known one."""
        kind = owner[0].removesuffix("s")
        if known is None:
            known = {"id": next(self._ids["field"]), "resource_type": kind, "resource_id": owner[1], "description": ""}
            known |= {**field, "date_created": shapes.v3_date(_now()), "date_modified": shapes.v3_date(_now())}
            self.metafields.setdefault(owner, []).append(known)
            self._field_event(owner, known, "created")
        elif any(known.get(name) != value for name, value in field.items()):
            known |= {**field, "date_modified": shapes.v3_date(_now())}
            self._field_event(owner, known, "updated")
        return known

    def drop_field(self, owner: Owner, known: Json) -> None:
        """Deletes a metafield."""
        self.metafields[owner].remove(known)
        self._field_event(owner, known, "deleted")

    def _field_event(self, owner: Owner, field: Json, word: str) -> None:
        if owner[0] == "orders":
            data = {"metafield_id": field["id"], "resource_id": str(owner[1])}
            self._emit(f"store/order/metafield/{word}", data)


def _names(person: Mapping[str, Any]) -> dict[str, Any]:
    return {name: person[name] for name in ("first_name", "last_name") if name in person}


def _now() -> datetime:
    return datetime.now(UTC)
