"""The stories there are, each with the effects it must have and, by its silence, those it must not have."""

from dataclasses import replace

from streams.demo.acts import (
    AWAITING_FULFILLMENT,
    CANCELLED,
    INCOMPLETE,
    Convert,
    Effect,
    Leave,
    Move,
    OptedOut,
    Pause,
    Person,
    Place,
    Scene,
    Ship,
    WriteBack,
)


def confirmed(key: str, who: Person, status: str = "delivered") -> Scene:
    """An order that is simply confirmed; `status` is what the recipient's address makes of it."""
    return Scene("an order is confirmed", (Place(key, who),), (_confirmation(key),), (_told(key, status=status),))


def called_off(key: str, who: Person) -> Scene:
    """The cancellation arrives while the confirmation waits: only the cancellation is told."""
    acts = (Place(key, who), Pause(1.0), Move(key, CANCELLED))
    effects, told = (Effect("order_cancelled", key),), (_told(key, "order_cancelled"),)
    return Scene("an order is cancelled at once", acts, effects, told)


def unfinished(key: str, who: Person) -> Scene:
    """A checkout that was not finished is no order."""
    return Scene("a checkout is not finished", (Place(key, who, INCOMPLETE),))


def finished_later(key: str, who: Person) -> Scene:
    """The payment takes its time; the order counts from when it is one."""
    acts = (Place(key, who, INCOMPLETE), Pause(1.0), Move(key, AWAITING_FULFILLMENT))
    return Scene("a checkout is finished later", acts, (_confirmation(key),), (_told(key),))


def shipped(key: str, who: Person) -> Scene:
    """A parcel is announced by e-mail and SMS, after the confirmation."""
    acts = (Place(key, who), Pause(0.5), Ship(key))
    notices = (Effect("shipment_notice", key), Effect("shipment_notice", key, "SMS"))
    told = (_told(key), _told(key, "shipment_notice"))
    return Scene("an order is shipped", acts, (_confirmation(key), *notices), told)


def unreachable(key: str, who: Person) -> Scene:
    """The mailbox does not exist, so an SMS tells it."""
    effects = (_confirmation(key), Effect("order_confirmation", key, "SMS"))
    return Scene("an e-mail bounces and an SMS follows", (Place(key, who),), effects, (_told(key),))


def opted_out(key: str, who: Person) -> Scene:
    """Who opts out of e-mail is confirmed their order, and gets no reminder of a cart any more."""
    # Telling the shop a consent again would grant it again.
    later = replace(who, newsletter=None, abandoned_cart=None)
    acts = (Place(key, who), OptedOut(who), Leave(f"{key}-cart", later))
    return Scene("an opt-out silences a reminder", acts, (_confirmation(key),), (_told(key),), (who,))


def reminded(key: str, who: Person) -> Scene:
    """An abandoned cart of somebody who allowed it."""
    effects = (Effect("cart_reminder", key),)
    return Scene("a cart is left and recalled", (Leave(key, who),), effects, (_told(key, "cart_reminder"),))


def not_asked(key: str, who: Person) -> Scene:
    """An abandoned cart of somebody who never allowed it."""
    return Scene("a cart is left without consent", (Leave(key, who),))


def recovered(key: str, who: Person) -> Scene:
    """The cart became an order before anybody was reminded of it."""
    acts = (Leave(f"{key}-cart", who), Pause(0.5), Convert(f"{key}-cart", key))
    return Scene("a cart becomes an order", acts, (_confirmation(key),), (_told(key),))


def _confirmation(key: str) -> Effect:
    return Effect("order_confirmation", key)


def _told(key: str, kind: str = "order_confirmation", status: str = "delivered") -> WriteBack:
    return WriteBack(kind, key, status)
