"""What an unexpected HTTP status means for the caller. Pure, so that one table decides for every connector."""

import math
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from streams.errors import Ambiguous, Failure, Misconfigured, Reject, Retry


def refusal(where: str, status: int, headers: Mapping[str, str], safe: bool, now: datetime) -> Failure:
    """The failure to raise for a status the caller did not expect. `where` must not hold a URL or an address."""
    detail = f"{where} answered {status}"
    if status == 401:
        return Misconfigured("unauthorized", f"{detail}; check the credentials")
    if status == 403:
        return Misconfigured("forbidden", f"{detail}; check what the account may do")
    if status == 429:
        return Retry("throttled", detail, wish(headers, now))
    if status == 408 or status >= 500:
        return Retry("server_error", detail, wish(headers, now)) if safe else Ambiguous("server_error", detail)
    if 300 <= status < 400:
        return Misconfigured("redirected", f"{detail}; check the base URL")
    if status < 300 and not safe:
        return Ambiguous("unexpected_status", detail)
    return Reject(f"http_{status}", detail)


def wish(headers: Mapping[str, str], now: datetime) -> float | None:
    """How many seconds the other side wants to be left alone, in any spelling in use; None when it does not say."""
    milliseconds = _number(headers.get("x-rate-limit-time-reset-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    for name in ("retry-after", "x-retry-after"):
        if value := headers.get(name):
            seconds = _number(value)
            return seconds if seconds is not None else _until(value, now)
    return None


def _number(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return max(number, 0.0) if math.isfinite(number) else None


def _until(value: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max((moment - now).total_seconds(), 0.0) if moment.tzinfo else None
