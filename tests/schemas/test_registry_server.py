"""Our own registry answers as Confluent's does, also to those who ask in the wrong way."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from schemas.registry import MemoryRegistry
from schemas.registry_server import app

TEXT = {"schema": '"string"'}


@pytest.fixture
async def http(memory: MemoryRegistry) -> AsyncIterator[httpx.AsyncClient]:
    """A client that is wired to the server without a network."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app(memory)), base_url="http://registry.test") as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("GET", "/schemas/ids/7", None, 40403),
        ("GET", "/subjects/orders/versions", None, 40401),
        ("POST", "/subjects/orders", TEXT, 40401),
        ("POST", "/subjects/texts", {"schema": '"bytes"'}, 40403),
        ("GET", "/subjects/texts/versions/2", None, 40402),
        ("GET", "/subjects/texts/versions/first", None, 40402),
        ("POST", "/subjects/texts/versions", {"schema": '"nothing"'}, 42201),
        ("POST", "/subjects/texts/versions", {"schema": 7}, 42201),
        ("POST", "/subjects/texts/versions", {**TEXT, "schemaType": "JSON"}, 42201),
        ("POST", "/subjects/texts/versions", {**TEXT, "references": [{"name": "a"}]}, 42201),
        ("POST", "/subjects/texts/versions", [], 42201),
        ("POST", "/subjects/texts/versions", {"schema": '"long"'}, 409),
        ("PUT", "/config/texts", {"compatibility": "FULLY"}, 42203),
        ("PUT", "/config", {}, 42203),
    ],
)
async def test_a_refusal_has_the_code_of_confluents(
    http: httpx.AsyncClient, method: str, path: str, body: Any, code: int
) -> None:
    """Clients tell refusals apart by status and code, so both are the ones they know."""
    await http.post("/subjects/texts/versions", json=TEXT)
    response = await http.request(method, path, json=body)
    assert response.json()["error_code"] == code
    assert response.json()["message"]
    assert response.status_code == (code if code < 1000 else code // 100)


async def test_a_body_that_is_not_json_is_refused(http: httpx.AsyncClient) -> None:
    """A broken request is the asker's fault, not ours."""
    response = await http.post("/subjects/texts/versions", content=b"{")
    assert response.status_code == 422


async def test_answers_have_the_type_of_confluents(http: httpx.AsyncClient) -> None:
    """Clients that insist on the vendor's media type get it."""
    response = await http.get("/subjects")
    assert response.headers["content-type"] == "application/vnd.schemaregistry.v1+json"


async def test_compatibility_can_be_asked_of_one_version_or_all(http: httpx.AsyncClient) -> None:
    """A pipeline may ask before it registers, in either form of the question."""
    await http.post("/subjects/texts/versions", json=TEXT)
    for path in ("/compatibility/subjects/texts/versions", "/compatibility/subjects/texts/versions/latest"):
        assert (await http.post(path, json=TEXT)).json() == {"is_compatible": True, "messages": []}
        assert (await http.post(path, json={"schema": '"long"'})).json()["is_compatible"] is False
