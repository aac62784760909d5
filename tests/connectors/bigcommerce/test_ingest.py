"""Webhooks at the door: what the signature proves, what is kept, and which object an event is about."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

import connectors.bigcommerce
from connectors.bigcommerce import Client
from connectors.bigcommerce.settings import Settings
from connectors.bigcommerce.testing import inbound, settings
from connectors.contract import BadRequest, HttpRequest, Unauthorized
from connectors.http import Wire

EVENTS = Path(connectors.bigcommerce.__file__).parent / "fixtures" / "events"
NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def client(**changes: Any) -> Client:
    """A client whose settings differ from the sandbox's in `changes`."""
    own = settings("http://sandbox.test").model_copy(update=changes)
    return Client(own, Wire(transport=object()))


def created() -> HttpRequest:
    """A genuine order event."""
    return inbound((EVENTS / "order_created.json").read_bytes(), NOW)


def test_the_signature_is_hmac_over_id_time_and_body_with_the_plain_secret() -> None:
    """What we accept is computed here by hand from the documented formula, not by a library."""
    body = b'{"scope":"store/order/created","data":{"type":"order","id":1}}'
    stamp = str(int(NOW.timestamp()))
    mac = hmac.new(b"sandbox-client-secret", b"evt-1." + stamp.encode() + b"." + body, hashlib.sha256).digest()
    signature = "v1," + base64.b64encode(mac).decode()
    headers = {"webhook-id": "evt-1", "webhook-timestamp": stamp, "webhook-signature": signature}
    (raw,) = client().accept(HttpRequest("POST", "/", headers, body, NOW))
    assert (raw.event_id, raw.body, raw.kind) == ("evt-1", body, "store/order/created")


def test_any_of_several_signatures_is_enough() -> None:
    """While the platform rotates its key it sends several signatures; one good one suffices."""
    request = created()
    good = request.headers["webhook-signature"]
    for listed in (f"v1,AAAA {good}", f"{good} v1a,BBBB", f"nonsense {good}"):
        assert client().accept(replace(request, headers={**request.headers, "webhook-signature": listed}))


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"webhook-signature": ""}, "missing_signature"),
        ({"webhook-id": ""}, "missing_signature"),
        ({"webhook-timestamp": ""}, "missing_signature"),
        ({"webhook-signature": "v1,AAAA"}, "bad_signature"),
        ({"webhook-signature": "v1,ä"}, "bad_signature"),
        ({"webhook-id": "another"}, "bad_signature"),
        ({"webhook-timestamp": "1"}, "bad_signature"),
        ({"webhook-timestamp": "soon"}, "bad_signature"),
    ],
)
def test_a_forged_webhook_is_refused_with_its_reason(headers: dict[str, str], code: str) -> None:
    """Each way a proof can be wrong has its own word, for the metric that pages somebody."""
    request = created()
    with pytest.raises(Unauthorized) as caught:
        client().accept(replace(request, headers={**request.headers, **headers}))
    assert caught.value.code == code


@pytest.mark.parametrize("seconds", [301, -301, 86_400])
def test_a_stale_webhook_is_refused(seconds: int) -> None:
    """A proof recorded earlier cannot be played again later."""
    with pytest.raises(Unauthorized) as caught:
        client().accept(replace(created(), received_at=NOW + timedelta(seconds=seconds)))
    assert caught.value.code == "stale"


def test_the_second_factor_is_asked_for_once_it_is_set() -> None:
    """With a hook header configured, a signed webhook without it is refused, and one with it is taken."""
    guarded = client(hook_header_name="X-Hub", hook_header_value=SecretStr("s3cr3t"))
    with pytest.raises(Unauthorized) as caught:
        guarded.accept(created())
    assert caught.value.code == "wrong_secret_header"
    assert guarded.accept(replace(created(), headers={**created().headers, "x-hub": "s3cr3t"}))


