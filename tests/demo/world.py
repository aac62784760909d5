"""A world in which everything went well: the things scenes make, and the journals three honest sandboxes would keep."""

from collections.abc import Sequence
from typing import Any

import orjson

from streams.demo.acts import Convert, Leave, Place, Scene
from streams.demo.oracle import Journals, Thing

Journal = dict[str, Any]


def things(scenes: Sequence[Scene]) -> dict[str, Thing]:
    """Orders and carts numbered as they are made."""
    made: dict[str, Thing] = {}
    for scene in scenes:
        for act in scene.acts:
            match act:
                case Place() | Convert():
                    made[act.key] = Thing(str(1000 + len(made)))
                case Leave():
                    made[act.key] = Thing(f"0000-{len(made)}", 500 + len(made), cart=True)
                case _:
                    pass
    return made


def journals(scenes: Sequence[Scene]) -> Journals:
    """What the sandboxes have to tell after a run without a fault."""
    made = things(scenes)
    effects = [effect for scene in scenes for effect in scene.effects]
    return Journals(
        shop={
            "metafields": [
                _field(made[told.key], told.type, told.status) for scene in scenes for told in scene.write_backs
            ],
            "consents": [{"email": who.email, "consents": []} for scene in scenes for who in scene.withdrawals],
            "webhooks": {"pending": 0},
        },
        composer={"generated": [{"orderNumber": thing.number} for thing in made.values() if not thing.cart]},
        messenger={
            "accepted": [accepted(effect.type, made[effect.key], effect.channel) for effect in effects],
            "webhooks": {"pending": 0},
        },
    )


def accepted(kind: str, thing: Thing, channel: str = "EMAIL") -> Journal:
    """One message as the messaging sandbox lists it."""
    reference = f"bigcommerce:abc123:{thing.number}" if thing.cart else thing.number
    return {"billing_code": kind, "customer_reference": reference, "channel": channel}


def _field(thing: Thing, kind: str, status: str) -> Journal:
    owner, number = ("customers", thing.customer_id) if thing.cart else ("orders", thing.number)
    value = orjson.dumps({"status": status}).decode()
    return {"owner": owner, "resource_id": number, "key": f"notification.{kind}", "value": value}
