"""Exstream's pure parts: driver data, answers of every shape, and file names."""

import base64
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import exstream
from connectors.exstream.answers import Output, outputs
from connectors.exstream.mapping import documents, driver
from connectors.exstream.settings import Settings, Template
from connectors.exstream.testing import ORDER, request
from streams.errors import Failure, Reject, Retry

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIXTURES = Path(exstream.__file__).parent / "fixtures"


def test_driver_data_goes_out_unchanged_beside_the_hub_block() -> None:
    """The template sees the data as decided, and both systems share ids to search for."""
    sent = orjson.loads(driver(request()))
    hub = sent.pop("hub")
    assert sent == ORDER
    assert (hub["correlationId"], hub["communicationId"]) == (request().document_id, request().communication_id)
    assert (hub["type"], hub["locale"], hub["channel"]) == ("order_confirmation", "en", "EMAIL")
    assert "address" not in hub


@pytest.mark.parametrize("data", ["[1]", "not json", '"text"'])
def test_driver_data_that_is_no_object_is_rejected(data: str) -> None:
    """A record whose data no template can take is a dead letter."""
    with pytest.raises(Reject) as refused:
        driver(request().model_copy(update={"data": data}))
    assert refused.value.code == "bad_driver"


def test_the_recorded_success_is_read_file_by_file() -> None:
    """Every element of a full answer is one output."""
    found = outputs(200, "application/json", (FIXTURES / "generate_success.json").read_bytes())
    assert [(output.queue, output.mime_type) for output in found] == [
        ("PDF_OUT", "application/pdf"),
        ("EMAIL_OUT", "text/html"),
    ]


@pytest.mark.parametrize(
    ("name", "status", "family", "code"),
    [
        ("error_unpublished.json", 404, Reject, "config_unpublished"),
        ("error_internal.json", 500, Retry, "server_error"),
        ("error_empower_user.json", 200, Reject, "empower_user"),
        ("error_empower_user.json", 500, Reject, "empower_user"),
        ("error_composition.json", 200, Reject, "composition_failed"),
    ],
)
def test_recorded_errors_are_told_by_what_to_do_next(name: str, status: int, family: type[Failure], code: str) -> None:
    """Both error shapes lead to the action of the contract's table."""
    with pytest.raises(family) as failed:
        outputs(status, "application/json", (FIXTURES / name).read_bytes())
    assert failed.value.code == code


@pytest.mark.parametrize(
    ("status", "body", "family", "code"),
    [
        (400, b"", Reject, "bad_driver"),
        (404, b"<html>no</html>", Reject, "config_not_found"),
        (406, b"{}", Reject, "config_no_output"),
        (409, b'{"errorCode":309016}', Reject, "config_conflict"),
        (413, b"", Reject, "too_large"),
        (415, b"", Reject, "config_driver_format"),
        (422, b"[]", Reject, "refused"),
        (500, b"<html>trace</html>", Retry, "server_error"),
        (200, b"", Retry, "unreadable_answer"),
        (200, b"<html>sign in</html>", Retry, "unreadable_answer"),
        (200, b'{"status":"success","data":[]}', Reject, "config_no_output"),
        (200, b'{"status":"error","data":[]}', Reject, "composition_failed"),
        (
            200,
            b'{"status":"error","data":[{"statusCode":"503","errorMessage":"busy"}]}',
            Retry,
            "composition_unavailable",
        ),
        (200, b'{"status":"error","data":[{"statusCode":"404","errorMessage":"font"}]}', Reject, "config_not_found"),
        (200, b'{"status":"success","data":[{"mimeType":"application/pdf","content":""}]}', Reject, "corrupt_output"),
        (
            200,
            b'{"status":"success","data":[{"mimeType":"application/pdf","content":"QUJD"}]}',
            Reject,
            "corrupt_output",
        ),
    ],
)
def test_answers_of_any_shape_have_one_meaning(status: int, body: bytes, family: type[Failure], code: str) -> None:
    """HTML, nothing and half an answer are understood as defensively as the documented shapes."""
    with pytest.raises(family) as failed:
        outputs(status, "application/json", body)
    assert failed.value.code == code


def test_one_failed_queue_fails_the_composition() -> None:
    """A document without its attachment is never taken for a whole one."""
    good = {"content": base64.b64encode(b"%PDF-1.7").decode(), "mimeType": "application/pdf", "engineOutputContext": {}}
    bad = {"errorMessage": "no font for ada@example.test", "statusCode": "400"}
    with pytest.raises(Reject) as failed:
        outputs(200, "application/json", orjson.dumps({"status": "success", "data": [good, bad]}))
    assert "ada" not in str(failed.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 600) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["status", "data", "content", "errorMessage", "statusCode", "engineOutputContext", "mimeType"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.sampled_from([200, 201, 400, 404, 500]), st.binary(max_size=40) | JSON.map(orjson.dumps))
def test_no_answer_breaks_the_reader(status: int, body: bytes) -> None:
    """Whatever comes back, it is outputs or a failure of a known family."""
    try:
        found = outputs(status, "application/json", body)
    except (Reject, Retry):
        return
    assert found
    assert all(output.content for output in found)


@given(
    st.lists(st.tuples(st.text(max_size=30), st.sampled_from(["application/pdf", "x/y", ""])), min_size=1, max_size=5)
)
def test_file_names_are_safe_and_never_collide(files: list[tuple[str, str]]) -> None:
    """Names from outside cannot leave a folder, break a mail header or overwrite each other."""
    found = documents(request(), [Output("Q", name, media, b"x") for name, media in files], NOW)
    names = [document.name for document in found]
    assert len(set(names)) == len(names)
    for name in names:
        assert not set(name) & set('/\\"\r\n;:')
        assert not name.startswith(".")
        assert len(name) <= 110


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator sets everything by prefix, maps as JSON, and secrets do not show."""
    values: dict[str, Any] = {
        "BASE_URL": "https://exstream.example.test",
        "DOMAIN": "retail",
        "TOKEN_URL": "https://otds.example.test/otdsws/otdstenant/demo/oauth2/token",
        "CLIENT_ID": "tidings",
        "CLIENT_SECRET": "s3cret-value",
        "TEMPLATES": '{"order_confirmation": {"communication_id": "6f1c"}}',
    }
    for name, value in values.items():
        monkeypatch.setenv(f"TIDINGS_EXSTREAM_{name}", value)
    settings = Settings()
    assert settings.templates == {"order_confirmation": Template(communication_id="6f1c", data_source="Driver")}
    assert "s3cret-value" not in repr(settings)
