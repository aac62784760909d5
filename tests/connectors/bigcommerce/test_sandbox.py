"""The stand-in answers as the documentation says the platform does, down to its oddities."""

from typing import Any

import pytest

from tests.connectors.bigcommerce.shop import ADA, BOB, Shop


async def shop_with_order() -> Shop:
    """A store with order 1001 of customer 88, who takes the newsletter."""
    shop = Shop()
    await shop.control("orders", {"customer": {**ADA, "newsletter": True}, "lines": [{"name": "Mug", "price": "12.5"}]})
    return shop


async def test_a_wrong_token_is_refused_in_the_v3_way() -> None:
    """Without the token nothing is told, on v2 neither."""
    shop = Shop()
    shop.token = {"x-auth-token": "guess"}
    answer = await shop.api("GET", "/v2/orders")
    assert (answer.status_code, answer.json()["status"]) == (401, 401)


async def test_every_answer_carries_the_quota() -> None:
    """The four rate headers come with good and bad answers; over quota it is 429 and time until the reset is told."""
    shop = Shop(quota=2)
    left = [(await shop.api("GET", "/v2/orders/1")).headers["x-rate-limit-requests-left"] for _ in range(2)]
    assert left == ["1", "0"]
    over = await shop.api("GET", "/v2/orders/1")
    assert over.status_code == 429
    assert 0 < int(over.headers["x-rate-limit-time-reset-ms"]) <= 30_000
    assert over.headers["x-rate-limit-requests-quota"] == "2"
    assert over.headers["x-rate-limit-time-window-ms"] == "30000"


async def test_v2_and_v3_speak_differently() -> None:
    """v2 is bare with text amounts and RFC 2822 dates, v3 is wrapped with numbers and ISO dates."""
    shop = await shop_with_order()
    order = (await shop.api("GET", "/v2/orders/1001")).json()
    assert (order["subtotal_ex_tax"], order["date_shipped"], order["external_id"]) == ("12.5000", "", None)
    assert order["date_created"].endswith(" +0000")
    assert (order["customer_locale"], order["billing_address"]["email"]) == ("de", "ada@example.test")
    cart = await shop.control("carts", {"customer": BOB, "lines": [{"name": "Mug", "price": 12.5, "quantity": 2}]})
    wrapped = (await shop.api("GET", f"/v3/carts/{cart['id']}")).json()
    assert wrapped["data"]["cart_amount"] == 25.0
    assert wrapped["data"]["created_time"].endswith("Z")


async def test_an_empty_v2_list_has_no_body() -> None:
    """Nothing found is 204 without content, on every v2 collection."""
    shop = await shop_with_order()
    for path in ("/v2/orders/1001/shipments", "/v2/orders/1001/messages"):
        answer = await shop.api("GET", path)
        assert (answer.status_code, answer.content) == (204, b"")
    assert (await Shop().api("GET", "/v2/orders")).status_code == 204


@pytest.mark.parametrize(
    "path",
    [
        "/v2/orders/9",
        "/v2/orders/9/products",
        "/v2/orders/1001/shipments/9",
        "/v3/carts/nope",
        "/v3/customers/subscribers/9",
    ],
)
async def test_what_is_not_there_is_404(path: str) -> None:
    """Both halves of the API say so in their own shape."""
    answer = await (await shop_with_order()).api("GET", path)
    assert answer.status_code == 404
    assert isinstance(answer.json(), list if "/v2/" in path else dict)


async def test_orders_can_be_polled() -> None:
    """The reconciliation poll filters by status, id, customer, address and time, page by page."""
    shop = await shop_with_order()
    for _ in range(2):
        await shop.control("orders", {"customer": BOB, "status_id": 7})

    async def found(**query: str) -> list[int]:
        answer = await shop.api("GET", "/v2/orders", **query)
        return [row["id"] for row in answer.json()] if answer.content else []

    assert await found() == [1001, 1002, 1003]
    assert await found(limit="2", page="2") == [1003]
    assert await found(status_id="7", min_id="1003") == [1003]
    assert await found(email="ADA@example.test") == [1001]
    assert await found(customer_id="88") == [1001]
    assert await found(min_date_modified="Fri, 01 Jan 2100 00:00:00 +0000") == []


