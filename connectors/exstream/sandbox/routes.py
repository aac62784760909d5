"""The endpoints of the Exstream sandbox: token, on-demand generate, and the controls under /_sandbox."""

import base64
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import orjson
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.exstream.sandbox.render import RENDERERS
from connectors.exstream.sandbox.state import Communication, State
from connectors.exstream.sandbox.view import order_number, view
from connectors.faults import Fault

TOKEN_PATHS = (
    "/otdsws/otdstenant/{tenant}/oauth2/token",
    "/otdstenant/{tenant}/oauth2/token",
    "/tenants/{tenant}/oauth2/token",
    "/otdsws/oauth2/token",
)


def routes(state: State) -> list[Route]:
    """All routes over one state."""
    service = Service(state)
    return [
        *(Route(path, service.token, methods=["POST"]) for path in TOKEN_PATHS),
        Route("/orchestration/api/v1/inputs/ondemand/{domain}/generate", service.generate, methods=["POST"]),
        Route("/_sandbox/journal", service.journal, methods=["GET"]),
        Route("/_sandbox/faults", service.faults, methods=["POST", "DELETE"]),
    ]


class _Refused(Exception):
    """Ends a request with shape A, or with shape B when `inner` is given."""

    def __init__(self, status: int, details: str, inner: str | None = None) -> None:
        super().__init__(details)
        self.status, self.details, self.inner = status, details, inner

    def answer(self) -> Response:
        if self.inner:
            element = {"errorMessage": self.details, "statusCode": self.inner, "engineOutputContext": {}}
            return JSONResponse({"status": "error", "data": [element]}, self.status)
        at = int(datetime.now(UTC).timestamp() * 1000)
        error = {"timestamp": at, "status": self.status, "message": "refused", "details": self.details}
        return JSONResponse(error, self.status)


@dataclass(frozen=True, slots=True)
class _File:
    queue: str
    media: str
    stem: str
    content: bytes

    def element(self) -> dict[str, Any]:
        """As it stands in the answer's `data`."""
        return {
            "content": base64.b64encode(self.content).decode(),
            "mimeType": self.media,
            "engineOutputContext": {"queueName": self.queue, "fileName": self.stem, "customerNumber": "1"},
        }


class Service:
    """The endpoints over one state."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def token(self, request: Request) -> Response:
        """Client credentials, in the form or as HTTP Basic."""
        form = dict(parse_qsl((await request.body()).decode()))
        given = f"{form.get('client_id', '')}:{form.get('client_secret', '')}".encode()
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            given = base64.b64decode(value)
        config = self._state.config
        if form.get("grant_type") != "client_credentials":
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        if not secrets.compare_digest(given, f"{config.client_id}:{config.client_secret}".encode()):
            return JSONResponse({"error": "invalid_client"}, 401)
        if not set(form.get("scope", "").split()) <= config.scopes:
            return JSONResponse({"error": "invalid_scope"}, 400)
        token = {"access_token": self._state.issue(), "refresh_token": "unused", "token_type": "Bearer"}
        return JSONResponse({**token, "expires_in": config.token_life_s})

    async def generate(self, request: Request) -> Response:
        """On-demand composition, checked as strictly as the contract allows."""
        self._state.requests += 1
        body = await request.body()
        driver: dict[str, Any] = {}
        try:
            communication = self._communication(request)
            driver = _driver(body)
            answer = _answer(_composed(communication, driver), request.headers.get("accept", "*/*"))
        except _Refused as refused:
            self._state.refused.append(_entry(request, driver, refused.status))
            return refused.answer()
        self._state.generated.append(_entry(request, driver, 200))
        return answer

    async def journal(self, request: Request) -> Response:
        """What was composed and refused."""
        return JSONResponse(self._state.journal())

    async def faults(self, request: Request) -> Response:
        """POST arms a switch, DELETE disarms all."""
        faults = self._state.faults
        if request.method == "DELETE":
            faults.armed.clear()
        else:
            try:
                faults.arm(Fault.model_validate_json(await request.body()))
            except ValidationError as invalid:
                return JSONResponse({"errors": invalid.errors(include_url=False, include_input=False)}, 400)
        return JSONResponse({"armed": [fault.model_dump() for fault in faults.armed]})

    def _communication(self, request: Request) -> Communication:
        if not self._state.knows(request.headers.get("authorization", "").removeprefix("Bearer ")):
            raise _Refused(401, "token missing, unknown or expired")
        if request.path_params["domain"] != self._state.config.domain:
            raise _Refused(404, "unknown domain")
        for header in ("communicationId", "driverDataSource"):
            if not request.headers.get(header):
                raise _Refused(400, f"missing header {header}")
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            raise _Refused(415, "the driver format is JSON")
        communication = self._state.config.communications.get(request.headers["communicationId"])
        if communication is None:
            raise _Refused(404, "unknown communication")
        if communication.state != "APPROVED":
            raise _Refused(400, f"communication is {communication.state}")
        if communication.data_source != request.headers["driverDataSource"]:
            raise _Refused(400, "unknown driverDataSource")
        if communication.interactive and not request.headers.get("empowerUser"):
            raise _Refused(500, "user is not authorised", inner="401")
        return communication


def _driver(body: bytes) -> dict[str, Any]:
    try:
        driver = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise _Refused(400, "driver data is not JSON") from None
    if not isinstance(driver, dict) or not set(driver) - {"hub"}:
        raise _Refused(200, "driver data does not fit the sample file", inner="400")
    return driver


def _composed(communication: Communication, driver: dict[str, Any]) -> Sequence[_File]:
    page = view(driver)
    stem = "_".join(filter(None, (page.title.replace(" ", "_"), page.number)))
    return [_File(queue, media, stem, RENDERERS[media](page)) for queue, media in communication.queues]


def _answer(files: Sequence[_File], accept: str) -> Response:
    if accept in ("", "*/*", "application/json"):
        return JSONResponse({"status": "success", "details": None, "data": [file.element() for file in files]})
    for file in files:
        if file.media == accept:
            return Response(file.content, media_type=file.media)
    raise _Refused(406, "no queue gives that media type")


def _entry(request: Request, driver: dict[str, Any], status: int) -> dict[str, Any]:
    hub = driver.get("hub") or {}
    return {
        "communicationId": request.headers.get("communicationId"),
        "correlationId": hub.get("correlationId"),
        "type": hub.get("type"),
        "orderNumber": order_number(driver) or None,
        "dataSha256": hashlib.sha256(orjson.dumps(driver, option=orjson.OPT_SORT_KEYS)).hexdigest(),
        "status": status,
        "at": datetime.now(UTC).isoformat(),
    }
