"""A stand-in of Exstream's orchestration service that composes real documents and can be made to fail."""

from starlette.applications import Starlette
from starlette.middleware import Middleware

from connectors.exstream.sandbox.routes import routes
from connectors.exstream.sandbox.state import Config, State
from connectors.faults import Failing

__all__ = ["Config", "app"]


def app(config: Config | None = None) -> Starlette:
    """An ASGI app with a state of its own, reachable as `app.state.sandbox`."""
    state = State(config or Config())
    served = Starlette(routes=routes(state), middleware=[Middleware(Failing, faults=state.faults)])
    served.state.sandbox = state
    return served
