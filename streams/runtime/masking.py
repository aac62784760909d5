"""Hides e-mail addresses and phone numbers in anything that is about to be written down.

Logs carry ids, never addresses. But libraries print what they were given and exceptions quote their input, so every
value passes through here. A number counts as a phone number where it cannot be one of our ids: with a plus sign,
grouped like a phone number, valid with its country code, or under a name that says so.
"""

import re
from collections.abc import Mapping

import phonenumbers

EMAIL = "[email]"
PHONE = "[phone]"
HIDDEN = "[hidden]"

_LOCAL = r"[\w.!#$%&*+/?^`{|}~-]{1,64}"
_EMAIL = re.compile(rf"{_LOCAL}(?:[=']{_LOCAL}){{0,3}}(?:@|%40)[\w-]+(?:\.[\w-]+)+")
_PLUS = re.compile(r"(?:\+|%2B)[ ]?\(?\d[\d ().\-/]{5,20}\d")
_GROUPED = re.compile(r"(?<![\w.:/-])(?:\(\d{2,5}\)[ ]?|0\d{1,4}[ /-]|\d{3}[ -])\d{3,4}[ -]?\d{3,6}(?![\w:/-])")
_DIGITS = re.compile(r"(?<![\w.:/-])\d{10,15}(?![\w:/-])")
_PERSONAL_NAME = re.compile(r"phone|mobile|msisdn|mail|address|recipient")
_ID_NAME = re.compile(r"(^|_)(id|ids|ref|number|key|offset|timestamp|ts|hash|at|ms)$")


def mask(value: object, name: str = "") -> object:
    """The same value with every address hidden; `name` is the field it stands under."""
    if isinstance(value, str):
        return HIDDEN if _PERSONAL_NAME.search(name) else _text(value, is_id=bool(_ID_NAME.search(name)))
    if isinstance(value, bytes):
        return _text(value.decode("utf-8", "replace"), is_id=False)
    if isinstance(value, Mapping):
        return {_text(str(key), is_id=False): mask(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [mask(item, name) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return _text(str(value), is_id=False)


def _text(text: str, *, is_id: bool) -> str:
    if "@" in text or "%40" in text:
        text = _EMAIL.sub(EMAIL, text)
    text = _PLUS.sub(PHONE, text)
    if is_id:
        return text
    return _DIGITS.sub(_bare, _GROUPED.sub(PHONE, text))


def _bare(match: re.Match[str]) -> str:
    try:
        number = phonenumbers.parse(f"+{match[0]}")
    except phonenumbers.NumberParseException:
        return match[0]
    return PHONE if phonenumbers.is_valid_number(number) else match[0]
