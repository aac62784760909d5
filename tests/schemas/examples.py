"""Models for the tests, drawn from the schemas themselves, so that a new record is covered without a line here."""

import copy
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from schemas import catalog
from schemas.codec import classes
from schemas.models import Order, OrderLine, OrderStatus, Source, Who
from schemas.values import Record

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOON = datetime(2030, 5, 1, 12, 0, 0, 123_000, UTC)

_TEXT = st.text(max_size=8)
_PRIMITIVE: dict[str, st.SearchStrategy[Any]] = {
    "string": _TEXT,
    "boolean": st.booleans(),
    "bytes": st.binary(max_size=16),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
}
_LOGICAL: dict[str, st.SearchStrategy[Any]] = {
    "decimal": st.integers(-(10**18) + 1, 10**18 - 1).map(lambda units: Decimal(units).scaleb(-4)),
    "timestamp-millis": st.integers(-(10**12), 10**14).map(lambda ms: EPOCH + timedelta(milliseconds=ms)),
}


def values(schema: Any) -> st.SearchStrategy[Any]:
    """Values that a field of this schema may hold."""
    match schema:
        case list():
            return st.one_of(*(values(branch) for branch in schema))
        case "null":
            return st.none()
        case str() if schema in _PRIMITIVE:
            return _PRIMITIVE[schema]
        case str():
            return values(catalog.definitions()[schema])
        case {"logicalType": logical}:
            return _LOGICAL[logical]
        case {"type": "array", "items": items}:
            return st.lists(values(items), max_size=2).map(tuple)
        case {"type": "map", "values": inner}:
            return st.dictionaries(_TEXT, values(inner), max_size=2)
        case {"type": "enum", "symbols": symbols}:
            return st.sampled_from(symbols)
        case _:
            return records(f"{schema['namespace']}.{schema['name']}")


def records(full_name: str) -> st.SearchStrategy[Record]:
    """Models of one record."""
    fields = {field["name"]: values(field["type"]) for field in catalog.definitions()[full_name]["fields"]}
    return st.builds(classes()[full_name].model_validate, st.fixed_dictionaries(fields))


def order(**changes: Any) -> Order:
    """An order like any other."""
    source = Source(event="store/order/created", event_id="e1", occurred_at=NOON, collected_at=NOON)
    line = OrderLine(
        line_id="1",
        product_ref="bigcommerce:shop:7",
        sku="MUG",
        name="Mug",
        quantity=2,
        unit_price=Decimal("9.9500"),
        total=Decimal("19.9000"),
    )
    whole = Order(
        order_ref="bigcommerce:shop:4711",
        number="4711",
        who=Who(
            tenant="example", brand="shop", platform="bigcommerce", account="shop", customer_ref="bigcommerce:shop:88"
        ),
        source=source,
        status=OrderStatus.PLACED,
        payment_status="captured",
        currency="EUR",
        subtotal=Decimal("19.90"),
        shipping=Decimal("4.90"),
        tax=Decimal("4.13"),
        discount=Decimal(0),
        total=Decimal("24.80"),
        lines=(line,),
        placed_at=NOON,
        changed_at=NOON,
    )
    return whole.model_copy(update=changes)


def schema_of(full_name: str) -> dict[str, Any]:
    """A self-contained schema that a test may change."""
    return copy.deepcopy(catalog.self_contained(full_name))


def field_of(schema: dict[str, Any], path: str) -> dict[str, Any]:
    """A field of a record by its path."""
    name, _, rest = path.partition(".")
    found: dict[str, Any] = next(field for field in schema["fields"] if field["name"] == name)
    return field_of(found["type"], rest) if rest else found
