"""The same documents always make the same message."""

import pytest

from schemas.models import DeliveryState
from streams.core.compose import failures, hand_overs
from streams.core.ledger import body_hash
from streams.errors import Reject
from tests.core.given import at, composition, document

HTML = document("text/html; charset=utf-8", "<p>Grüße</p>".encode(), queue="WEB", name="mail")
PDF = document("application/pdf", b"%PDF-1", queue="PDF")


def test_html_is_the_body_and_the_pdf_is_attached() -> None:
    """A mail shows the HTML and carries the PDF under a name that opens."""
    (made,) = hand_overs(composition(), [PDF, HTML])
    assert made.html == "<p>Grüße</p>"
    assert [(item.name, item.mime_type, item.content) for item in made.attachments] == [
        ("confirmation.pdf", "application/pdf", b"%PDF-1")
    ]


def test_the_order_of_outputs_does_not_matter() -> None:
    """Outputs in another order make the same body, so a repeat is the same message."""
    terms = document("application/pdf", b"%PDF-2", queue="TERMS")
    (one,), (other,) = hand_overs(composition(), [PDF, HTML, terms]), hand_overs(composition(), [terms, HTML, PDF])
    assert body_hash(one) == body_hash(other)


def test_what_was_planned_is_what_is_requested() -> None:
    """Delivery, address, texts and expiry are those that were decided."""
    asked = composition()
    (made,) = hand_overs(asked, [PDF])
    planned = asked.deliveries[0]
    assert (made.delivery_id, made.address, made.rung) == (planned.delivery_id, planned.address, planned.rung)
    assert (made.subject_line, made.text, made.requested_at) == (asked.subject_line, asked.text, asked.requested_at)


def test_nothing_composed_is_an_error() -> None:
    """A composition without output does not become an empty mail."""
    with pytest.raises(Reject) as refused:
        hand_overs(composition(), [])
    assert refused.value.code == "no_documents"


def test_a_body_that_is_not_text_is_an_error() -> None:
    """Broken HTML is rejected rather than sent with holes."""
    with pytest.raises(Reject) as refused:
        hand_overs(composition(), [document("text/html", b"\xff\xfe")])
    assert refused.value.code == "bad_html"


def test_somebody_elses_document_is_an_error() -> None:
    """A document composed for another request is never sent along."""
    with pytest.raises(Reject) as refused:
        hand_overs(composition(), [PDF.model_copy(update={"document_id": "0" * 32})])
    assert refused.value.code == "foreign_document"


def test_a_failed_composition_fails_each_delivery() -> None:
    """When nothing can be composed every planned delivery is told to have failed, so that a ladder moves on."""
    (told,) = failures(composition(), "bad_driver", at(5))
    assert (told.state, told.reason, told.delivery_id) == (
        DeliveryState.FAILED,
        "bad_driver",
        composition().deliveries[0].delivery_id,
    )
