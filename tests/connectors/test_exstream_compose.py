"""Exstream over the sandbox as the wire: documents that can be read back, and failures that tell what to do next."""

import hashlib
from collections.abc import Callable
from html.parser import HTMLParser
from io import BytesIO
from typing import Any

import httpx
import orjson
import pytest
from pydantic import SecretStr
from pypdf import PdfReader
from starlette.applications import Starlette

from connectors.exstream import CONNECTOR
from connectors.exstream.compose import Client
from connectors.exstream.sandbox import Config, app
from connectors.exstream.sandbox.state import DRAFT, GENERIC, INTERACTIVE, PDF_ONLY, THREE_QUEUES
from connectors.exstream.settings import ANY, Template
from connectors.exstream.testing import ORDER, request, settings
from connectors.http import Wire
from schemas.models import Document
from streams.errors import Misconfigured, Reject, Retry

URL = "http://exstream.example.test"


class Network(httpx.AsyncBaseTransport):
    """Serves an ASGI app, and shows a connection it broke as a network would."""

    def __init__(self, served: Starlette) -> None:
        self._asgi = httpx.ASGITransport(served)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The app's answer."""
        try:
            return await self._asgi.handle_async_request(request)
        except ConnectionResetError as reset:
            raise httpx.ReadError("reset", request=request) from reset


class Place:
    """A sandbox and a client of it."""

    def __init__(self, config: Config | None = None, **changes: Any) -> None:
        self.app = app(config)
        self.client: Client = CONNECTOR.open(settings(URL, **changes), Wire(transport=Network(self.app)))
        self._http = httpx.AsyncClient(transport=Network(self.app), base_url=URL)

    async def fail(self, **fault: Any) -> None:
        """Arms a fault switch."""
        assert (await self._http.post("/_sandbox/faults", json=fault)).status_code == 200

    async def journal(self) -> Any:
        """What the sandbox saw."""
        return (await self._http.get("/_sandbox/journal")).json()

    async def post(self, headers: dict[str, str], body: Any = ORDER, domain: str = "retail") -> httpx.Response:
        """A raw generate call."""
        path = f"/orchestration/api/v1/inputs/ondemand/{domain}/generate"
        return await self._http.post(path, content=orjson.dumps(body), headers=headers)

    def token(self) -> str:
        """A token the sandbox takes."""
        return str(self.app.state.sandbox.issue())


class Page(HTMLParser):
    """What a mail program sees; `open` holds the elements that were never closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.links: list[str | None] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes an element that opens."""
        self.tags.append(tag)
        self.open.append(tag)
        self.links += [value for name, value in attrs if name == "href"]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes an empty element."""
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Closes the innermost element, which must be this one."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Collects text."""
        self.text += data


def pages(document: Document) -> str:
    """The text of a PDF."""
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(document.content)).pages)


async def test_the_pdf_shows_order_number_lines_and_total() -> None:
    """What was ordered can be read in the document that was composed."""
    pdf, html = await Place().client.compose(request())
    assert (pdf.mime_type, html.mime_type) == ("application/pdf", "text/html")
    for words in ("SO-1001", "Blue mug", "MUG-1", "Green tea", "40.00", "Total: 59.90"):
        assert words in pages(pdf)
        assert words.removeprefix("Total: ") in html.content.decode()


async def test_documents_belong_to_their_request() -> None:
    """Every document names its request, is named after its kind of file and proves its bytes by a hash."""
    for document in await Place().client.compose(request()):
        asked = request()
        assert (document.document_id, document.communication_id) == (asked.document_id, asked.communication_id)
        assert (document.subject, document.about, document.template) == (asked.subject, asked.about, asked.template)
        assert document.sha256 == hashlib.sha256(document.content).hexdigest()
        assert document.name == f"Order_confirmation_SO-1001.{document.mime_type.rpartition('/')[2]}"


async def test_the_same_request_gives_the_same_bytes() -> None:
    """A composition repeated after a crash yields the very same documents, also from another process."""
    first, second = await Place().client.compose(request()), await Place().client.compose(request())
    assert [document.content for document in first] == [document.content for document in second]


