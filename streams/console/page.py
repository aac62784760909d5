"""The status page: the flow in a browser, as one self-contained HTML page and the same as JSON.

It renders on the server and asks nobody else for anything: no fonts, scripts or images from elsewhere, and a policy
header that forbids them. Without scripts it reloads itself.
"""

import secrets
from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from streams.console.story import Story
from streams.console.view import Look, as_json

_TEMPLATE = Environment(
    loader=PackageLoader("streams.console"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
).get_template("page.html")
_SHOWN = 40
_PARTS = 5


def app(look: Look) -> Starlette:
    """The page over whatever `look` returns at the moment of the request."""
    return Starlette(routes=routes(look))


def routes(look: Look) -> list[Route]:
    """`/` and `/status.json`."""

    async def page(_: Request) -> Response:
        nonce = secrets.token_urlsafe(16)
        return HTMLResponse(_html(look, nonce), headers=_headers(nonce))

    async def status(_: Request) -> Response:
        return JSONResponse(as_json(look()), headers={"cache-control": "no-store"})

    return [Route("/", page, methods=["GET"]), Route("/status.json", status, methods=["GET"])]


def _html(look: Look, nonce: str) -> str:
    view = look()
    shot = view.snapshot
    stories: Sequence[Story] = shot.stories[: -_SHOWN - 1 : -1]
    most = max((count for _, count in (*shot.suppressed, *shot.types)), default=1)
    return _TEMPLATE.render(view=view, shot=shot, stories=stories, most=most, parts=_PARTS, nonce=nonce)


def _headers(nonce: str) -> dict[str, str]:
    policy = f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'"
    return {
        "cache-control": "no-store",
        "content-security-policy": f"{policy}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }
