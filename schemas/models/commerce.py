"""Models of the commerce family. Generated from the .avsc files by `tidings schemas generate`; never edit."""

from enum import StrEnum
from typing import ClassVar

from schemas.values import Long, Money, Record, Timestamp


class CartLine(Record):
    """One line of a cart. Amounts are in the cart's currency."""

    avro_name: ClassVar[str] = "tidings.commerce.CartLine"

    sku: str
    """Stock keeping unit; empty when the shop keeps none."""
    name: str
    """Product name as the customer saw it."""
    quantity: Long
    """Pieces in the cart."""
    total: Money
    """Price of the line after quantity and line discounts."""


class CartStatus(StrEnum):
    """Where a cart stands. ABANDONED only when the platform says so itself; CONVERTED: it became an order."""

    UNKNOWN = "UNKNOWN"
    ACTIVE = "ACTIVE"
    ABANDONED = "ABANDONED"
    CONVERTED = "CONVERTED"
    DELETED = "DELETED"


class Source(Record):
    """Where a canonical fact comes from, in the platform's own words."""

    avro_name: ClassVar[str] = "tidings.commerce.Source"

    event: str
    """The platform's event word, e.g. "store/order/created"; "poll" style words for facts found by a gap poll."""
    event_id: str
    """The platform's event id, or one derived from the content where it gives none; equal for a redelivery."""
    occurred_at: Timestamp
    """When it happened according to the platform (UTC, ms); the time that orders facts."""
    collected_at: Timestamp
    """When collect received it (UTC, ms)."""


class Who(Record):
    """A person or account as one platform knows them. It carries addresses: never log it."""

    avro_name: ClassVar[str] = "tidings.commerce.Who"

    tenant: str
    """Tenant the subject belongs to."""
    brand: str
    """Brand under which the platform account trades."""
    platform: str
    """Connector name of the platform, e.g. "bigcommerce"."""
    account: str
    """Account, store or site on the platform, e.g. a store hash; together with platform it names one connector
    instance."""
    customer_ref: str
    """Platform-scoped id: "<platform>:<account>:<customer id>", or for a guest
    "<platform>:<account>:guest:<normalised e-mail>"; the Kafka key of commerce records."""
    email: str | None = None
    """E-mail address as the platform holds it."""
    phone: str | None = None
    """Telephone number in E.164, e.g. "+431234567"; null when it could not be normalised."""
    locale: str | None = None
    """Preferred locale, BCP 47, as the platform states it."""
    name: str | None = None
    """Full name for a salutation, as the platform holds it."""


class Channel(StrEnum):
    """How a person is reached. PRINT is a letter, PORTAL the document area of their account."""

    UNKNOWN = "UNKNOWN"
    EMAIL = "EMAIL"
    SMS = "SMS"
    PRINT = "PRINT"
    PORTAL = "PORTAL"


class ConsentState(StrEnum):
    """An explicit decision. No record is not a grant, and UNKNOWN counts as withdrawn."""

    UNKNOWN = "UNKNOWN"
    GRANTED = "GRANTED"
    WITHDRAWN = "WITHDRAWN"


class OrderLine(Record):
    """One line of an order. Amounts are in the order's currency."""

    avro_name: ClassVar[str] = "tidings.commerce.OrderLine"

    line_id: str
    """The platform's id of the line, unique within the order; shipment items point to it."""
    product_ref: str
    """Platform-scoped product id: "<platform>:<account>:<product id>"."""
    sku: str
    """Stock keeping unit of the chosen variant; empty when the shop keeps none."""
    name: str
    """Product name as the customer saw it."""
    quantity: Long
    """Ordered pieces."""
    unit_price: Money
    """Price of one piece as the platform states it."""
    total: Money
    """Price of the line after quantity and line discounts."""


class OrderStatus(StrEnum):
    """Where an order stands, in one vocabulary for all platforms. UNKNOWN: a status this reader has no word for;
    INCOMPLETE: the checkout was not finished, so there is no order yet."""

    UNKNOWN = "UNKNOWN"
    INCOMPLETE = "INCOMPLETE"
    PLACED = "PLACED"
    AWAITING_PAYMENT = "AWAITING_PAYMENT"
    PROCESSING = "PROCESSING"
    PARTIALLY_SHIPPED = "PARTIALLY_SHIPPED"
    SHIPPED = "SHIPPED"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    DECLINED = "DECLINED"
    REFUNDED = "REFUNDED"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    DISPUTED = "DISPUTED"
    ON_HOLD = "ON_HOLD"


