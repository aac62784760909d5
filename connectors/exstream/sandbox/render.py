"""Renders a view as a real PDF, an HTML mail or a text. The same view gives the same bytes, today and tomorrow."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from connectors.exstream.sandbox.view import Section, Table, View

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_ENCODING = "cp1252"
_MAX_COLUMNS = 6
_CHARACTERS = 80  # of 8 points that surely fit on a line


def pdf(view: View) -> bytes:
    """An A4 document in a core font; characters outside Windows-1252 become question marks."""
    page = FPDF(format="A4")
    page.core_fonts_encoding = _ENCODING
    page.set_creation_date(_EPOCH)
    page.set_producer("Exstream sandbox")
    # Uncompressed, so that the bytes do not depend on the zlib at hand.
    page.set_compression(False)
    page.set_title(_plain(view.title))
    page.add_page()
    _line(page, view.sender, 10)
    _line(page, " ".join(filter(None, (view.title, view.number))), 18, "B")
    for section in view.sections:
        _pdf_section(page, section)
    return bytes(page.output())


def _pdf_section(page: FPDF, section: Section) -> None:
    page.ln(3)
    if section.title:
        _line(page, section.title, 12, "B")
    for label, text in section.facts:
        _line(page, f"{label}: {text}", 10, "B" if label == "Total" else "")
    for table in section.tables:
        _pdf_table(page, table)


def _pdf_table(page: FPDF, table: Table) -> None:
    page.set_font("Helvetica", size=8)
    rows = [[_plain(cell) for cell in cells[:_MAX_COLUMNS]] for cells in (table.columns, *table.rows)]
    widths = [max(len(cell) for cell in column) + 2 for column in zip(*rows, strict=True)]
    if sum(widths) <= _CHARACTERS:
        _narrow(page, rows, [width * page.epw / sum(widths) for width in widths])
    else:
        _wide(page, rows)


def _narrow(page: FPDF, rows: Sequence[Sequence[str]], widths: Sequence[float]) -> None:
    """Lines that fit, without the slow search for line breaks."""
    for cells in rows:
        for cell, width in zip(cells, widths, strict=True):
            page.cell(width, 5, cell)
        page.ln(5)


def _wide(page: FPDF, rows: Sequence[Sequence[str]]) -> None:
    with page.table(first_row_as_headings=True, line_height=5) as grid:
        for cells in rows:
            grid.row(cells)


def _line(page: FPDF, text: str, size: int, style: str = "") -> None:
    if text:
        page.set_font("Helvetica", style="B" if style == "B" else "", size=size)
        draw = page.cell if len(text) * size <= _CHARACTERS * 8 and "\n" not in text else page.multi_cell
        draw(0, size * 0.55, _plain(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _plain(text: str) -> str:
    return text.encode(_ENCODING, "replace").decode(_ENCODING)


def html(view: View) -> bytes:
    """A mail body: one column of at most 600 pixels, inline styles, everything from the data escaped."""
    heading = escape(" ".join(filter(None, (view.title, view.number))))
    parts = [_html_section(section) for section in view.sections]
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(view.locale)}"><head><meta charset="utf-8"/>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
        f"<title>{heading}</title></head>\n"
        '<body style="margin:0;padding:24px;background:#f4f4f2;font-family:Helvetica,Arial,sans-serif;color:#222">'
        '<div style="max-width:600px;margin:0 auto;padding:24px;background:#fff;border-radius:8px">'
        f'<p style="margin:0;color:#666">{escape(view.sender)}</p><h1 style="font-size:22px">{heading}</h1>\n'
        + "\n".join(parts)
        + "</div></body></html>\n"
    ).encode()


def _html_section(section: Section) -> str:
    title = f'<h2 style="font-size:16px">{escape(section.title)}</h2>' if section.title else ""
    facts = "".join(f"<p><strong>{escape(label)}:</strong> {_linked(text)}</p>" for label, text in section.facts)
    return title + facts + "".join(map(_html_table, section.tables))


def _html_table(table: Table) -> str:
    def row(cells: Sequence[str], tag: str) -> str:
        style = ' style="padding:6px;text-align:left;border-bottom:1px solid #ddd"'
        return "<tr>" + "".join(f"<{tag}{style}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    rows = row(table.columns, "th") + "".join(row(cells, "td") for cells in table.rows)
    return f'<table style="width:100%;border-collapse:collapse;font-size:14px">{rows}</table>'


def _linked(text: str) -> str:
    safe = escape(text)
    return f'<a href="{safe}">{safe}</a>' if text.startswith(("https://", "http://")) else safe


def text(view: View) -> bytes:
    """The first facts in a line, as an SMS queue would send them."""
    facts = [f"{label}: {value}" for section in view.sections for label, value in section.facts]
    return f"{view.sender} {view.title} {view.number} {'; '.join(facts)}".strip()[:300].encode()


RENDERERS: Mapping[str, Callable[[View], bytes]] = {"application/pdf": pdf, "text/html": html, "text/plain": text}
