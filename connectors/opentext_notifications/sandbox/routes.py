"""The endpoints of the messaging sandbox: token, submit and status as the provider has them, and the controls."""

import base64
import binascii
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, Literal, TypeVar
from urllib.parse import parse_qsl

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.faults import Fault
from connectors.opentext_notifications.sandbox.pushes import Pusher
from connectors.opentext_notifications.sandbox.state import State, Webhook
from connectors.opentext_notifications.sandbox.submission import Refused, message_id, read

Channel = Literal["EMAIL", "SMS"]
PATHS: tuple[tuple[str, Channel], ...] = (("sms", "SMS"), ("emails", "EMAIL"))


_Model = TypeVar("_Model", bound=BaseModel)


class Clock(BaseModel):
    """Seconds to let pass at once."""

    model_config = ConfigDict(extra="forbid")

    advance_s: float


def routes(state: State, pusher: Pusher) -> list[Route]:
    """All routes over one state."""
    service, control = Service(state, pusher), Control(state, pusher)
    return [
        Route("/tenants/{tenant}/oauth2/token", service.token, methods=["POST"]),
        *(Route(f"/mra/v1/outbound/{path}", service.submit(channel), methods=["POST"]) for path, channel in PATHS),
        *(
            Route(f"/mra/v1/outbound/{path}/status", service.status(channel), methods=["GET"])
            for path, channel in PATHS
        ),
        Route("/_sandbox/journal", control.journal, methods=["GET"]),
        Route("/_sandbox/messages/{job_id}", control.message, methods=["GET"]),
        Route("/_sandbox/outbound/{path}", control.put, methods=["POST"]),
        Route("/_sandbox/faults", control.faults, methods=["POST", "DELETE"]),
        Route("/_sandbox/webhook", control.webhook, methods=["POST", "DELETE"]),
        Route("/_sandbox/knobs", control.knobs, methods=["POST"]),
        Route("/_sandbox/clock", control.clock, methods=["POST"]),
    ]


class Service:
    """What the provider offers."""

    def __init__(self, state: State, pusher: Pusher) -> None:
        self._state, self._pusher = state, pusher

    async def token(self, request: Request) -> Response:
        """Client credentials as HTTP Basic."""
        self._state.requests["token"] += 1
        form, config = dict(parse_qsl((await request.body()).decode())), self._state.config
        given = _basic(request) or f"{form.get('client_id', '')}:{form.get('client_secret', '')}".encode()
        if not secrets.compare_digest(given, f"{config.client_id}:{config.client_secret}".encode()):
            return JSONResponse({"error": "invalid_client"}, 401)
        life = config.token_life_s
        return JSONResponse({"access_token": self._state.issue(), "token_type": "Bearer", "expires_in": life})

    def submit(self, channel: Channel) -> Callable[[Request], Awaitable[Response]]:
        """Accepts a message of that channel, or answers a repeat with the first job."""

        async def submit(request: Request) -> Response:
            self._state.requests[f"submit_{channel.lower()}"] += 1
            if not self._known(request):
                return JSONResponse({"message": "Unauthorized"}, 401)
            self._state.submissions += 1
            try:
                return JSONResponse({"job_id": accept(self._state, self._pusher, await request.body(), channel)})
            except Refused as refused:
                return JSONResponse({"code": "INVALID_REQUEST", "message": str(refused)}, 400)

        return submit

    def status(self, channel: Channel) -> Callable[[Request], Awaitable[Response]]:
        """The snapshot of a job of that channel."""

        async def status(request: Request) -> Response:
            self._state.requests[f"status_{channel.lower()}"] += 1
            if not self._known(request):
                return JSONResponse({"message": "Unauthorized"}, 401)
            told = self._state.told(request.query_params.get("job_id", ""), channel)
            return JSONResponse(told) if told else JSONResponse({"code": "NOT_FOUND", "message": "unknown job"}, 404)

        return status

    def _known(self, request: Request) -> bool:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._state.knows(value)
        config = self._state.config
        return secrets.compare_digest(_basic(request), f"{config.user}:{config.password}".encode())


def accept(state: State, pusher: Pusher, content: bytes, channel: Channel) -> str:
    """The id of the job that carries the message: a new one, or the first one of a repeat. Raises Refused."""
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise Refused("the body is not JSON") from None
    if earlier := state.earlier(message_id(body)):
        state.deduplicated += 1
        return earlier.job_id
    job = read(body, channel, state.job_id(), state.now())
    state.keep(job)
    pusher.accepted(job)
    return job.job_id


class Control:
    """What only a sandbox offers."""

    def __init__(self, state: State, pusher: Pusher) -> None:
        self._state, self._pusher = state, pusher

    async def journal(self, request: Request) -> Response:
        """What was accepted, and what was pushed."""
        return JSONResponse({**self._state.journal(), "webhooks": self._pusher.journal()})

    async def put(self, request: Request) -> Response:
        """Accepts a submission as it would be posted to that channel's path, without credentials."""
        channel: Channel = "SMS" if request.path_params["path"] == "sms" else "EMAIL"
        try:
            return JSONResponse({"job_id": accept(self._state, self._pusher, await request.body(), channel)})
        except Refused as refused:
            return JSONResponse({"message": str(refused)}, 400)

    async def message(self, request: Request) -> Response:
        """A message as its recipient has it, with the attachments in base64."""
        job = self._state.jobs.get(request.path_params["job_id"])
        if job is None:
            return JSONResponse({"message": "unknown job"}, 404)
        return JSONResponse({**asdict(job), "accepted_at": job.accepted_at.isoformat()})

    async def faults(self, request: Request) -> Response:
        """POST arms a switch, DELETE disarms all."""
        faults = self._state.faults
        if request.method == "DELETE":
            faults.armed.clear()
            return JSONResponse({"armed": []})
        return await _told(request, Fault, faults.arm)

    async def webhook(self, request: Request) -> Response:
        """POST registers the receiver, DELETE forgets it."""
        if request.method == "DELETE":
            self._pusher.register(None)
            return JSONResponse({})
        return await _told(request, Webhook, self._pusher.register)

    async def knobs(self, request: Request) -> Response:
        """Changes the knobs that are given."""
        try:
            given = orjson.loads(await request.body())
            self._state.knobs = type(self._state.knobs).model_validate({**self._state.knobs.model_dump(), **given})
        except (orjson.JSONDecodeError, ValidationError, TypeError) as invalid:
            return JSONResponse({"message": str(invalid)}, 400)
        return JSONResponse(self._state.knobs.model_dump())

    async def clock(self, request: Request) -> Response:
        """Moves time; what became due is pushed."""

        def advance(clock: Clock) -> None:
            self._state.advance(clock.advance_s)
            self._pusher.wake()

        return await _told(request, Clock, advance)


async def _told(request: Request, model: type[_Model], act: Callable[[_Model], Any]) -> Response:
    try:
        given = model.model_validate_json(await request.body())
    except ValidationError as invalid:
        return JSONResponse({"errors": invalid.errors(include_url=False, include_input=False)}, 400)
    act(given)
    return JSONResponse(given.model_dump())


def _basic(request: Request) -> bytes:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    try:
        return base64.b64decode(value, validate=True) if scheme.lower() == "basic" else b""
    except (binascii.Error, ValueError):
        return b""
