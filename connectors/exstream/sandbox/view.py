"""Reads any driver document into headings, facts and tables, so that every communication type renders undesigned."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|_+")
_NUMBER_NAMES = ("number", "order_number", "orderNumber")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows as wide as the columns."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Section:
    """One object of the driver document."""

    title: str
    facts: Sequence[tuple[str, str]] = ()
    tables: Sequence[Table] = ()


@dataclass(frozen=True, slots=True)
class View:
    """What a page shows. `number` is the order number, or empty."""

    title: str
    sender: str
    locale: str
    number: str = ""
    sections: Sequence[Section] = field(default_factory=tuple)


def view(driver: Mapping[str, Any]) -> View:
    """The view of a driver document; `hub` names the communication and is not shown."""
    hub = driver.get("hub")
    hub = hub if isinstance(hub, dict) else {}
    shown = {key: value for key, value in driver.items() if key != "hub"}
    return View(
        title=_words(str(hub.get("type") or "document")),
        sender=str(hub.get("brand") or ""),
        locale=str(hub.get("locale") or "en"),
        number=order_number(driver),
        sections=_sections("", shown),
    )


def order_number(driver: Mapping[str, Any]) -> str:
    """The order number, wherever the driver document keeps it."""
    order = driver.get("order")
    for holder in (order if isinstance(order, dict) else {}, driver):
        for name in _NUMBER_NAMES:
            if isinstance(holder.get(name), str | int):
                return str(holder[name])
    return ""


def _sections(title: str, content: Mapping[str, Any]) -> Sequence[Section]:
    facts: list[tuple[str, str]] = []
    tables: list[Table] = []
    nested: list[Section] = []
    for key, value in content.items():
        if isinstance(value, dict):
            nested += _sections(_words(key), value)
        elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
            tables.append(_table([item for item in value if isinstance(item, dict)]))
        elif isinstance(value, list):
            facts.append((_words(key), ", ".join(map(_text, value))))
        else:
            facts.append((_words(key), _text(value)))
    own = [Section(title, [(label, text) for label, text in facts if text], tables)] if facts or tables else []
    return [*own, *nested]


def _table(items: Sequence[Mapping[str, Any]]) -> Table:
    flat = (key for item in items for key, value in item.items() if not isinstance(value, dict | list))
    keys = list(dict.fromkeys(flat))
    return Table([_words(key) for key in keys], [[_text(item.get(key)) for key in keys] for item in items])


def _words(name: str) -> str:
    words = " ".join(part for part in _WORDS.split(name) if part)
    return words[:1].upper() + words[1:].lower()


def _text(value: Any) -> str:
    if value is None:
        return ""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
