"""Texts of a communication type, per locale, rendered without surprises: an undefined name is an error, found when
the policy is loaded. The locale falls back exact -> without region -> without script -> brand default, and every
step is told.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import SandboxedEnvironment
from pydantic import BaseModel, ConfigDict, Field

from schemas.models import Channel
from streams.errors import Misconfigured

ALL = ("subject", "text", "sms")
TEXTS: Mapping[Channel, tuple[str, ...]] = {Channel.EMAIL: ("subject", "text"), Channel.SMS: ("sms",)}
"""Which texts each channel needs."""

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_COMMA_LANGUAGES = frozenset({"cs", "da", "de", "es", "fi", "fr", "it", "nl", "no", "pl", "pt", "ru", "sv", "tr"})


class Texts(BaseModel):
    """The texts of one locale as they stand in template/<locale>.yaml; Jinja over the driver data."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject: str | None = Field(default=None, description="Subject line of the mail.")
    text: str | None = Field(default=None, description="Plain-text body of the mail.")
    sms: str | None = Field(default=None, description="Text of the SMS.")


@dataclass(frozen=True, slots=True)
class Rendered:
    """Texts for one recipient."""

    locale: str
    subject: str | None
    text: str | None
    sms: str | None


@dataclass(frozen=True, slots=True)
class Compiled:
    """The texts of one type in all its locales."""

    locales: Mapping[str, Mapping[str, Template]]

    def render(self, locale: str, data: Mapping[str, Any], names: Collection[str] = ALL) -> Rendered:
        """The texts of these `names` in one of the `locales`. Raises Misconfigured when the data lacks something."""
        templates = self.locales[locale]
        try:
            done = {name: _one_line(name, templates[name].render(data)) for name in names if name in templates}
        except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
            raise Misconfigured("template", f"locale {locale}: {error}") from None
        return Rendered(locale, done.get("subject"), done.get("text"), done.get("sms"))


def compiled(locales: Mapping[str, Texts]) -> Compiled:
    """Compile the texts of a type. Raises Misconfigured with the place of a mistake."""
    return Compiled({locale: _templates(locale, texts) for locale, texts in locales.items()})


def choose(wanted: str | None, available: Mapping[str, object], default: str) -> tuple[str, tuple[str, ...]]:
    """The locale to use and the steps that led to it. `default` must be available."""
    steps = []
    for candidate in _chain(wanted):
        if candidate in available:
            steps.append(f"locale {candidate}")
            return candidate, tuple(steps)
        steps.append(f"no texts in locale {candidate}")
    steps.append(f"locale {default} (brand default)")
    return default, tuple(steps)


def money(amount: str, currency: str, locale: str) -> str:
    """An amount as people of a language write it; `amount` is a plain decimal number."""
    whole, dot, cents = amount.partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    comma = locale.partition("-")[0] in _COMMA_LANGUAGES
    groups = f"{int(digits):,}".replace(",", "." if comma else ",")
    number = f"{sign}{groups}{(',' if comma else '.') + cents if dot else ''}"
    return f"{number} {currency}" if comma else f"{currency} {number}"


def day(iso: str, locale: str) -> str:
    """A date as people of a language write it, or as it came where that is not known; `iso` is YYYY-MM-DD."""
    found = date.fromisoformat(iso)
    match locale.partition("-")[0]:
        case "de":
            return f"{found:%d.%m.%Y}"
        case "en":
            return f"{found.day} {_MONTHS[found.month - 1]} {found.year}"
        case _:
            return iso


def _chain(wanted: str | None) -> list[str]:
    parts = (wanted or "").replace("_", "-").split("-")
    if not parts[0]:
        return []
    language = parts[0].lower()
    script = next((part.title() for part in parts[1:] if len(part) == 4 and part.isalpha()), None)
    region = next((part.upper() for part in parts[1:] if len(part) in (2, 3)), None)
    exact = "-".join(part for part in (language, script, region) if part)
    without_region = "-".join(part for part in (language, script) if part)
    return list(dict.fromkeys([exact, without_region, language]))


def _templates(locale: str, texts: Texts) -> dict[str, Template]:
    # Plain text, never markup: escaping would show up as such.
    environment = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
    environment.filters["money"] = lambda amount, currency: money(amount, currency, locale)
    environment.filters["day"] = lambda iso: day(iso, locale)
    done = {}
    for name, source in texts:
        if source is None:
            continue
        try:
            done[name] = environment.from_string(source)
        except TemplateError as error:
            raise Misconfigured("template", f"locale {locale}, {name}: {error}") from None
    return done


def _one_line(name: str, text: str) -> str:
    # Whatever a product is called, it cannot add a header to a mail or a line to an SMS.
    return text.strip() if name == "text" else " ".join(text.split())
