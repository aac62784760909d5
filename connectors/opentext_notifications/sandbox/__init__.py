"""A stand-in of the messaging service whose messages live, bounce, get lost and are reported like real ones."""

from starlette.applications import Starlette
from starlette.middleware import Middleware

from connectors.faults import Failing
from connectors.opentext_notifications.sandbox.pushes import Pusher
from connectors.opentext_notifications.sandbox.routes import routes
from connectors.opentext_notifications.sandbox.state import Config, Knobs, State, Webhook

__all__ = ["Config", "Knobs", "Webhook", "app"]


def app(config: Config | None = None) -> Starlette:
    """An ASGI app with a state of its own, reachable as `app.state.sandbox`."""
    state = State(config or Config())
    pusher = Pusher(state)
    served = Starlette(routes=routes(state, pusher), middleware=[Middleware(Failing, faults=state.faults)])
    served.state.sandbox = state
    return served
