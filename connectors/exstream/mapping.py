"""Composition request to driver data, outputs to documents. Pure: a request always asks for the same document."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from connectors.exstream.answers import Output
from schemas.models import CompositionRequest, Document
from streams.errors import Reject

# Exstream's file names have no extension. The first four media types are documented, the rest are the usual ones.
EXTENSIONS: Mapping[str, str] = {
    "application/pdf": "pdf",
    "text/html": "html",
    "application/vnd.exstream-empower": "mpw",
    "application/json": "json",
    "text/plain": "txt",
    "application/postscript": "ps",
    "application/vnd.hp-pcl": "pcl",
    "application/afp": "afp",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
}

_UNSAFE = re.compile(r"[^\w.+-]+")


def driver(request: CompositionRequest) -> bytes:
    """The driver document: the request's data as it is, and beside it `hub` with what ties the two systems together."""
    try:
        data: Any = orjson.loads(request.data)
    except orjson.JSONDecodeError:
        raise Reject("bad_driver", f"document {request.document_id}: data is not JSON") from None
    if not isinstance(data, dict):
        raise Reject("bad_driver", f"document {request.document_id}: data must be a JSON object")
    hub = {
        "correlationId": request.document_id,
        "communicationId": request.communication_id,
        "tenant": request.tenant,
        "brand": request.brand,
        "type": request.type,
        "template": request.template,
        "locale": request.locale,
        "channel": request.deliveries[0].channel if request.deliveries else None,
    }
    return orjson.dumps(data | {"hub": hub})


def documents(
    request: CompositionRequest,
    outputs: Sequence[Output],
    composed_at: datetime,
    extensions: Mapping[str, str] | None = None,
) -> Sequence[Document]:
    """One document per output file, all under the request's document id and told apart by queue and name."""
    known = {**EXTENSIONS, **(extensions or {})}
    taken: set[str] = set()
    return [_document(request, output, composed_at, known, taken) for output in outputs]


def _document(
    request: CompositionRequest, output: Output, composed_at: datetime, extensions: Mapping[str, str], taken: set[str]
) -> Document:
    return Document(
        document_id=request.document_id,
        communication_id=request.communication_id,
        subject=request.subject,
        type=request.type,
        template=request.template,
        locale=request.locale,
        queue=output.queue,
        name=_free(_stem(request, output), extensions.get(output.mime_type, "bin"), taken),
        mime_type=output.mime_type or "application/octet-stream",
        content=output.content,
        sha256=hashlib.sha256(output.content).hexdigest(),
        about=request.about,
        composed_at=composed_at,
    )


def _stem(request: CompositionRequest, output: Output) -> str:
    """A file name people recognise, safe in any file system and mail header."""
    given = _UNSAFE.sub("_", output.file_name.replace("\\", "/").rpartition("/")[2]).strip("._")
    fallback = "_".join(filter(None, (request.type, request.about.order_number)))
    return (given or _UNSAFE.sub("_", fallback).strip("._") or "document")[:100]


def _free(stem: str, extension: str, taken: set[str]) -> str:
    name, count = f"{stem}.{extension}", 1
    while name in taken:
        count += 1
        name = f"{stem}_{count}.{extension}"
    taken.add(name)
    return name
