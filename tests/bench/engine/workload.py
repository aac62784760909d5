"""The work every contestant does: an order, a profile and the customer's state become a request and a new state.

All of it is Avro, in the product's sizes: orders of about 410 bytes, requests of 337, states of 110. `decide` is pure.
Needs fastavro and nothing of the project, because contestants import it from environments of their own.
"""

import io
import json
import random
import struct
from collections.abc import Callable, Iterator
from typing import Any

from fastavro import parse_schema, schemaless_reader, schemaless_writer

Fields = dict[str, Any]
Encode = Callable[[Fields], bytes]
Decode = Callable[[bytes], Fields]

PARTITIONS = 4
CUSTOMERS = 50_000
SEED = 7
RECENT = 5
HEADER = 5
"""Bytes before the Avro body, as schema registries have them: a zero and the number of the schema."""

FIRST_PACED_ID = 10**9
"""Orders sent at a steady rate count from here; those of bursts from 0."""
FIRST_BURST_TS = 1_700_000_000_000_000


def _record(name: str, /, **fields: Any) -> Fields:
    return {"type": "record", "name": name, "fields": [{"name": key, "type": kind} for key, kind in fields.items()]}


_ITEM = _record("Item", sku="string", name="string", qty="int", price="double", discount=["null", "double"])
_ADDRESS = _record("Address", name="string", line1="string", city="string", zip="string", country="string")
_STRINGS = {"type": "array", "items": "string"}

SCHEMAS: dict[str, Fields] = {
    "order": _record(
        "Order",
        order_id="string",
        customer_id="string",
        ts="long",
        store="string",
        currency="string",
        status="string",
        total="double",
        items={"type": "array", "items": _ITEM},
        shipping=_ADDRESS,
        coupon=["null", "string"],
        tags=_STRINGS,
    ),
    "profile": _record(
        "Profile",
        customer_id="string",
        email="string",
        phone=["null", "string"],
        locale="string",
        segment="string",
        tz="string",
        consent_email="boolean",
        consent_sms="boolean",
        consent_push="boolean",
        preferred="string",
        updated="long",
    ),
    "request": _record(
        "Request",
        request_id="string",
        order_id="string",
        customer_id="string",
        decision="string",
        channel="string",
        reason="string",
        template="string",
        locale="string",
        subject="string",
        recipient="string",
        amount="double",
        order_ts="long",
        lines=_STRINGS,
    ),
    "state": _record("State", count="int", total="double", last_ts="long", last_channel="string", recent=_STRINGS),
}


def _codec(name: str) -> tuple[Encode, Decode]:
    schema: Any = parse_schema(json.loads(json.dumps(SCHEMAS[name])))
    header = struct.pack(">bI", 0, list(SCHEMAS).index(name) + 1)

    def encode(fields: Fields) -> bytes:
        out = io.BytesIO()
        out.write(header)
        schemaless_writer(out, schema, fields)
        return out.getvalue()

    def decode(raw: bytes) -> Fields:
        if raw[0] != 0:
            raise ValueError("no schema number in front")
        source = io.BytesIO(raw)
        source.seek(HEADER)
        found: Any = schemaless_reader(source, schema, None)
        return found  # type: ignore[no-any-return]

    return encode, decode


enc_order, dec_order = _codec("order")
enc_profile, dec_profile = _codec("profile")
enc_request, dec_request = _codec("request")
enc_state, dec_state = _codec("state")


def key_of(customer: int) -> bytes:
    """The key of everything about one customer."""
    return b"cust-%08d" % customer


def partition_of(customer: int) -> int:
    """Where orders and profiles of a customer are."""
    return customer % PARTITIONS


def request_number(value: bytes) -> int:
    """The number of the order an encoded request answers, without decoding it: the request id comes first."""
    return int(value[HEADER + 9 : HEADER + 21])