def test_the_secret_of_the_account_being_replaced_is_still_good() -> None:
    """While the API account is replaced, hooks of the old one are taken."""
    moving = client(client_secret=SecretStr("new"), previous_client_secret=SecretStr("sandbox-client-secret"))
    assert moving.accept(created())


def test_an_event_of_another_store_is_refused() -> None:
    """One app's secret may sign for many stores; an event sent to the wrong one is not filed under ours."""
    with pytest.raises(BadRequest) as caught:
        client(account="zzz999").accept(created())
    assert caught.value.code == "wrong_store"


@pytest.mark.parametrize(
    ("body", "code"), [(b"{", "bad_json"), (b"[]", "bad_envelope"), (b'{"data":{}}', "bad_envelope")]
)
def test_a_signed_body_that_is_no_event_is_refused(body: bytes, code: str) -> None:
    """What cannot be read even by us is answered with 400, so that the sender's log shows it."""
    with pytest.raises(BadRequest) as caught:
        client().accept(inbound(body, NOW))
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("fixture", "key", "kind"),
    [
        ("order_created", "order:4711", "store/order/created"),
        ("order_status_updated", "order:4711", "store/order/statusUpdated"),
        ("order_transaction_created", "order:4711", "store/order/transaction/created"),
        ("order_metafield_created", "order:4711", "store/order/metafield/created"),
        ("channel_order_updated", "order:4711", "store/order/updated"),
        ("shipment_created", "order:4711", "store/shipment/created"),
        ("cart_abandoned", "cart:6f1c0c1e-0a35-4f0b-9d7e-2f6f0c0d1a11", "store/cart/abandoned"),
        ("cart_converted", "cart:6f1c0c1e-0a35-4f0b-9d7e-2f6f0c0d1a11", "store/cart/converted"),
        ("cart_line_item_created", "cart:6f1c0c1e-0a35-4f0b-9d7e-2f6f0c0d1a11", "store/cart/lineItem/created"),
        ("customer_updated", "customer:88", "store/customer/updated"),
        ("customer_address_updated", "customer:88", "store/customer/address/updated"),
        ("subscriber_updated", "subscriber:15", "store/subscriber/updated"),
        ("price_list_records_updated", "priceList:-", "store/priceList/records/updated"),
        ("app_uninstalled", "app:-", "store/app/uninstalled"),
    ],
)
def test_events_of_one_object_share_a_key(fixture: str, key: str, kind: str) -> None:
    """However an event spells its object, everything about one order goes through one partition."""
    (raw,) = client().accept(inbound((EVENTS / f"{fixture}.json").read_bytes(), NOW))
    assert (raw.key, raw.kind) == (f"bigcommerce:abc123:{key}", kind)


@pytest.mark.parametrize("order_id", ["../../v3/hooks", "4711?x=1", "a b", "", True, None, {}, "x" * 65])
def test_an_id_that_is_no_id_never_reaches_a_path(order_id: object) -> None:
    """An id from a payload becomes part of a URL only when it looks like one of the platform's."""
    body = json.dumps({"scope": "store/order/created", "data": {"id": order_id}}).encode()
    (raw,) = client().accept(inbound(body, NOW))
    assert raw.key == "bigcommerce:abc123:order:-"


def test_settings_come_from_the_environment_and_hide_their_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store is connected by variables alone, and printing the settings shows no secret."""
    told = {"ACCOUNT": "abc123", "ACCESS_TOKEN": "t0p", "CLIENT_SECRET": "s3cr3t", "TENANT": "acme", "BRAND": "example"}
    for name, value in told.items():
        monkeypatch.setenv(f"TIDINGS_BIGCOMMERCE_{name}", value)
    found = Settings()
    assert (found.account, found.tolerance_s, found.metafield_namespace) == ("abc123", 300, "ot_comms")
    assert "t0p" not in repr(found)
    assert "s3cr3t" not in repr(found)
