"""Which broker or registry a run gets, decided without starting anything."""

import pytest

from streams.errors import Misconfigured
from streams.local.choice import KAFKA, REGISTRY, Choice, Kind, Offer, Probe, choose

ANY = pytest.mark.parametrize("offer", [KAFKA, REGISTRY], ids=lambda offer: offer.name)


def probes(docker: str | None = "no engine answers", local: str | None = "no Java") -> dict[Kind, Probe]:
    """A machine on which Docker and Java are missing for these reasons, or there when None."""
    return {"docker": lambda: docker, "local": lambda: local}


def never() -> str | None:
    """A probe that must not be asked."""
    raise AssertionError


@ANY
def test_what_is_asked_for_is_taken_without_looking_around(offer: Offer) -> None:
    """An address or a kind given explicitly wins over the environment, and nothing is probed."""
    environ = {offer.variable: "embedded"}
    untouched: dict[Kind, Probe] = {"docker": never, "local": never}
    assert choose(offer, offer.example, environ, untouched) == Choice("external", offer.example)
    assert choose(offer, "docker", environ, untouched) == Choice("docker")
    assert choose(offer, "local", environ, untouched) == Choice("local")


@ANY
def test_auto_heeds_the_environment_first(offer: Offer) -> None:
    """The variable decides for every command of a shell."""
    assert choose(offer, "auto", {offer.variable: offer.example}, probes(None, None)).kind == "external"
    assert choose(offer, "", {offer.variable: "local"}, probes(None, None)).kind == "local"


@ANY
@pytest.mark.parametrize("environ", ["", "auto"])
def test_auto_takes_the_best_that_can_be_had(offer: Offer, environ: str) -> None:
    """Docker goes before a local one and a local one before an embedded one."""

    def kind(docker: str | None, local: str | None) -> str:
        return choose(offer, "auto", {offer.variable: environ}, probes(docker, local)).kind

    assert kind(None, None) == "docker"
    assert kind("no", None) == "local"
    assert kind("no", "no") == "embedded"


@ANY
def test_falling_back_tells_why(offer: Offer) -> None:
    """Who gets an embedded one can read what stood in the way of a real one."""
    assert choose(offer, "auto", {}, probes()).because == "docker: no engine answers; local: no Java"


@ANY
@pytest.mark.parametrize("asked", ["auto", "embedded"])
def test_where_a_real_one_is_required_nothing_less_is_taken(offer: Offer, asked: str) -> None:
    """Guarantees are never tested on what cannot keep them; the refusal says what to do."""
    with pytest.raises(Misconfigured) as refused:
        choose(offer, asked, {}, probes(), require_real=True)
    assert refused.value.code == "not_real"
    assert f"set {offer.variable}={offer.example}, start Docker, or install Java 17" in refused.value.detail


def test_the_refusal_names_every_obstacle() -> None:
    """A person who wants a real broker sees at once what is missing for each way."""
    with pytest.raises(Misconfigured, match=r"docker: no engine answers; local: no Java"):
        choose(KAFKA, "auto", {}, probes(), require_real=True)


@ANY
@pytest.mark.parametrize("asked", ["lokal", "external", "localhost", "host:port", "ftp://host"])
def test_a_value_that_means_nothing_is_refused_with_the_choices(offer: Offer, asked: str) -> None:
    """A typing mistake starts nothing and is answered with what would have been understood."""
    with pytest.raises(Misconfigured, match=r"none of auto, docker, local, embedded and no address such as") as refused:
        choose(offer, asked, {}, probes())
    assert offer.variable in refused.value.detail
