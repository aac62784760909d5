"""Plays scenes into the shop's sandbox and reads the sandboxes' journals: the only one here who speaks HTTP."""

import asyncio
from collections.abc import Mapping
from typing import Any

from connectors.bigcommerce import CONNECTOR
from connectors.http import Limits, Wire
from streams.demo.acts import (
    AWAITING_FULFILLMENT,
    Act,
    Convert,
    Leave,
    Move,
    OptedOut,
    Pause,
    Person,
    Place,
    Scene,
    Ship,
)
from streams.demo.oracle import Journals, Thing, withdrawn
from streams.demo.surroundings import Surroundings

_LOOKS, _LOOK_S = 150, 0.2
_UNLIMITED = Limits(rate_per_s=1000, attempts=5)
_GOODS = (
    ("MUG-1", "Mug, blue", "12.50"),
    ("TEA-3", "Darjeeling, 250 g", "9.90"),
    ("LAMP-7", "Reading lamp", "49.00"),
    ("BOOK-2", "Field guide to clouds", "24.00"),
    ("RUG-5", "Wool rug, 90 × 160 cm", "189.00"),
)


class Play:
    """`things` are the orders and carts made so far, by the scenes' keys."""

    def __init__(self, wire: Wire, surroundings: Surroundings) -> None:
        self.things: dict[str, Thing] = {}
        self._wire, self._surroundings = wire, surroundings
        self._http = wire.client("sandboxes", surroundings.sandboxes, None, _UNLIMITED)

    async def connect(self) -> None:
        """Has the shop and the messenger send their webhooks to the ingress."""
        client: Any = CONNECTOR.open(self._surroundings.shop_settings(), self._wire)
        await client.subscribe(self._surroundings.hook)
        await self._post("opentext_notifications/_sandbox/webhook", self._surroundings.webhook)

    async def scene(self, scene: Scene) -> None:
        """Plays one scene to its end."""
        for act in scene.acts:
            await self._act(act)

    async def journals(self) -> Journals:
        """What the sandboxes say happened."""
        names = ("bigcommerce", "exstream", "opentext_notifications")
        shop, composer, messenger = await asyncio.gather(*(self._journal(name) for name in names))
        return Journals(shop, composer, messenger)

    async def _act(self, act: Act) -> None:
        match act:
            case Place(key, who, status_id):
                told = {"customer": _customer(who), "lines": _lines(key), "status_id": status_id}
                self.things[key] = _order(await self._post("bigcommerce/_sandbox/orders", told))
            case Move(key, status_id):
                await self._post(f"bigcommerce/_sandbox/orders/{self._number(key)}/status", {"status_id": status_id})
            case Ship(key):
                parcel = {"carrier": "ups", "carrier_name": "Example Parcels", "tracking_number": f"EX{key.upper()}"}
                await self._post(f"bigcommerce/_sandbox/orders/{self._number(key)}/shipments", parcel)
            case Leave(key, who):
                told = {"customer": _customer(who), "lines": _lines(key)}
                self.things[key] = _cart(await self._post("bigcommerce/_sandbox/carts", told))
            case Convert(cart, key):
                path = f"bigcommerce/_sandbox/carts/{self._number(cart)}/convert"
                self.things[key] = _order(await self._post(path, {"status_id": AWAITING_FULFILLMENT}))
            case OptedOut(who):
                await self._until_withdrawn(who)
            case Pause(seconds):
                await asyncio.sleep(seconds)

    async def _until_withdrawn(self, who: Person) -> None:
        """Or until it is clear that nobody will tell the shop; the judge then finds it out."""
        for _ in range(_LOOKS):
            if withdrawn(who, await self._journal("bigcommerce")):
                return
            await asyncio.sleep(_LOOK_S)

    def _number(self, key: str) -> str:
        return self.things[key].number

    async def _post(self, path: str, told: Mapping[str, Any]) -> Any:
        return (await self._http.send("play", "POST", path, json=told, safe=False)).json()

    async def _journal(self, name: str) -> Any:
        return (await self._http.send("journal", "GET", f"{name}/_sandbox/journal", safe=True)).json()


def _customer(who: Person) -> dict[str, Any]:
    told = {
        "email": who.email,
        "first_name": who.first_name,
        "last_name": "Example",
        "locale": who.locale,
        "country": "GB" if who.locale == "en" else "DE",
        "phone": who.phone,
        "guest": who.guest,
        "newsletter": who.newsletter,
        "abandoned_cart": who.abandoned_cart,
    }
    # What is not said is not asked for; a false consent would be a withdrawal.
    return {name: value for name, value in told.items() if value is not None}


def _lines(key: str) -> list[dict[str, Any]]:
    number = sum(key.encode())
    chosen = [_GOODS[number % len(_GOODS)], _GOODS[(number + 2) % len(_GOODS)]][: 1 + number % 2]
    return [
        {"sku": sku, "name": name, "price": price, "quantity": 1 + number % 3, "product_id": 300 + at}
        for at, (sku, name, price) in enumerate(chosen)
    ]


def _order(made: Mapping[str, Any]) -> Thing:
    return Thing(str(made["id"]), int(made["customer_id"]))


def _cart(made: Mapping[str, Any]) -> Thing:
    return Thing(str(made["id"]), int(made["customer_id"]), cart=True)
