"""Facts as examples: templates are proved against them when the policy is loaded, golden cases are written as
changes to them.

Two of each kind: one with everything filled in, one with as little as the models allow.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from schemas.models import (
    Cart,
    CartLine,
    CartStatus,
    Channel,
    Consent,
    ConsentState,
    Customer,
    Order,
    OrderLine,
    OrderStatus,
    Shipment,
    ShipmentItem,
    Source,
    Who,
)
from streams.core.resolve import Fact

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

WHO = Who(
    tenant="demo",
    brand="example",
    platform="bigcommerce",
    account="abc123",
    customer_ref="bigcommerce:abc123:88",
    email="ada@example.test",
    phone="+4915112345678",
    locale="en",
    name="Ada Example",
)
SOURCE = Source(event="example", event_id="evt-1", occurred_at=START, collected_at=START)

ORDER = Order(
    order_ref="bigcommerce:abc123:4711",
    external_ref="SO-1001",
    number="4711",
    who=WHO,
    source=SOURCE,
    status=OrderStatus.PLACED,
    payment_status="captured",
    currency="EUR",
    subtotal=Decimal("1249.00"),
    shipping=Decimal("4.90"),
    tax=Decimal("200.20"),
    discount=Decimal(0),
    total=Decimal("1253.90"),
    lines=(
        OrderLine(
            line_id="1",
            product_ref="p-1",
            sku="LAMP-1",
            name="Reading lamp",
            quantity=1,
            unit_price=Decimal("1249.00"),
            total=Decimal("1249.00"),
        ),
    ),
    placed_at=START,
    changed_at=START,
)
SHIPMENT = Shipment(
    shipment_ref="bigcommerce:abc123:4711:1",
    order_ref=ORDER.order_ref,
    order_number=ORDER.number,
    who=WHO,
    source=SOURCE,
    carrier="Example Post",
    tracking_number="T-1",
    tracking_url="https://tracking.example.test/T-1",
    shipped_at=START,
    items=(ShipmentItem(line_id="1", quantity=1),),
)
CART = Cart(
    cart_ref="bigcommerce:abc123:cart:c-1",
    who=WHO,
    source=SOURCE,
    status=CartStatus.ABANDONED,
    currency="EUR",
    total=Decimal("59.90"),
    lines=(CartLine(sku="MUG-1", name="Mug", quantity=2, total=Decimal("59.90")),),
    recover_url="https://shop.example.test/recover/c-1",
    changed_at=START,
)
CUSTOMER = Customer(who=WHO, source=SOURCE, first_name="Ada", last_name="Example")
CONSENT = Consent(
    who=WHO,
    source=SOURCE,
    channel=Channel.EMAIL,
    purpose="cart_reminder",
    state=ConsentState.GRANTED,
    decided_at=START,
    evidence="checkbox at checkout",
)

_BARE: dict[str, Any] = {
    "external_ref": None,
    "lines": (),
    "items": (),
    "tracking_url": None,
    "recover_url": None,
    "carrier": "",
    "tracking_number": "",
}


def of(kind: type[Fact]) -> tuple[Fact, ...]:
    """The full and the bare example of `kind`."""
    full: Fact = next(fact for fact in (ORDER, SHIPMENT, CART, CUSTOMER, CONSENT) if isinstance(fact, kind))
    bare = {name: value for name, value in _BARE.items() if name in kind.model_fields}
    return full, full.model_copy(update=bare)
