"""What the demo's processes are told: one environment, made from addresses alone."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from connectors.bigcommerce.settings import Settings
from streams.demo.keys import DOMAIN, KEY, MESSENGER_ACCOUNT, STORE, TEMPLATE, USER
from streams.settings import PREFIX

WAIT_S = 4.0
"""How long a confirmation and a reminder wait: long enough for what calls them off, short enough to watch."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where everything is. `proof` is the second factor our hooks carry."""

    bootstrap: str
    registry: str
    sandboxes: str
    ingress: str
    data_dir: Path
    proof: str
    embedded: bool

    def environment(self) -> dict[str, str]:
        """For every process of the run."""
        return {PREFIX + name: value for name, value in {**self._own(), **self._connectors()}.items()}

    def shop_settings(self) -> Settings:
        """The shop as the demo itself sees it, to subscribe to its webhooks."""
        told: dict[str, Any] = {
            name.removeprefix("BIGCOMMERCE_").lower(): value
            for name, value in self._connectors().items()
            if name.startswith("BIGCOMMERCE_")
        }
        return Settings(**told)

    @property
    def hook(self) -> str:
        """Where the shop sends its webhooks."""
        return f"{self.ingress}/hooks/bigcommerce/{STORE}"

    @property
    def webhook(self) -> dict[str, str]:
        """Where the messenger reports, and how it proves itself."""
        url = f"{self.ingress}/hooks/opentext_notifications/{MESSENGER_ACCOUNT}"
        return {"url": url, "auth": "basic", "user": USER, "password": self.proof}

    def _own(self) -> dict[str, str]:
        durations = {
            "order_confirmation.grace_s": WAIT_S,
            "cart_reminder.delay_s": WAIT_S,
            "notify.retry_s": 1.0,
            "notify.unresolved_s": 3.0,
            "track.poll_s": 15.0,
        }
        return {
            "KAFKA": self.bootstrap,
            "REGISTRY": self.registry,
            "EMBEDDED": str(self.embedded).lower(),
            "DATA_DIR": str(self.data_dir),
            "CONNECTORS": "bigcommerce,exstream,opentext_notifications",
            "DURATIONS": orjson.dumps(durations).decode(),
            "LOG_FORMAT": "json",
            "RETRY_ATTEMPTS": "6",
        }

    def _connectors(self) -> dict[str, str]:
        composer, messenger = f"{self.sandboxes}/exstream", f"{self.sandboxes}/opentext_notifications"
        return {
            "BIGCOMMERCE_ACCOUNT": STORE,
            "BIGCOMMERCE_BASE_URL": f"{self.sandboxes}/bigcommerce",
            "BIGCOMMERCE_ACCESS_TOKEN": KEY,
            "BIGCOMMERCE_CLIENT_SECRET": KEY,
            "BIGCOMMERCE_HOOK_HEADER_VALUE": self.proof,
            "BIGCOMMERCE_TENANT": "example",
            "BIGCOMMERCE_BRAND": "example-shop",
            "BIGCOMMERCE_RATE_PER_S": "200",
            "EXSTREAM_BASE_URL": composer,
            "EXSTREAM_DOMAIN": DOMAIN,
            "EXSTREAM_TOKEN_URL": f"{composer}/otdsws/oauth2/token",
            "EXSTREAM_CLIENT_ID": USER,
            "EXSTREAM_CLIENT_SECRET": KEY,
            "EXSTREAM_TEMPLATES": orjson.dumps({"*": {"communication_id": TEMPLATE}}).decode(),
            "OPENTEXT_NOTIFICATIONS_BASE_URL": f"{messenger}/mra/v1",
            "OPENTEXT_NOTIFICATIONS_ACCOUNT": MESSENGER_ACCOUNT,
            "OPENTEXT_NOTIFICATIONS_USER": USER,
            "OPENTEXT_NOTIFICATIONS_PASSWORD": KEY,
            "OPENTEXT_NOTIFICATIONS_WEBHOOK_USER": self.webhook["user"],
            "OPENTEXT_NOTIFICATIONS_WEBHOOK_PASSWORD": self.webhook["password"],
            "OPENTEXT_NOTIFICATIONS_FROM_DISPLAY_NAME": "Example Shop",
            "OPENTEXT_NOTIFICATIONS_SUBMIT_RATE_PER_S": "100",
        }
