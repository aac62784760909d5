"""What an answer of Exstream means. Pure: status, media type and body in, outputs or a failure out.

Errors come as a service error (shape A: status, errorCode), as a composition error (shape B: data[].errorMessage), or
as HTML or nothing from whatever stands in between. Half a composition is a failed one: outputs are returned only when
all are good. Messages of Exstream may quote driver data, so failures carry its codes and never its words.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from streams.errors import Failure, Reject, Retry

UNPUBLISHED = 310130
RAW_QUEUE = "accept"

_REFUSALS = {
    400: (
        "bad_driver",
        "a header, parameter or the driver data is refused; check the template's data source and layout",
    ),
    404: ("config_not_found", "no such domain or communication; check TIDINGS_EXSTREAM_DOMAIN and the template's id"),
    406: ("config_no_output", "no output queue matches the template's accept; correct it or the manifest"),
    409: ("config_conflict", "the communication is in conflict; check its state in Exstream"),
    413: ("too_large", "the driver data is too large for Exstream"),
    415: ("config_driver_format", "the communication does not take JSON driver data; approve a version that does"),
}


@dataclass(frozen=True, slots=True)
class Output:
    """One file of one output queue. `file_name` has no extension and may be empty."""

    queue: str
    file_name: str
    mime_type: str
    content: bytes


def outputs(status: int, content_type: str, body: bytes, accept: str | None = None) -> Sequence[Output]:
    """Every file in the answer. Raises Reject (this request cannot be composed) or Retry (Exstream could not now)."""
    media = content_type.partition(";")[0].strip().lower()
    if 200 <= status < 300 and accept and media == accept.lower() and media != "application/json":
        return [Output(RAW_QUEUE, "", media, _whole(body, media, RAW_QUEUE))]
    parsed = _json(body)
    elements = _elements(parsed)
    if any(_failed(element) for element in elements):
        raise _composition_error(status, elements)
    if not 200 <= status < 300:
        raise _service_error(status, parsed)
    if not isinstance(parsed, dict) or "data" not in parsed:
        raise Retry("unreadable_answer", f"generate answered {status} with {len(body)} bytes of {media or 'no type'}")
    if str(parsed.get("status", "success")).lower() != "success":
        raise Reject(
            "composition_failed", "generate answered 200 with an error status and no reason; see Exstream's log"
        )
    if not elements:
        raise Reject("config_no_output", "generate succeeded without an output; the communication has no active queue")
    return [_output(element) for element in elements]


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _elements(parsed: Any) -> Sequence[Mapping[str, Any]]:
    data = parsed.get("data") if isinstance(parsed, dict) else None
    found = data if isinstance(data, list) else [data]
    return [element for element in found if isinstance(element, dict)]


def _failed(element: Mapping[str, Any]) -> bool:
    return bool(element.get("errorMessage")) or (element.get("content") is None and "statusCode" in element)


def _composition_error(status: int, elements: Sequence[Mapping[str, Any]]) -> Failure:
    """Shape B. Inner status codes are text."""
    codes = sorted({str(element.get("statusCode", "")).strip() for element in elements if _failed(element)} - {""})
    detail = f"generate answered {status}, inner status {', '.join(codes)[:80] or 'unknown'}"
    if "401" in codes:
        return Reject("empower_user", f"{detail}; the communication is interactive or its Empower user is wrong")
    if any(code.startswith("5") or code == "429" for code in codes):
        return Retry("composition_unavailable", detail)
    if "404" in codes:
        return Reject("config_not_found", f"{detail}; a resource of the communication is missing")
    return Reject("composition_failed", f"{detail}; compose it with the same driver data in Designer")


def _service_error(status: int, parsed: Any) -> Failure:
    """Shape A, or whatever else came with the status."""
    number = parsed.get("errorCode") if isinstance(parsed, dict) else None
    detail = f"generate answered {status}" + (f", errorCode {number}" if isinstance(number, int) else "")
    if number == UNPUBLISHED:
        return Reject("config_unpublished", f"{detail}; the input channel is in no published flow model: publish it")
    if status >= 500:
        return Retry("server_error", detail)
    code, advice = _REFUSALS.get(status, ("refused", "see Exstream's log"))
    return Reject(code, f"{detail}; {advice}")


def _output(element: Mapping[str, Any]) -> Output:
    context = element.get("engineOutputContext")
    context = context if isinstance(context, dict) else {}
    queue, media = str(context.get("queueName") or ""), str(element.get("mimeType") or "").strip().lower()
    try:
        content = base64.b64decode(str(element.get("content") or ""), validate=False)
    except (binascii.Error, ValueError):
        raise Reject("corrupt_output", f"queue {queue[:40]!r}: the content is not base64") from None
    return Output(queue, str(context.get("fileName") or ""), media, _whole(content, media, queue))


def _whole(content: bytes, media: str, queue: str) -> bytes:
    if not content:
        raise Reject("corrupt_output", f"queue {queue[:40]!r}: the file is empty")
    if media == "application/pdf" and b"%PDF-" not in content[:1024]:
        raise Reject("corrupt_output", f"queue {queue[:40]!r}: the file is called a PDF and is none")
    return content