async def test_every_output_queue_becomes_a_document() -> None:
    """Nobody assumes that one call gives one file."""
    place = Place(templates={ANY: Template(communication_id=THREE_QUEUES)})
    documents = await place.client.compose(request())
    assert [document.queue for document in documents] == ["PDF_OUT", "EMAIL_OUT", "SMS_OUT"]
    assert len({document.name for document in documents}) == 3


async def test_accept_narrows_the_answer_to_one_raw_file() -> None:
    """A template that asks for PDF only gets the PDF as it is."""
    template = Template(communication_id=GENERIC, accept="application/pdf")
    documents = await Place(templates={ANY: template}).client.compose(request())
    assert [document.name for document in documents] == ["order_confirmation_SO-1001.pdf"]
    assert "SO-1001" in pages(documents[0])


@pytest.mark.parametrize("name", ["order_confirmation@1", "order_confirmation", ANY])
async def test_a_template_is_found_by_name_then_type_then_any(name: str) -> None:
    """The most specific entry decides which communication composes."""
    place = Place(templates={ANY: Template(communication_id=DRAFT), name: Template(communication_id=PDF_ONLY)})
    assert [document.mime_type for document in await place.client.compose(request())] == ["application/pdf"]


async def test_names_from_the_data_cannot_become_markup() -> None:
    """A customer's name that looks like a script is text in the mail, and the mail stays well-formed."""
    data = {
        "order": {"number": "1"},
        "customer": {"name": "<script>alert('x')</script> & Söhne"},
        "url": "https://a.test/?b&c",
    }
    _, html = await Place().client.compose(request(data))
    page = Page(html.content.decode())
    assert "script" not in page.tags
    assert "<script>alert('x')</script> & Söhne" in page.text
    assert page.links == ["https://a.test/?b&c"]
    assert page.open == []


async def test_every_language_gets_a_pdf() -> None:
    """Text a core font cannot show never stops a composition."""
    pdf, html = await Place().client.compose(request({"customer": {"name": "Ада 日本 ‎€"}}))
    assert "€" in pages(pdf)
    assert "Ада 日本" in html.content.decode()


async def test_an_expired_token_is_renewed_without_anybody_noticing() -> None:
    """A token that ended early is replaced once and the composition goes on."""
    now = [0.0]
    place = Place(Config(clock=lambda: now[0]))
    await place.client.compose(request())
    now[0] += 3600
    assert len(await place.client.compose(request())) == 2
    assert (await place.journal())["requests"]["tokens"] == 2


async def test_a_wrong_secret_stops_the_sink() -> None:
    """Wrong credentials are a person's to correct; no record is given up for them."""
    with pytest.raises(Misconfigured) as stopped:
        await Place(client_secret=SecretStr("wrong-one")).client.compose(request())
    assert stopped.value.code in ("unauthorized", "token_refused")
    assert "wrong-one" not in str(stopped.value)


@pytest.mark.parametrize(
    ("communication", "domain", "code"),
    [
        (DRAFT, "retail", "bad_driver"),
        (INTERACTIVE, "retail", "empower_user"),
        ("6f1c2a34-0000-4000-8000-00000000dead", "retail", "config_not_found"),
        (GENERIC, "wholesale", "config_not_found"),
    ],
)
async def test_a_template_that_cannot_compose_costs_its_own_records_only(
    communication: str, domain: str, code: str
) -> None:
    """A mistake in one template rejects the record with a reason and lets the others pass."""
    place = Place(templates={ANY: Template(communication_id=communication)}, domain=domain)
    with pytest.raises(Reject) as refused:
        await place.client.compose(request())
    assert refused.value.code == code


async def test_an_unknown_template_says_where_to_add_it() -> None:
    """A type nobody mapped is rejected with the name of the setting."""
    with pytest.raises(Reject, match="TIDINGS_EXSTREAM_TEMPLATES") as refused:
        await Place(templates={}).client.compose(request())
    assert refused.value.code == "config_template"


async def test_a_raw_file_nobody_offers_is_a_template_mistake() -> None:
    """Asking for a kind of file the communication has no queue for is told as such."""
    template = Template(communication_id=GENERIC, accept="application/postscript")
    with pytest.raises(Reject) as refused:
        await Place(templates={ANY: template}).client.compose(request())
    assert refused.value.code == "config_no_output"


