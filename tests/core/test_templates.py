"""Texts speak the recipient's language as far as it is known, and never have holes."""

import pytest

from streams.core.templates import Texts, choose, compiled, day, money
from streams.errors import Misconfigured

AVAILABLE = {"en": 1, "de": 1, "de-AT": 1, "zh-Hant": 1}


@pytest.mark.parametrize(
    ("wanted", "chosen", "steps"),
    [
        ("de-AT", "de-AT", 1),
        ("de_at", "de-AT", 1),
        ("de-CH", "de", 2),
        ("zh-Hant-TW", "zh-Hant", 2),
        ("fr", "en", 2),
        ("fr-CA", "en", 3),
        (None, "en", 1),
        ("", "en", 1),
        ("-", "en", 1),
    ],
)
def test_the_locale_falls_back_step_by_step(wanted: str | None, chosen: str, steps: int) -> None:
    """Exact, then without region, then without script, then the brand's own; every step is told."""
    locale, told = choose(wanted, AVAILABLE, "en")
    assert locale == chosen
    assert len(told) == steps
    assert chosen in told[-1]


@pytest.mark.parametrize(
    ("amount", "locale", "text"),
    [
        ("1253.90", "en", "EUR 1,253.90"),
        ("1253.90", "de-AT", "1.253,90 EUR"),
        ("-0.50", "en", "EUR -0.50"),
        ("1000000", "de", "1.000.000 EUR"),
    ],
)
def test_amounts_are_written_as_people_write_them(amount: str, locale: str, text: str) -> None:
    """Separators and the place of the currency follow the language, digits are never changed."""
    assert money(amount, "EUR", locale) == text


@pytest.mark.parametrize(
    ("iso", "locale", "text"),
    [
        ("2026-11-20", "de", "20.11.2026"),
        ("2026-03-02", "de-AT", "02.03.2026"),
        ("2026-03-02", "en", "2 March 2026"),
        ("2026-11-20", "en-GB", "20 November 2026"),
        ("2026-11-20", "fr", "2026-11-20"),
    ],
)
def test_dates_are_written_as_people_write_them(iso: str, locale: str, text: str) -> None:
    """A date reads as the language writes it; in a language not known here it stays unambiguous."""
    assert day(iso, locale) == text


def test_a_text_shows_dates_in_its_own_language() -> None:
    """The same data is a German date in a German text and an English one in an English text."""
    texts = compiled({locale: Texts(text="{{ placed | day }}") for locale in ("de", "en")})
    data = {"placed": "2026-11-20"}
    assert [texts.render(locale, data).text for locale in ("de", "en")] == ["20.11.2026", "20 November 2026"]


def test_what_is_no_date_is_an_error() -> None:
    """A text never shows something else where it promises a date."""
    with pytest.raises(Misconfigured):
        compiled({"en": Texts(text="{{ placed | day }}")}).render("en", {"placed": "soon"})


def test_a_name_that_is_not_there_is_an_error() -> None:
    """A text with a hole is never rendered."""
    texts = compiled({"en": Texts(subject="{{ order.number }}")})
    with pytest.raises(Misconfigured):
        texts.render("en", {"order": {}})


def test_nothing_a_product_is_called_adds_a_line() -> None:
    """Line breaks in data end up neither in a subject line nor in an SMS."""
    texts = compiled({"en": Texts(subject="{{ name }}", sms="{{ name }}", text="{{ name }}\n")})
    done = texts.render("en", {"name": "Lamp\r\nBcc: x@example.test"})
    assert (done.subject, done.sms) == ("Lamp Bcc: x@example.test",) * 2
    assert done.text == "Lamp\r\nBcc: x@example.test"


def test_only_what_is_asked_for_is_rendered() -> None:
    """A channel that does not use a text does not fail on it."""
    texts = compiled({"en": Texts(subject="{{ missing }}", sms="ok")})
    assert texts.render("en", {}, ("sms",)).sms == "ok"


def test_data_is_data() -> None:
    """Markup and template code in data are shown as they are, never carried out."""
    texts = compiled({"en": Texts(text="{{ name }}")})
    assert texts.render("en", {"name": "<b>{{ 7 * 7 }}</b>"}).text == "<b>{{ 7 * 7 }}</b>"
