"""How a sandbox store behaves: its credentials, its pace, and how badly its webhooks travel."""

from dataclasses import dataclass
from decimal import Decimal

from connectors.http import Wire


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """`duplicate_rate` and `shuffle` are shares of the webhooks sent twice and sent late; `seed` makes them repeatable.

    `retry_scale` shrinks the documented waits between tries (1 = the real two days). `quota` is requests per
    `window_ms`. `wire` carries the webhooks; tests replace it.
    """

    store_hash: str = "abc123"
    token: str = "sandbox-token"
    client_secret: str = "sandbox-client-secret"
    seed: int = 1
    duplicate_rate: float = 0.0
    shuffle: float = 0.0
    shuffle_s: float = 0.2
    retry_scale: float = 0.001
    quota: int = 100_000
    window_ms: int = 30_000
    tax_rate: Decimal = Decimal("0.20")
    currency: str = "EUR"
    country: str = "DE"
    language: str = "en"
    shop_url: str = "https://shop.example.test"
    wire: Wire | None = None