async def test_an_order_is_changed_and_shipped_in_parts() -> None:
    """Notes are written, and the status follows the parcels: partially shipped, then shipped."""
    shop = Shop()
    await shop.control("orders", {"customer": ADA, "lines": [{"name": "Mug", "quantity": 2}]})
    changed = await shop.api("PUT", "/v2/orders/1001", {"staff_notes": "mail delivered", "id": 5})
    assert (changed.json()["staff_notes"], changed.json()["id"]) == ("mail delivered", 1001)
    line = (await shop.api("GET", "/v2/orders/1001/products")).json()[0]
    part = {"items": [{"order_product_id": line["id"], "product_id": line["product_id"], "quantity": 1}]}
    statuses = []
    for body in (part, {}):
        await shop.control("orders/1001/shipments", body)
        statuses.append((await shop.api("GET", "/v2/orders/1001")).json()["status_id"])
    assert statuses == [3, 2]
    assert len((await shop.api("GET", "/v2/orders/1001/shipments")).json()) == 2


async def test_there_is_no_way_to_send_an_order_message() -> None:
    """Messages can be read and not written, as in the real API."""
    shop = await shop_with_order()
    assert (await shop.api("POST", "/v2/orders/1001/messages", {"message": "hello"})).status_code == 405


async def test_customers_come_as_a_list_and_addresses_on_request() -> None:
    """There is no call for one customer; a filter finds one by id or address."""
    shop = await shop_with_order()
    for query in ({"id:in": "88"}, {"email:in": "ADA@example.test"}, {}):
        rows = (await shop.api("GET", "/v3/customers", **query)).json()["data"]
        assert [(row["id"], "addresses" in row) for row in rows] == [(88, False)]
    (row,) = (await shop.api("GET", "/v3/customers", **{"id:in": "88", "include": "addresses"})).json()["data"]
    assert row["addresses"][0]["country_code"] == "DE"
    assert (await shop.api("GET", "/v3/customers", **{"id:in": "7"})).json()["data"] == []


@pytest.mark.parametrize(
    ("body", "status"),
    [([{"id": 88, "notes": "x"}], 200), ([{"id": 88}] * 11, 413), ([{"id": 9}], 422), ({"id": 88}, 422)],
)
async def test_customers_are_changed_ten_at_a_time(body: Any, status: int) -> None:
    """The call takes a list of at most ten known customers."""
    assert (await (await shop_with_order()).api("PUT", "/v3/customers", body)).status_code == status


async def test_subscribers_are_unique_by_address_and_easily_all_deleted() -> None:
    """A second one is 409, an unknown consent 422, and deleting without a filter really deletes everybody."""
    shop = await shop_with_order()
    path = "/v3/customers/subscribers"
    assert (await shop.api("POST", path, {"email": "ADA@example.test"})).status_code == 409
    assert (await shop.api("POST", path, {"email": "e@example.test", "consents": ["sms"]})).status_code == 422
    assert (await shop.api("POST", path, {"email": "e@example.test", "consents": []})).status_code == 200
    assert (await shop.api("PUT", f"{path}/15", {"consents": ["telepathy"]})).status_code == 422
    assert (await shop.api("PUT", f"{path}/15", {"consents": []})).json()["data"]["consents"] == []
    assert (await shop.api("DELETE", path, **{"id:in": "15"})).status_code == 204
    assert len((await shop.api("GET", path)).json()["data"]) == 1
    assert (await shop.api("DELETE", path)).status_code == 204
    assert (await shop.api("GET", path)).json()["data"] == []


async def test_a_metafield_is_unique_by_its_key() -> None:
    """POST answers 200, a second one 409, a bad one 422; reading, changing and deleting work by id."""
    shop = await shop_with_order()
    path = "/v3/orders/1001/metafields"
    body = {"permission_set": "read", "namespace": "n", "key": "k", "value": "v"}
    made = await shop.api("POST", path, body)
    assert (made.status_code, made.json()["data"]["resource_id"]) == (200, 1001)
    assert (await shop.api("POST", path, body)).status_code == 409
    assert (await shop.api("POST", path, {**body, "key": "x" * 65})).status_code == 422
    assert (await shop.api("POST", path, {**body, "value": 1})).status_code == 422
    assert (await shop.api("POST", path, {**body, "permission_set": "all"})).status_code == 422
    assert (await shop.api("POST", "/v3/orders/9/metafields", body)).status_code == 404
    one = f"{path}/{made.json()['data']['id']}"
    assert (await shop.api("PUT", one, {"value": "w"})).json()["data"]["value"] == "w"
    assert (await shop.api("GET", one)).json()["data"]["value"] == "w"
    assert len((await shop.api("GET", path, namespace="n", key="k")).json()["data"]) == 1
    assert (await shop.api("GET", path, key="other")).json()["data"] == []
    assert (await shop.api("DELETE", one)).status_code == 204
    assert (await shop.api("GET", one)).status_code == 404


