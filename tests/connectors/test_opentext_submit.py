"""Handing over to the messaging service, with the sandbox as the wire: once per delivery, and never a guess."""

import base64
import hashlib
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from pydantic import SecretStr, ValidationError
from pypdf import PdfReader
from starlette.applications import Starlette

from connectors import opentext_notifications
from connectors.contract import SinkPromise
from connectors.http import Wire
from connectors.opentext_notifications import CONNECTOR, bodies
from connectors.opentext_notifications.notify import Client
from connectors.opentext_notifications.sandbox import Config, Knobs, app
from connectors.opentext_notifications.settings import Settings
from connectors.opentext_notifications.testing import email, settings, text_message
from schemas.models import Attachment, Channel, NotificationRequest
from streams.errors import Ambiguous, Failure, Misconfigured, Reject, Retry

URL = "http://messaging.example.test"
FIXTURES = Path(opentext_notifications.__file__).parent / "fixtures"


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
        self.http = httpx.AsyncClient(transport=Network(self.app), base_url=URL)

    async def fail(self, **fault: Any) -> None:
        """Arms a fault switch."""
        assert (await self.http.post("/_sandbox/faults", json=fault)).status_code == 200

    async def journal(self) -> Any:
        """What the sandbox saw."""
        return (await self.http.get("/_sandbox/journal")).json()

    async def message(self, job_id: str) -> Any:
        """A message as its recipient has it."""
        return (await self.http.get(f"/_sandbox/messages/{job_id}")).json()


def pdf() -> Attachment:
    """A small real PDF."""
    from connectors.exstream.sandbox.render import pdf as render
    from connectors.exstream.sandbox.view import view

    content = render(view({"order": {"number": "SO-1001", "total": "59.90"}, "hub": {"type": "order_confirmation"}}))
    digest = hashlib.sha256(content).hexdigest()
    return Attachment(name="order_SO-1001.pdf", mime_type="application/pdf", content=content, sha256=digest)


async def test_an_email_arrives_whole_and_traceable() -> None:
    """The recipient gets subject line, both bodies and the very PDF; the journal ties it to delivery and order."""
    place, file = Place(), pdf()
    request = email(attachments=[file])
    accepted = await place.client.submit(request)
    (entry,) = (await place.journal())["accepted"]
    assert entry["job_id"] == accepted.provider_id
    assert entry["message_id"] == request.delivery_id
    assert entry["ref"] == f"{request.subject}.{request.delivery_id}"
    assert (entry["billing_code"], entry["customer_reference"]) == ("order_confirmation", "SO-1001")
    assert entry["to_hash"] == hashlib.sha256(b"ada@example.test").hexdigest()
    assert entry["attachments"] == [{"name": file.name, "sha256": file.sha256, "size": len(file.content)}]
    message = await place.message(accepted.provider_id)
    assert (message["subject_line"], message["html"], message["text"]) == (
        request.subject_line,
        request.html,
        request.text,
    )
    attached = base64.b64decode(message["attachments"][0]["data"])
    assert "SO-1001" in PdfReader(BytesIO(attached)).pages[0].extract_text()


async def test_an_sms_goes_to_the_number_with_its_text() -> None:
    """An SMS carries the text unchanged to the number the account understands."""
    place = Place()
    accepted = await place.client.submit(text_message(text="Ihre Bestellung ist unterwegs – danke!"))
    message = await place.message(accepted.provider_id)
    assert (message["address"], message["text"]) == ("15550100001", "Ihre Bestellung ist unterwegs – danke!")


@pytest.mark.parametrize(
    ("style", "sent"), [("digits", "15550100001"), ("e164_plus", "+15550100001"), ("double_zero", "0015550100001")]
)
async def test_the_number_is_spelled_as_the_account_wants(style: str, sent: str) -> None:
    """Each of the three spellings in use can be chosen and is accepted."""
    place = Place(sms_number_style=style)
    accepted = await place.client.submit(text_message())
    assert (await place.message(accepted.provider_id))["address"] == sent


