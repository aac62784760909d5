"""Addresses in one spelling, so that two platforms that know the same person agree on who it is.

An address that cannot be used is None here, never guessed: a number without its country is not a number.
"""

import re
import unicodedata
from functools import lru_cache

import phonenumbers

from schemas.models import Channel, Who
from streams.core.ids import digest

_EMAIL = re.compile(r"[^\s@]+@[^\s@.]+(\.[^\s@.]+)+")


def email(text: str | None) -> str | None:
    """The normalised e-mail address, or None when it cannot be one."""
    if not text:
        return None
    normal = unicodedata.normalize("NFKC", text).strip().casefold()
    return normal if _EMAIL.fullmatch(normal) else None


@lru_cache(maxsize=4096)
def phone(text: str | None) -> str | None:
    """The number in E.164, or None when it has no country or cannot be a number."""
    if not text or not text.strip().startswith("+"):
        return None
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def identity(who: Who) -> str:
    """What a subject is born from: the e-mail address, else the phone number, else the platform's own reference."""
    return email(who.email) or phone(who.phone) or who.customer_ref


def usable(channel: Channel, text: str | None) -> str | None:
    """The address as it can be handed over on `channel`, or None."""
    if channel is Channel.EMAIL:
        return email(text)
    return phone(text) if channel is Channel.SMS else None


def fingerprint(channel: Channel, text: str) -> str:
    """Names an address where the address itself must not be kept."""
    return digest("address", channel.value, text, length=16)
