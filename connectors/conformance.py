"""What a connector tells the conformance suite about itself, so that a new folder is tested with no change in a test.

Each connector has a module `testing.py` with `PROFILE = Profile(...)`. The suite (tests/connectors/conformance) finds
it by discovery and runs every check that fits the connector's roles. It relies on these conventions:

- `CONNECTOR.sandbox()` without arguments gives a fresh ASGI app that accepts the credentials of `PROFILE.settings(url)`
- the app answers GET /_sandbox/journal with a JSON object of its whole state, where traffic counters stay under the
  keys "requests" and "webhooks" (a repeated write-back must leave every other key as it was)
- the app accepts POST /_sandbox/faults {"path": "/part/of/it", "status": 500, "times": 1}
- `fixtures/events/*.json` are bodies of inbound requests, one per event kind; other fixtures lie beside that folder
- README.md has the headings Set-up, Limits, Known gaps and Certification checklist, the last with `- [ ]` items
- the settings' prefix is TIDINGS_<NAME>_, and fields that hold a token, secret or password are SecretStr
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic_settings import BaseSettings

from connectors.contract import HttpRequest

Control = Callable[[str, Any], Awaitable[Any]]
"""`await control("/_sandbox/orders", {...})` posts to the sandbox past any fault and gives the parsed answer."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call over the wire, made with the client that `CONNECTOR.open(settings, wire)` gave.

    `run(client, control)` creates what it needs in the sandbox through `control`, makes the call and returns its
    result as it is, without judging it; what must exist once, however often the call is repeated, is created by
    `prepare(control)`. It is run against the sandbox (must succeed; a write-back twice) and against a wire that
    answers 401, 429, 500 or nonsense, or refuses the connection. `safe` says that a 500 must end in Retry; otherwise
    it must end in Ambiguous.
    """

    role: Literal["hydrate", "write_back", "compose", "notify", "track"]
    run: Callable[[Any, Control], Awaitable[Any]]
    safe: bool = True
    prepare: Callable[[Control], Awaitable[Any]] | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything connector-specific that the suite needs.

    - `settings(base_url)`: settings for the sandbox at that URL
    - `calls`: at least one per role other than ingest
    - `private`: addresses and names used by the calls; with the secrets of the settings they must never be seen in an
      error or a log line
    - `token_path`: the end of the token endpoint's path; faults do not hit it ("" when there is none)
    - `inbound(body, now)`: a genuine inbound request with that body, proved as the sender would at that time
      (connectors with the role ingest)
    - `signs_body`: whether the proof covers the body; `tolerance_s`: how old a proof may be (None: it does not age)
    """

    settings: Callable[[str], BaseSettings]
    calls: tuple[Call, ...] = ()
    private: tuple[str, ...] = ()
    token_path: str = ""
    inbound: Callable[[bytes, datetime], HttpRequest] | None = None
    signs_body: bool = True
    tolerance_s: int | None = None
