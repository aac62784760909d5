"""Everything the Exstream sandbox knows: clients, communications, tokens, and a journal of what it composed."""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from connectors.faults import Faults

GENERIC = "6f1c2a34-0000-4000-8000-000000000001"
PDF_ONLY = "6f1c2a34-0000-4000-8000-000000000002"
THREE_QUEUES = "6f1c2a34-0000-4000-8000-000000000003"
DRAFT = "6f1c2a34-0000-4000-8000-000000000004"
INTERACTIVE = "6f1c2a34-0000-4000-8000-000000000005"

_PDF, _HTML, _SMS = ("PDF_OUT", "application/pdf"), ("EMAIL_OUT", "text/html"), ("SMS_OUT", "text/plain")


@dataclass(frozen=True, slots=True)
class Communication:
    """A communication of the design asset service. `queues` are pairs of queue name and media type."""

    queues: tuple[tuple[str, str], ...] = (_PDF, _HTML)
    state: Literal["DRAFT", "REVIEW", "APPROVED"] = "APPROVED"
    data_source: str = "Driver"
    interactive: bool = False


COMMUNICATIONS: Mapping[str, Communication] = {
    GENERIC: Communication(),
    PDF_ONLY: Communication(queues=(_PDF,)),
    THREE_QUEUES: Communication(queues=(_PDF, _HTML, _SMS)),
    DRAFT: Communication(state="DRAFT"),
    INTERACTIVE: Communication(interactive=True),
}


@dataclass(frozen=True, slots=True)
class Config:
    """What the stand-in accepts. `clock` drives the life of tokens only."""

    client_id: str = "tidings"
    client_secret: str = "sandbox-secret"
    domain: str = "retail"
    scopes: frozenset[str] = frozenset({"otds:groups"})
    token_life_s: float = 900
    communications: Mapping[str, Communication] = field(default_factory=lambda: COMMUNICATIONS)
    clock: Callable[[], float] = time.monotonic


@dataclass
class State:
    """In memory, gone with the process: tokens end, the journal starts anew."""

    config: Config
    faults: Faults = field(default_factory=Faults)
    tokens: dict[str, float] = field(default_factory=dict)
    generated: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    requests: int = 0
    issued: int = 0

    def issue(self) -> str:
        """A new token, valid for the configured life."""
        token = secrets.token_urlsafe(24)
        now = self.config.clock()
        self.tokens = {known: end for known, end in self.tokens.items() if end > now}
        self.tokens[token] = now + self.config.token_life_s
        self.issued += 1
        return token

    def knows(self, token: str) -> bool:
        """Whether the token is ours and has not ended."""
        return self.tokens.get(token, 0.0) > self.config.clock()

    def journal(self) -> dict[str, Any]:
        """The whole state, for assertions. `requests` counts traffic and is no state."""
        return {
            "generated": self.generated,
            "refused": self.refused,
            "requests": {"generate": self.requests, "tokens": self.issued},
        }
