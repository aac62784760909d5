"""Answers in the two dialects of the API: v2 bare, v3 in an envelope, each with its own shape of error."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

_DOC = "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes"
_TITLES = {
    400: "The request is not valid.",
    401: "Unauthorized",
    404: "The requested resource was not found.",
    409: "Conflict",
    413: "Too many items",
    422: "The request could not be processed.",
    429: "Too many requests",
    500: "Internal error",
}


def v3(data: Any, status: int = 200, **meta: Any) -> Response:
    """A v3 answer."""
    return JSONResponse({"data": data, "meta": meta}, status)


def v3_page(request: Request, rows: Sequence[Any]) -> Response:
    """One page of a v3 list."""
    page, limit = paging(request)
    shown = rows[(page - 1) * limit : page * limit]
    pages = max(1, -(-len(rows) // limit))
    links = {"previous": "", "current": f"?page={page}&limit={limit}", "next": ""}
    about = {"total": len(rows), "count": len(shown), "per_page": limit, "current_page": page, "total_pages": pages}
    return v3(shown, pagination={**about, "links": links})


def v2_page(request: Request, rows: Sequence[Any]) -> Response:
    """One page of a v2 list; an empty one has no body at all."""
    page, limit = paging(request)
    shown = rows[(page - 1) * limit : page * limit]
    return JSONResponse(shown) if shown else Response(status_code=204)


def paging(request: Request) -> tuple[int, int]:
    """Page and page size of a request."""
    query = request.query_params
    return max(1, int(query.get("page", 1))), min(250, max(1, int(query.get("limit", 50))))


def v3_error(status: int, errors: Mapping[str, str] | None = None) -> Response:
    """A v3 error."""
    body: dict[str, Any] = {"status": status, "title": _TITLES.get(status, "Error"), "type": _DOC}
    return JSONResponse(body | ({"errors": errors} if errors else {}), status)


def v2_error(status: int) -> Response:
    """A v2 error."""
    return JSONResponse([{"status": status, "message": _TITLES.get(status, "Error")}], status)
