"""A schema registry over HTTP that lives as long as its process: for the demo, where no other can be had.

It speaks the part of Confluent's REST interface that Kafka clients use, with the same error codes, so nothing else has
to know which registry it talks to.
"""

import json
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from schemas.registry import MemoryRegistry
from streams.errors import Misconfigured, Reject

MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"
# HTTP status and Confluent's error code by the code of our error.
_ANSWERS = {
    "unknown_schema": (404, 40403),
    "incompatible_schema": (409, 409),
    "invalid_schema": (422, 42201),
    "invalid_compatibility_level": (422, 42203),
}


class _Refusal(Exception):
    def __init__(self, error_code: int, message: str) -> None:
        super().__init__(message)
        self.error_code = error_code
        self.message = message


class _Answer(JSONResponse):
    media_type = MEDIA_TYPE


class _Server:
    """The endpoints over one registry."""

    def __init__(self, registry: MemoryRegistry) -> None:
        self._registry = registry

    async def subjects(self, request: Request) -> _Answer:
        return _Answer(self._registry.subjects())

    async def schema(self, request: Request) -> _Answer:
        return _Answer({"schema": self._registry.schema_by_id(request.path_params["id"])})

    async def register(self, request: Request) -> _Answer:
        return _Answer({"id": self._registry.register(request.path_params["subject"], await _schema_of(request))})

    async def lookup(self, request: Request) -> _Answer:
        subject, text = request.path_params["subject"], await _schema_of(request)
        self._versions(subject)
        schema_id = self._registry.lookup(subject, text)
        if schema_id is None:
            raise _Refusal(40403, "Schema not found")
        return self._version_answer(subject, schema_id)

    async def versions(self, request: Request) -> _Answer:
        return _Answer(list(range(1, len(self._versions(request.path_params["subject"])) + 1)))

    async def version(self, request: Request) -> _Answer:
        subject = request.path_params["subject"]
        ids = self._versions(subject)
        wanted = request.path_params["version"]
        number = len(ids) if wanted == "latest" else int(wanted) if wanted.isdecimal() else 0
        if not 0 < number <= len(ids):
            raise _Refusal(40402, f"Version {wanted} not found.")
        return self._version_answer(subject, ids[number - 1])

    async def check(self, request: Request) -> _Answer:
        # Every version is checked whichever was asked for: the level of a subject is transitive here.
        subject = request.path_params["subject"]
        problems = self._registry.compatible(subject, await _schema_of(request))
        return _Answer({"is_compatible": not problems, "messages": problems})

    async def level(self, request: Request) -> _Answer:
        subject = request.path_params.get("subject", "")
        return _Answer({"compatibilityLevel": self._registry.compatibility(subject)})

    async def set_level(self, request: Request) -> _Answer:
        level = (await _body(request)).get("compatibility")
        self._registry.set_compatibility(request.path_params.get("subject", ""), str(level))
        return _Answer({"compatibility": level})

    def _versions(self, subject: str) -> list[int]:
        ids = self._registry.versions(subject)
        if not ids:
            raise _Refusal(40401, f"Subject '{subject}' not found.")
        return ids

    def _version_answer(self, subject: str, schema_id: int) -> _Answer:
        number = self._registry.versions(subject).index(schema_id) + 1
        text = self._registry.schema_by_id(schema_id)
        return _Answer({"subject": subject, "id": schema_id, "version": number, "schema": text})


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body())
    except ValueError as error:
        raise _Refusal(42201, f"The body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise _Refusal(42201, "The body is not a JSON object")
    return body


async def _schema_of(request: Request) -> str:
    body = await _body(request)
    kind, text = body.get("schemaType") or "AVRO", body.get("schema")
    if kind != "AVRO" or not isinstance(text, str) or body.get("references"):
        raise _Refusal(42201, "This registry takes Avro schemas without references")
    return text


def _refused(_request: Request, error: Exception) -> _Answer:
    assert isinstance(error, _Refusal)
    return _Answer({"error_code": error.error_code, "message": error.message}, error.error_code // 100)


def _failed(_request: Request, error: Exception) -> _Answer:
    assert isinstance(error, Reject | Misconfigured)
    status, error_code = _ANSWERS[error.code]
    return _Answer({"error_code": error_code, "message": error.detail}, status)


def app(registry: MemoryRegistry) -> Starlette:
    """The registry as an ASGI application."""
    server = _Server(registry)
    routes = [
        Route("/subjects", server.subjects),
        Route("/subjects/{subject}", server.lookup, methods=["POST"]),
        Route("/subjects/{subject}/versions", server.versions),
        Route("/subjects/{subject}/versions", server.register, methods=["POST"]),
        Route("/subjects/{subject}/versions/{version}", server.version),
        Route("/schemas/ids/{id:int}", server.schema),
        Route("/config", server.level),
        Route("/config", server.set_level, methods=["PUT"]),
        Route("/config/{subject}", server.level),
        Route("/config/{subject}", server.set_level, methods=["PUT"]),
        Route("/compatibility/subjects/{subject}/versions", server.check, methods=["POST"]),
        Route("/compatibility/subjects/{subject}/versions/{version}", server.check, methods=["POST"]),
    ]
    return Starlette(routes=routes, exception_handlers={_Refusal: _refused, Reject: _failed, Misconfigured: _failed})
