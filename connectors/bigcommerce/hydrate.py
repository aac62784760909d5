"""Thin events to canonical facts: fetches what a webhook does not carry, always as it is now.

Because the present state is fetched, a late, doubled or overtaken webhook gives a fact that is true, not one that is
old. What cannot be read yet is Retry, what concerns nobody or nothing we keep is Skip.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from pydantic import BaseModel

from connectors.bigcommerce import mapping
from connectors.bigcommerce.api import Api, Json
from connectors.bigcommerce.events import Event, parse
from connectors.bigcommerce.store import Store
from connectors.values import normal_email, text
from schemas.models import Customer, Order, RawDelivery, Source, Who
from streams.errors import Reject, Retry, Skip

Facts = Sequence[BaseModel]
Step = Callable[[Api, Store, Event, Source], Awaitable[Facts]]


async def hydrate(api: Api, store: Store, raw: RawDelivery) -> Facts:
    """The facts behind one webhook. Raises Retry, Reject, Skip, Misconfigured."""
    event = parse(raw.body)
    step = STEPS.get(event.kind)
    if step is None:
        own = event.kind.startswith("store/order/metafield/")
        raise Skip("metafield" if own else "unhandled_event", f"{event.kind} holds no fact we keep")
    occurred_at = event.occurred_at or raw.received_at
    source = Source(event=event.kind, event_id=raw.event_id, occurred_at=occurred_at, collected_at=raw.received_at)
    return await step(api, store, event, source)


async def _order(api: Api, store: Store, event: Event, source: Source) -> Facts:
    payload, placed = await _placed(api, store, source, _id(event.object_id, event))
    profile = await _customer_of(api, store, source, payload)
    allowed = await _consents(api, source, profile.who)
    return [placed, profile, *allowed]


async def _shipment(api: Api, store: Store, event: Event, source: Source) -> Facts:
    order_id, shipment_id = _id(event.order_id, event), _id(event.object_id, event)
    payload, parcel = await asyncio.gather(api.order(order_id), api.shipment(order_id, shipment_id))
    who = mapping.order_who(store, _visible(payload, f"order {order_id}"))
    return [mapping.shipment(store, source, who, _visible(parcel, f"shipment {shipment_id}"))]


async def _cart(api: Api, store: Store, event: Event, source: Source) -> Facts:
    cart_id = _id(event.object_id, event)
    payload = await api.cart(cart_id)
    if payload is None:
        # Conversion and deletion have events of their own; a cart is readable from its first event on.
        raise Skip("cart_gone", f"cart {cart_id} was converted or deleted since")
    profile, who = await _buyer(api, store, source, payload)
    if who is None:
        raise Skip("anonymous_cart", f"cart {cart_id} belongs to nobody we know")
    abandoned = event.kind == "store/cart/abandoned"
    found = mapping.cart(source, who, store, payload, abandoned)
    allowed = await _consents(api, source, who)
    return [found, *([profile] if profile else []), *allowed]


async def _converted(api: Api, store: Store, event: Event, source: Source) -> Facts:
    _, placed = await _placed(api, store, source, _id(event.order_id, event))
    return [mapping.converted(store, source, _id(event.object_id, event), placed, source.occurred_at)]


async def _customer(api: Api, store: Store, event: Event, source: Source) -> Facts:
    customer_id = _id(event.object_id, event)
    return [mapping.customer(store, source, _visible(await api.customer(customer_id), f"customer {customer_id}"))]


async def _subscriber(api: Api, store: Store, event: Event, source: Source) -> Facts:
    subscriber_id = _id(event.object_id, event)
    payload = _visible(await api.subscriber(subscriber_id), f"subscriber {subscriber_id}")
    who = mapping.subscriber_who(store, payload)
    known = await api.customer_by_email(who.email) if who.email else None
    if known is not None:
        who = mapping.customer(store, source, known).who
    return mapping.consents(source, who, payload)


async def _unsubscribed(_api: Api, _store: Store, event: Event, _source: Source) -> Facts:
    detail = f"subscriber {event.object_id} was deleted, so whose consents ended is unknown; withdraw them by hand"
    raise Reject("subscriber_gone", detail)


STEPS: Mapping[str, Step] = {
    "store/order/created": _order,
    "store/order/updated": _order,
    "store/order/statusUpdated": _order,
    "store/shipment/created": _shipment,
    "store/shipment/updated": _shipment,
    "store/cart/updated": _cart,
    "store/cart/abandoned": _cart,
    "store/cart/converted": _converted,
    "store/customer/created": _customer,
    "store/customer/updated": _customer,
    "store/subscriber/created": _subscriber,
    "store/subscriber/updated": _subscriber,
    "store/subscriber/deleted": _unsubscribed,
}
"""What each event becomes; these are also the scopes to subscribe to."""


async def _placed(api: Api, store: Store, source: Source, order_id: str) -> tuple[Json, Order]:
    payload, products = await asyncio.gather(api.order(order_id), api.order_products(order_id))
    seen = _visible(payload, f"order {order_id}")
    if products is None:
        raise Retry("not_yet_visible", f"the products of order {order_id} cannot be read yet")
    return seen, mapping.order(store, source, seen, products)


async def _customer_of(api: Api, store: Store, source: Source, payload: Json) -> Customer:
    """The buyer's profile, or what the order tells when there is none."""
    known = await api.customer(str(payload["customer_id"])) if payload.get("customer_id") else None
    if known is None:
        return mapping.guest(store, source, payload)
    return mapping.customer(store, source, known, mapping.order_who(store, payload).locale)


async def _buyer(api: Api, store: Store, source: Source, payload: Json) -> tuple[Customer | None, Who | None]:
    known = await api.customer(str(payload["customer_id"])) if payload.get("customer_id") else None
    if known is None:
        return None, mapping.cart_who(store, payload)
    profile = mapping.customer(store, source, known, mapping.cart_locale(store, payload))
    return profile, profile.who


async def _consents(api: Api, source: Source, who: Who) -> Facts:
    """What the person allows, as far as the newsletter knows them; an unknown subscriber has decided nothing."""
    address = text(who.email)
    known = await api.subscriber_by_email(address) if address and normal_email(address) else None
    return mapping.consents(source, who, known) if known else []


def _visible(found: Json | None, what: str) -> Json:
    if found is None:
        raise Retry("not_yet_visible", f"{what} cannot be read yet")
    return found


def _id(found: str | None, event: Event) -> str:
    if found is None:
        raise Reject("no_id", f"{event.kind} does not say which object it is about")
    return found