async def test_too_much_output_is_rejected_before_it_reaches_kafka() -> None:
    """A document no topic can carry is a dead letter, not a crash."""
    with pytest.raises(Reject) as refused:
        await Place(max_output_bytes=100).client.compose(request())
    assert refused.value.code == "too_large"


@pytest.mark.parametrize("fault", [{"kind": "cut"}, {"kind": "after", "status": 503}, {"kind": "slow", "seconds": 0}])
async def test_a_composition_whose_answer_was_lost_is_composed_again(fault: dict[str, Any]) -> None:
    """Rendering twice does no harm: the request ends with its documents all the same."""
    place = Place()
    await place.fail(path="/generate", **fault)
    assert len(await place.client.compose(request())) == 2
    generated = (await place.journal())["generated"]
    assert {entry["correlationId"] for entry in generated} == {request().document_id}
    assert {entry["orderNumber"] for entry in generated} == {"SO-1001"}


@pytest.mark.parametrize(
    ("fault", "code", "after"),
    [
        ({"status": 500}, "server_error", None),
        ({"status": 429, "retry_after": 7}, "throttled", 7.0),
        ({"status": 503, "times": 9}, "server_error", None),
        ({"kind": "html", "status": 200}, "unreadable_answer", None),
        ({"kind": "html", "status": 500}, "server_error", None),
    ],
)
async def test_an_exstream_that_cannot_now_is_asked_again_later(
    fault: dict[str, Any], code: str, after: float | None
) -> None:
    """A passing trouble is retried after the time the other side wishes, and its stack trace stays outside."""
    place = Place()
    await place.fail(path="/generate", **fault)
    with pytest.raises(Retry) as later:
        await place.client.compose(request())
    assert (later.value.code, later.value.after) == (code, after)
    assert "java" not in str(later.value)


async def test_one_refused_token_is_no_outage() -> None:
    """A single 401 renews the token and the composition goes on."""
    place = Place()
    await place.fail(path="/generate", status=401)
    assert len(await place.client.compose(request())) == 2


async def test_a_lost_network_is_told_as_such() -> None:
    """When nothing can be reached, nothing was done."""

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    client: Client = CONNECTOR.open(settings(URL), Wire(transport=httpx.MockTransport(refuse)))
    with pytest.raises(Retry) as later:
        await client.compose(request())
    assert later.value.code == "unreachable"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda headers: headers | {"authorization": "Bearer nobody"}, 401),
        (lambda headers: {name: value for name, value in headers.items() if name != "communicationId"}, 400),
        (lambda headers: {name: value for name, value in headers.items() if name != "driverDataSource"}, 400),
        (lambda headers: headers | {"driverDataSource": "Other"}, 400),
        (lambda headers: headers | {"content-type": "text/csv"}, 415),
        (lambda headers: headers | {"accept": "image/png"}, 406),
        (lambda headers: headers | {"communicationId": "unknown"}, 404),
        (lambda headers: headers, 200),
    ],
)
async def test_the_sandbox_is_as_strict_as_the_contract(
    change: Callable[[dict[str, str]], dict[str, str]], status: int
) -> None:
    """A call the real service would refuse is refused by the stand-in, so that tests are not fooled."""
    place = Place()
    headers = {
        "authorization": f"Bearer {place.token()}",
        "communicationId": GENERIC,
        "driverDataSource": "Driver",
        "content-type": "application/json",
    }
    assert (await place.post(change(headers))).status_code == status


async def test_a_mistyped_fault_switch_is_refused() -> None:
    """A test that asks for a fault that does not exist is told, and does not pass for nothing."""
    served = httpx.AsyncClient(transport=Network(app()), base_url=URL)
    assert (await served.post("/_sandbox/faults", json={"kind": "explode"})).status_code == 400
    assert (await served.delete("/_sandbox/faults")).json() == {"armed": []}


async def test_driver_data_that_fits_no_sample_is_rejected() -> None:
    """An empty driver document is refused by Exstream inside a 200 and rejected here."""
    with pytest.raises(Reject) as refused:
        await Place().client.compose(request({}))
    assert refused.value.code == "composition_failed"