async def test_a_customers_metafield_comes_back_in_a_list() -> None:
    """The one oddity of that call a client must survive."""
    body = {"permission_set": "read", "namespace": "n", "key": "k", "value": "v"}
    made = await (await shop_with_order()).api("POST", "/v3/customers/88/metafields", body)
    assert isinstance(made.json()["data"], list)


async def test_a_bulk_call_may_half_succeed() -> None:
    """422 tells what went well and what did not."""
    shop = await shop_with_order()
    good = {"resource_id": 1001, "permission_set": "read", "namespace": "n", "key": "k", "value": "v"}
    answer = await shop.api("POST", "/v3/orders/metafields", [good, good])
    assert (answer.status_code, answer.json()["meta"]) == (422, {"total": 2, "success": 1, "failed": 1})
    answer = await shop.api("POST", "/v3/orders/metafields", [{**good, "key": "other"}])
    assert (answer.status_code, answer.json()["meta"]["success"]) == (200, 1)


async def test_a_converted_cart_is_gone() -> None:
    """Its links work until then; afterwards the cart is 404."""
    shop = Shop()
    cart = await shop.control("carts", {"customer": ADA})
    path = f"/v3/carts/{cart['id']}"
    urls = (await shop.api("GET", path, include="redirect_urls")).json()["data"]["redirect_urls"]
    assert urls["checkout_url"].startswith("https://shop.example.test/")
    assert (await shop.api("POST", f"{path}/redirect_urls")).status_code == 201
    placed = await shop.control(f"carts/{cart['id']}/convert")
    assert (placed["cart_id"], placed["customer_id"]) == (cart["id"], 88)
    assert (await shop.api("GET", path)).status_code == 404
    assert (await shop.api("POST", f"{path}/redirect_urls")).status_code == 404


async def test_the_store_describes_itself() -> None:
    """Statuses by id, language, and a logo that is an empty list."""
    shop = Shop()
    assert len((await shop.api("GET", "/v2/order_statuses")).json()) == 15
    assert (await shop.api("GET", "/v2/store")).json()["logo"] == []
    assert (await shop.api("GET", "/v3/settings/store/locale")).json()["data"]["default_shopper_language"] == "en"


async def test_a_fault_ends_by_itself() -> None:
    """So many requests to that path fail, and no others."""
    shop = await shop_with_order()
    await shop.control("faults", {"path": "/v2/orders/", "status": 500, "times": 2})
    statuses = [(await shop.api("GET", "/v2/orders/1001")).status_code for _ in range(3)]
    assert statuses == [500, 500, 200]
    assert (await shop.http.post("/_sandbox/faults", json={"colour": "red"})).status_code == 400


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("orders", {"status_id": 99}),
        ("orders/9/status", {"status_id": 1}),
        ("orders/9/shipments", {}),
        ("carts/nope/convert", {}),
        ("customers", {"guest": True}),
        ("subscribers", {}),
    ],
)
async def test_a_control_that_makes_no_sense_is_refused(path: str, body: dict[str, Any]) -> None:
    """Whoever plays the shop badly reads what was wrong."""
    answer = await Shop().http.post(f"/_sandbox/{path}", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]


async def test_the_journal_tells_what_is_and_what_was_asked() -> None:
    """Orders, customers, consents and counts of requests by operation, for people and for tests."""
    shop = await shop_with_order()
    await shop.api("GET", "/v2/orders/1001")
    await shop.control("subscribers/ada@example.test", {"deleted": True})
    journal = await shop.journal()
    assert [(row["id"], row["status_id"], row["email"]) for row in journal["orders"]] == [
        (1001, 11, "ada@example.test")
    ]
    assert (journal["customers"], journal["consents"]) == ([{"id": 88, "email": "ada@example.test"}], [])
    assert journal["requests"] == [{"operation": "GET /v2/orders/{id}", "count": 1}]
