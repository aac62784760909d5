"""Small conversions every platform mapping needs, once, so that two platforms spell the same person alike. Pure."""

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime

import phonenumbers
from pydantic import ValidationError

from streams.errors import Reject

_CENT = Decimal("0.0001")
_EMAIL = re.compile(r"[^\s@]+@[^\s@.]+(\.[^\s@.]+)+")
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Whatever is wrong with a payload becomes Reject("unreadable") that names the field and never its value."""
    try:
        yield
    except KeyError as missing:
        raise Reject("unreadable", f"{what}: there is no field {missing.args[0]!r}") from None
    except ValidationError as invalid:
        fields = ", ".join(".".join(map(str, error["loc"])) for error in invalid.errors(include_input=False))
        raise Reject("unreadable", f"{what}: cannot be used: {fields}") from None
    except (TypeError, ValueError, AttributeError, ArithmeticError, LookupError) as cause:
        raise Reject("unreadable", f"{what}: {type(cause).__name__}; its shape is not the documented one") from None


def ref(platform: str, account: str, *parts: object) -> str:
    """A platform-scoped reference, e.g. "bigcommerce:abc123:4711"."""
    return ":".join([platform, account, *map(str, parts)])


def normal_email(text: str | None) -> str | None:
    """The address in the spelling that names a guest, or None when it cannot be an address."""
    normal = unicodedata.normalize("NFKC", text or "").strip().casefold()
    return normal if _EMAIL.fullmatch(normal) else None


def e164(text: str | None, country: str | None) -> str | None:
    """The number in E.164, or None: a national number without a country is not guessed."""
    if not text or not text.strip():
        return None
    try:
        number = phonenumbers.parse(text, (country or "").upper() or None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def money(value: object) -> Decimal:
    """An amount given as text or JSON number, with four places. Absent and empty count as nothing."""
    return Decimal(str(value)).quantize(_CENT) if value not in (None, "") else Decimal(0)


def text(value: object) -> str | None:
    """Trimmed text, or None when there is none."""
    return str(value).strip() or None if value is not None else None


def locale(value: object) -> str | None:
    """A BCP 47 tag from the spellings in use ("de_AT"), or None."""
    tag = (text(value) or "").replace("_", "-")
    return tag if _LOCALE.fullmatch(tag) else None


def full_name(first: object, last: object) -> str | None:
    """First and last name in one text, or None when both are missing."""
    return " ".join(part for part in (text(first), text(last)) if part) or None


def moment(value: object) -> datetime:
    """A point in time given as RFC 2822 or ISO 8601 text; without a zone it is UTC. Raises ValueError."""
    written = text(value)
    if not written:
        raise ValueError("empty date")
    try:
        parsed = datetime.fromisoformat(written)
    except ValueError:
        parsed = parsedate_to_datetime(written)
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