def profile_of(customer: int) -> Fields:
    """Most consent to something; one in thirty to nothing that reaches them."""
    return {
        "customer_id": f"cust-{customer:08d}",
        "email": f"customer{customer}@example.com",
        "phone": None if customer % 3 else f"+3161234{customer % 100_000:05d}",
        "locale": "nl-NL",
        "segment": "gold" if customer % 5 == 0 else "regular",
        "tz": "Europe/Amsterdam",
        "consent_email": customer % 10 != 0,
        "consent_sms": customer % 4 == 0,
        "consent_push": customer % 2 == 0 and customer % 20 != 0,
        "preferred": ("email", "sms", "push")[customer % 3],
        "updated": 1_700_000_000_000 + customer,
    }


def order_of(number: int, chance: random.Random, ts: int) -> tuple[int, Fields]:
    """A customer and an order of theirs; `ts` in microseconds since 1970."""
    customer = chance.randrange(CUSTOMERS)
    items: list[Fields] = [
        {
            "sku": f"SKU-{chance.randrange(10**8):08d}",
            "name": f"Product name number {chance.randrange(10**5)} deluxe",
            "qty": chance.randrange(1, 5),
            "price": chance.randrange(100, 99_999) / 100,
            "discount": None if chance.random() < 0.7 else 1.5,
        }
        for _ in range(4)
    ]
    return customer, {
        "order_id": f"ord-{number:012d}",
        "customer_id": f"cust-{customer:08d}",
        "ts": ts,
        "store": "store-0042-main",
        "currency": "EUR",
        "status": "PLACED",
        "total": round(sum(item["qty"] * item["price"] for item in items), 2),
        "items": items,
        "shipping": {
            "name": f"Firstname Lastname {customer}",
            "line1": f"{customer % 997} Long Street Name 17b",
            "city": "Amsterdam",
            "zip": f"{customer % 999_999:06d}",
            "country": "NL",
        },
        "coupon": None,
        "tags": ["web", "loyalty", "spring-sale"],
    }


def paced_orders(count: int, rate: int, start_us: int) -> Iterator[tuple[int, Fields]]:
    """The orders of a phase at `rate` a second, each with the moment it is due; the same ones whenever it is asked."""
    chance = random.Random(SEED)
    for i in range(count):
        yield order_of(FIRST_PACED_ID + i, chance, start_us + i * 1_000_000 // rate)


_REACHED_BY = {"email": "email", "sms": "phone", "push": "customer_id"}


def decide(order: Fields, profile: Fields | None, state: Fields | None) -> tuple[Fields, Fields]:
    """The request for an order, and the customer's new state. Pure; the state given is left as it is."""
    number = order["order_id"]
    recent = state["recent"] if state else []
    channel, recipient, locale, decision = "", "", "en", "suppress"
    if number in recent:
        reason = "duplicate"
    elif profile is None:
        reason = "no-profile"
    else:
        locale = profile["locale"]
        channel = _channel(profile)
        reason = "consented" if channel else "no-consent"
        if channel:
            decision = "send"
            recipient = profile[_REACHED_BY[channel]]
    request = {
        "request_id": "req-" + number,
        "order_id": number,
        "customer_id": order["customer_id"],
        "decision": decision,
        "channel": channel,
        "reason": reason,
        "template": "order-confirmation-v3",
        "locale": locale,
        "subject": "Your order " + number + " at " + order["store"],
        "recipient": recipient,
        "amount": order["total"],
        "order_ts": order["ts"],
        "lines": [f"{item['qty']}x {item['name']}" for item in order["items"]],
    }
    after = {
        "count": (state["count"] if state else 0) + 1,
        "total": (state["total"] if state else 0.0) + order["total"],
        "last_ts": order["ts"],
        "last_channel": channel,
        "recent": [*recent, number][-RECENT:],
    }
    return request, after


def _channel(profile: Fields) -> str:
    for channel in (profile["preferred"], "email", "sms", "push"):
        if profile["consent_" + channel] and (channel != "sms" or profile["phone"]):
            return str(channel)
    return ""