async def test_attachments_can_go_beside_the_body() -> None:
    """An account that wants attachments under their own key gets them there."""
    place, file = Place(attachment_mode="attachments"), pdf()
    accepted = await place.client.submit(email(attachments=[file]))
    assert [item["sha256"] for item in (await place.message(accepted.provider_id))["attachments"]] == [file.sha256]


async def test_the_same_delivery_twice_is_one_message() -> None:
    """A repeat with the same delivery id is answered with the first job."""
    place = Place()
    first, second = await place.client.submit(email()), await place.client.submit(email())
    journal = await place.journal()
    assert first == second
    assert (len(journal["accepted"]), journal["submissions"], journal["deduplicated"]) == (1, 2, 1)


async def test_without_deduplication_the_client_promises_no_key() -> None:
    """An account that does not recognise repeats is told to the ledger, and the stand-in then really doubles."""
    place = Place(Config(knobs=Knobs(deduplicates=False)), deduplicates=False)
    assert place.client.promise == SinkPromise("none", "by_provider_id")
    assert Place().client.promise == SinkPromise("key", "by_provider_id")
    assert await place.client.submit(email()) != await place.client.submit(email())


@pytest.mark.parametrize("fault", [{"kind": "after", "status": 500}, {"kind": "cut"}, {"kind": "after", "status": 502}])
async def test_an_answer_lost_after_acceptance_is_ambiguous_and_a_repeat_finds_the_job(fault: dict[str, Any]) -> None:
    """The duplicate trap: accepted but answered with trouble ends as one message once the key is replayed."""
    place = Place()
    await place.fail(path="/outbound/", **fault)
    with pytest.raises(Ambiguous):
        await place.client.submit(email())
    accepted = await place.client.submit(email())
    assert [entry["job_id"] for entry in (await place.journal())["accepted"]] == [accepted.provider_id]


@pytest.mark.parametrize(
    ("status", "body", "family", "code"),
    [
        (400, {"code": "BAD_SUBJECT", "message": "for ada@example.test"}, Reject, "refused"),
        (422, {"code": "call ada@example.test"}, Reject, "refused"),
        (413, None, Reject, "too_large"),
        (404, None, Misconfigured, "not_found"),
        (401, None, Misconfigured, "unauthorized"),
        (403, None, Misconfigured, "forbidden"),
        (429, None, Retry, "throttled"),
        (500, None, Ambiguous, "server_error"),
        (503, None, Ambiguous, "server_error"),
        (200, {"result": "ok"}, Ambiguous, "no_job_id"),
        (200, "fine", Ambiguous, "no_job_id"),
        (409, {"message": "duplicate"}, Ambiguous, "no_job_id"),
    ],
)
async def test_every_answer_says_what_to_do_next(status: int, body: Any, family: type[Failure], code: str) -> None:
    """Refused for good, wait, stop or unknown: the answer decides, and no address gets into the failure."""
    place = Place()
    await place.fail(path="/outbound/", status=status, body=body, retry_after=4, times=5)
    with pytest.raises(family) as failed:
        await place.client.submit(email())
    assert failed.value.code == code
    assert "ada" not in str(failed.value)
    assert not isinstance(failed.value, Retry) or failed.value.after == 4


async def test_a_duplicate_answered_with_its_job_counts_as_accepted() -> None:
    """A 409 that names the job is as good as the first answer."""
    place = Place()
    await place.fail(path="/outbound/", status=409, body={"job_id": "xsi-7", "message": "duplicate"})
    assert (await place.client.submit(email())).provider_id == "xsi-7"


async def test_a_connection_that_never_was_is_safe_to_retry() -> None:
    """Nothing was sent, so nothing can be doubled."""

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    client: Client = CONNECTOR.open(settings(URL), Wire(transport=httpx.MockTransport(refuse)))
    with pytest.raises(Retry) as later:
        await client.submit(text_message())
    assert later.value.code == "unreachable"


async def test_a_bearer_token_is_renewed_once_and_nothing_is_doubled() -> None:
    """With OAuth, an ended token costs no message and makes no second one."""
    place = Place(
        auth="oauth2",
        token_url=f"{URL}/tenants/demo/oauth2/token",
        client_id="tidings",
        client_secret=SecretStr(Config().client_secret),
    )
    await place.client.submit(email())
    await place.http.post("/_sandbox/clock", json={"advance_s": 3600})
    await place.client.submit(text_message())
    journal = await place.journal()
    assert len(journal["accepted"]) == 2
    assert journal["requests"]["token"] == 2