class ShipmentItem(Record):
    """How much of an order line is in a parcel."""

    avro_name: ClassVar[str] = "tidings.commerce.ShipmentItem"

    line_id: str
    """Line of the order, OrderLine.line_id."""
    quantity: Long
    """Pieces of that line in this parcel."""


class Cart(Record):
    """A cart after something happened to it. Always the whole state, never a difference."""

    avro_name: ClassVar[str] = "tidings.commerce.Cart"

    cart_ref: str
    """Platform-scoped cart id: "<platform>:<account>:<cart id>"."""
    who: Who
    """Whom the fact is about, as the platform knows them."""
    source: Source
    """The platform event this fact came from."""
    status: CartStatus
    """Where the cart stands now."""
    currency: str
    """ISO 4217 code of every amount in this record, e.g. "EUR"."""
    total: Money
    """Value of the cart as the platform reports it."""
    lines: tuple[CartLine, ...] = ()
    """Lines in the platform's order."""
    recover_url: str | None = None
    """Link that restores the cart, when the platform gives one."""
    changed_at: Timestamp
    """When this state came about (UTC, ms); inactivity is measured from here."""


class Customer(Record):
    """Who a customer is, as the platform's profile says now."""

    avro_name: ClassVar[str] = "tidings.commerce.Customer"

    who: Who
    """Whom the fact is about, as the platform knows them."""
    source: Source
    """The platform event this fact came from."""
    first_name: str
    """Given name; empty when the profile has none."""
    last_name: str
    """Family name; empty when the profile has none."""
    company: str | None = None
    """Company in the profile."""
    country: str | None = None
    """Country of the main address, ISO 3166-1 alpha-2."""
    created_at: Timestamp | None = None
    """When the profile was created (UTC, ms), where the platform says so."""


class Consent(Record):
    """A grant or withdrawal for one channel and purpose."""

    avro_name: ClassVar[str] = "tidings.commerce.Consent"

    who: Who
    """Whom the fact is about, as the platform knows them."""
    source: Source
    """The platform event this fact came from."""
    channel: Channel
    """Channel the decision is about."""
    purpose: str
    """What was decided on: "marketing", "cart_reminder", or "all" for every purpose that needs a grant."""
    state: ConsentState
    """What was decided."""
    decided_at: Timestamp
    """When the person decided (UTC, ms); the latest decision wins, a tie is a withdrawal."""
    evidence: str
    """How it is known, for a later dispute, e.g. "newsletter subscriber 88" or "sms keyword STOP"; no addresses."""


class Order(Record):
    """The state of an order after something happened to it. Always the whole state, never a difference."""

    avro_name: ClassVar[str] = "tidings.commerce.Order"

    order_ref: str
    """Platform-scoped order id: "<platform>:<account>:<order id>"."""
    external_ref: str | None = None
    """Reference shared between platforms, e.g. the ERP order number; equal values are one order."""
    number: str
    """Order number as the customer knows it."""
    who: Who
    """Whom the fact is about, as the platform knows them."""
    source: Source
    """The platform event this fact came from."""
    status: OrderStatus
    """Where the order stands now."""
    payment_status: str
    """Payment state in the platform's own words, e.g. "captured"; empty when it has none."""
    currency: str
    """ISO 4217 code of every amount in this record, e.g. "EUR"."""
    subtotal: Money
    """Sum of the lines before shipping, tax and order discounts."""
    shipping: Money
    """Shipping and handling charged."""
    tax: Money
    """Tax contained in or added to the total, as the platform reports it."""
    discount: Money
    """Discounts on the order as a positive amount."""
    total: Money
    """What the customer pays, including tax."""
    lines: tuple[OrderLine, ...] = ()
    """Lines in the platform's order."""
    placed_at: Timestamp
    """When the customer placed it (UTC, ms)."""
    changed_at: Timestamp
    """When this state came about (UTC, ms); of two states of one order the later wins."""


class Shipment(Record):
    """A parcel that left."""

    avro_name: ClassVar[str] = "tidings.commerce.Shipment"

    shipment_ref: str
    """Platform-scoped shipment id: "<platform>:<account>:<shipment id>"."""
    order_ref: str
    """The order it belongs to, Order.order_ref."""
    order_number: str
    """Order number as the customer knows it."""
    who: Who
    """Whom the fact is about, as the platform knows them."""
    source: Source
    """The platform event this fact came from."""
    carrier: str
    """Carrier as the platform names it; empty when not given."""
    tracking_number: str
    """The carrier's number; empty when not given."""
    tracking_url: str | None = None
    """Link to follow the parcel, when the platform gives one."""
    shipped_at: Timestamp
    """When it was handed to the carrier (UTC, ms)."""
    items: tuple[ShipmentItem, ...] = ()
    """What is in it; empty when the platform does not say."""
