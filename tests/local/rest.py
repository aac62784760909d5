"""Asks a schema registry over HTTP, as any client would."""

import json
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit


def ask(url: str, method: str, path: str, body: object = None) -> Any:
    """The JSON that the registry answers with; anything but a 200 is a failed test."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    headers = {"Content-Type": "application/vnd.schemaregistry.v1+json"}
    connection.request(method, parts.path + path, None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    assert answer.status == 200, content
    return json.loads(content)