async def test_wrong_credentials_stop_the_sink() -> None:
    """A wrong password is a person's to correct."""
    with pytest.raises(Misconfigured) as stopped:
        await Place(password=SecretStr("wrong-one")).client.submit(email())
    assert "wrong-one" not in str(stopped.value)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (text_message(address="0171 555"), "address_invalid"),
        (text_message(address="+0155501000"), "address_invalid"),
        (text_message(text=" "), "no_text"),
        (email(address="nobody"), "address_invalid"),
        (email(address="a@b.test,c@d.test"), "address_invalid"),
        (email(address="a@b.test\r\nbcc: c@d.test"), "address_invalid"),
        (email(subject_line=None), "no_subject_line"),
        (email(html=None, text=None), "no_text"),
        (email(channel=Channel.PRINT), "channel_unsupported"),
    ],
)
async def test_what_cannot_be_sent_is_rejected_before_the_wire(request_: NotificationRequest, code: str) -> None:
    """A delivery without address, words or channel never reaches the provider."""
    place = Place()
    with pytest.raises(Reject) as refused:
        await place.client.submit(request_)
    assert refused.value.code == code
    assert (await place.journal())["submissions"] == 0


def test_bodies_are_the_recorded_ones() -> None:
    """What goes over the wire is pinned, because the ledger compares bodies."""
    known = settings(URL)
    assert bodies.email(email(), known) == orjson.loads((FIXTURES / "submit_email.json").read_bytes())
    assert bodies.sms(text_message(), known) == orjson.loads((FIXTURES / "submit_sms.json").read_bytes())


def test_a_subject_line_cannot_start_a_header() -> None:
    """Line breaks from shop data do not reach the mail's headers."""
    body = bodies.email(email(subject_line="Hello\r\nBcc: x@y.test"), settings(URL))
    assert body["options"]["email_options"]["subject"] == "Hello Bcc: x@y.test"


def test_options_of_the_account_are_merged() -> None:
    """Whatever the public record does not name can be added by configuration."""
    known = settings(
        URL, email_options={"pull_password": "on"}, sms_options={"sender": "SHOP"}, forward_reply="care@b.test"
    )
    assert bodies.sms(text_message(), known)["options"]["sender"] == "SHOP"
    options = bodies.email(email(), known)["options"]["email_options"]
    assert (options["pull_password"], options["forward_reply"]) == ("on", "care@b.test")


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"password": ""}, "TIDINGS_OPENTEXT_NOTIFICATIONS_PASSWORD"),
        ({"auth": "oauth2"}, "TIDINGS_OPENTEXT_NOTIFICATIONS_TOKEN_URL"),
        ({"webhook_auth": "hmac"}, "TIDINGS_OPENTEXT_NOTIFICATIONS_WEBHOOK_SECRET"),
    ],
)
def test_a_missing_credential_is_named_at_start(changes: dict[str, str], missing: str) -> None:
    """An incomplete account is told by the name of the variable, before anything is sent."""
    known = {"base_url": URL, "user": "u", "password": "p", "webhook_user": "w", "webhook_password": "h"}
    with pytest.raises(ValidationError, match=missing):
        Settings.model_validate({**known, **changes})


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"options": {"message_id": "x" * 81}},
        {"options": {"message_id": "m"}, "destinations": []},
        {"options": {"message_id": "m"}, "destinations": [{"email": "nobody"}], "body": []},
        {
            "options": {"message_id": "m"},
            "destinations": [{"email": "a@b.test"}],
            "body": [{"type": "text", "data": "%"}],
        },
        {"options": {"message_id": "m"}, "destinations": [{"email": "a@b.test"}], "body": []},
    ],
)
async def test_the_sandbox_refuses_what_the_service_would(body: Any) -> None:
    """A malformed submission is a 400, so that tests are not fooled."""
    auth = (Config().user, Config().password)
    answer = await Place().http.post("/mra/v1/outbound/emails", json=body, auth=auth)
    assert answer.status_code == 400
