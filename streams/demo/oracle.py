"""Judges a run by what the other side saw: the sandboxes' journals against what was played. Pure.

It knows nothing of our counters, topics or ids, so it cannot be wrong together with them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from streams.demo.acts import Effect, Person, Scene, WriteBack

Message = tuple[str, str, str]
"""Type, order number or cart id, channel: what must reach a recipient once."""


@dataclass(frozen=True, slots=True)
class Thing:
    """An order or a cart as the shop made it; `number` is what messages refer to."""

    number: str
    customer_id: int = 0
    cart: bool = False


@dataclass(frozen=True, slots=True)
class Journals:
    """What the three sandboxes say happened."""

    shop: Mapping[str, Any]
    composer: Mapping[str, Any]
    messenger: Mapping[str, Any]

    @property
    def under_way(self) -> int:
        """Webhooks that were not delivered yet."""
        return sum(int(journal.get("webhooks", {}).get("pending", 0)) for journal in (self.shop, self.messenger))


@dataclass(frozen=True, slots=True)
class Verdict:
    """Each entry is one finding, in words that hold no address."""

    lost: Sequence[str]
    duplicates: Sequence[str]
    unexpected: Sequence[str]

    @property
    def clean(self) -> bool:
        """Everything happened once and nothing else did."""
        return not (self.lost or self.duplicates or self.unexpected)


def judge(scenes: Iterable[Scene], things: Mapping[str, Thing], journals: Journals) -> Verdict:
    """Compares what was played with what arrived. `things` are the orders and carts by the scenes' keys."""
    played = list(scenes)
    expected = Counter(_message(effect, things) for scene in played for effect in scene.effects)
    accepted = Counter(_accepted(journals))
    missing = [f"{_words(message)} never arrived" for message in (expected - accepted).elements()]
    known = {message: count for message, count in accepted.items() if message in expected}
    strange = {message: count for message, count in accepted.items() if message not in expected}
    again = [*(Counter(known) - expected).elements(), *(_excess(strange))]
    return Verdict(
        lost=[*missing, *_uncomposed(played, things, journals), *_unwritten(played, things, journals)],
        duplicates=[f"{_words(message)} arrived once more than it should" for message in again],
        unexpected=[f"{_words(message)} should not have been sent" for message in strange],
    )


def withdrawn(who: Person, shop: Mapping[str, Any]) -> bool:
    """Whether the shop holds no consent of that person any more."""
    return not any(row["consents"] for row in shop.get("consents", ()) if row["email"].lower() == who.email.lower())


def _message(effect: Effect, things: Mapping[str, Thing]) -> Message:
    return effect.type, _number(effect.key, things), effect.channel


def _number(key: str, things: Mapping[str, Thing]) -> str:
    # What was not even placed is reported under its scene's name, and so as lost.
    return things[key].number if key in things else f"of scene {key}"


def _accepted(journals: Journals) -> Iterator[Message]:
    for entry in journals.messenger.get("accepted", ()):
        # A cart is referred to with its store before it.
        yield entry["billing_code"], str(entry["customer_reference"]).rpartition(":")[2], entry["channel"]


def _excess(counts: Mapping[Message, int]) -> Iterator[Message]:
    for message, count in counts.items():
        yield from [message] * (count - 1)


def _words(message: Message) -> str:
    kind, number, channel = message
    return f"{kind} {number} by {channel}"


def _uncomposed(scenes: Iterable[Scene], things: Mapping[str, Thing], journals: Journals) -> Iterator[str]:
    """Orders whose mail was sent although no document was composed for them."""
    composed = {str(entry["orderNumber"]) for entry in journals.composer.get("generated", ())}
    for scene in scenes:
        for effect in scene.effects:
            thing = things.get(effect.key)
            if thing and not thing.cart and effect.channel == "EMAIL" and thing.number not in composed:
                yield f"{effect.type} {thing.number} was never composed"


def _unwritten(scenes: Iterable[Scene], things: Mapping[str, Thing], journals: Journals) -> Iterator[str]:
    """Outcomes and withdrawals the shop was not told."""
    fields = {
        (str(row["owner"]), str(row["resource_id"]), str(row["key"])): _status(row["value"])
        for row in journals.shop.get("metafields", ())
    }
    for scene in scenes:
        for wanted in scene.write_backs:
            found = fields.get(_field(wanted, things))
            if found != wanted.status:
                number = _number(wanted.key, things)
                yield f"{wanted.type} {number} is {found or 'nothing'} to the shop and not {wanted.status}"
        for who in scene.withdrawals:
            if not withdrawn(who, journals.shop):
                yield f"the shop was not told that somebody opted out in: {scene.title}"


def _field(wanted: WriteBack, things: Mapping[str, Thing]) -> tuple[str, str, str]:
    thing = things.get(wanted.key, Thing(""))
    owner, number = ("customers", str(thing.customer_id)) if thing.cart else ("orders", thing.number)
    return owner, number, f"notification.{wanted.type}"


def _status(value: str) -> str | None:
    try:
        told = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    return str(told.get("status")) if isinstance(told, dict) else None
