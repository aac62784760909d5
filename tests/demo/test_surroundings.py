"""The surroundings: what the processes are told is what they understand."""

from pathlib import Path

import pytest

from connectors.discovery import discover
from streams.app import parts, ports
from streams.demo.sandboxes import CONFIGS
from streams.demo.surroundings import WAIT_S, Surroundings
from streams.runtime.environment import check_names, load
from streams.settings import Settings


@pytest.fixture
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Surroundings:
    told = Surroundings(
        bootstrap="127.0.0.1:9092",
        registry="http://127.0.0.1:8081",
        sandboxes="http://127.0.0.1:8900",
        ingress="http://127.0.0.1:8080",
        data_dir=tmp_path,
        proof="second-factor",
        embedded=True,
    )
    for name, value in told.environment().items():
        monkeypatch.setenv(name, value)
    return told


async def test_a_worker_starts_with_what_it_is_told(where: Surroundings) -> None:
    """Every setting is known, every connector opens, and the durations are ones the policy has."""
    check_names(connector.settings for connector in discover().values())
    made = parts(load(Settings))
    try:
        agents = ports(made)
    finally:
        await made.wire.aclose()
    assert set(made.clients) == set(CONFIGS)
    assert agents.policy.rules["order_confirmation"].grace_s == WAIT_S
    assert agents.policy.rules["cart_reminder"].delay_s == WAIT_S


def test_the_demo_and_the_ingress_share_the_second_factor(where: Surroundings) -> None:
    """The hooks the demo makes carry what the ingress asks for."""
    shop = where.shop_settings()
    assert shop.hook_header_value
    assert shop.hook_header_value.get_secret_value() == "second-factor"
    assert where.hook == "http://127.0.0.1:8080/hooks/bigcommerce/abc123"
    assert where.webhook["url"] == "http://127.0.0.1:8080/hooks/opentext_notifications/main"


def test_every_system_in_the_demo_has_a_stand_in() -> None:
    """What the workers are told to use is what the sandboxes' process serves."""
    assert set(CONFIGS) <= set(discover())
