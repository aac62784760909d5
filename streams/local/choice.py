"""Decides which broker or registry to use: what was asked for, else the best that this machine can have.

The order of `auto` is: the environment variable, Docker, a local one on Java, an embedded one. A pure function of its
arguments, so that the order can be tested without starting anything.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from streams.errors import Misconfigured

Kind = Literal["external", "docker", "local", "embedded"]
Probe = Callable[[], str | None]
"""Asks whether a way can be had: None means yes, a text says why not."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be chosen: its name in messages, its variable and how its addresses look."""

    name: str
    variable: str
    address: re.Pattern[str]
    example: str


KAFKA = Offer("Kafka", "TIDINGS_KAFKA", re.compile(r"[\w.-]+:\d{1,5}(,[\w.-]+:\d{1,5})*"), "host:9092")
REGISTRY = Offer("registry", "TIDINGS_REGISTRY", re.compile(r"https?://\S+"), "http://host:8081")


@dataclass(frozen=True, slots=True)
class Choice:
    """The kind chosen, the address of an external one, and why nothing better was taken."""

    kind: Kind
    address: str = ""
    because: str = ""


def choose(
    offer: Offer, asked: str, environ: Mapping[str, str], probes: Mapping[Kind, Probe], *, require_real: bool = False
) -> Choice:
    """The broker or registry to use. `probes` are asked for "docker" and "local", in this order, and only by `auto`."""
    asked = asked or "auto"
    if asked == "auto":
        asked = environ.get(offer.variable, "") or "auto"
    if asked == "auto":
        return _best(offer, probes, require_real)
    if offer.address.fullmatch(asked):
        return Choice("external", asked)
    for kind in get_args(Kind):
        if asked == kind != "external":
            if kind == "embedded" and require_real:
                raise Misconfigured("not_real", f"an embedded {offer.name} will not do here: {_instead(offer)}")
            return Choice(kind)
    raise Misconfigured(
        f"unknown_{offer.name.lower()}",
        f"{offer.variable}={asked!r} is none of auto, docker, local, embedded and no address such as {offer.example}",
    )


def _best(offer: Offer, probes: Mapping[Kind, Probe], require_real: bool) -> Choice:
    reasons = []
    for kind, probe in probes.items():
        reason = probe()
        if reason is None:
            return Choice(kind)
        reasons.append(f"{kind}: {reason}")
    because = "; ".join(reasons)
    if require_real:
        raise Misconfigured("not_real", f"no real {offer.name} can be had here ({because}): {_instead(offer)}")
    return Choice("embedded", because=because)


def _instead(offer: Offer) -> str:
    return f"set {offer.variable}={offer.example}, start Docker, or install Java 17 or newer and Maven"
