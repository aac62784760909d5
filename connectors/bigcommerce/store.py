"""One store and the people in it: the references and the `Who` that every record of the store carries. Pure."""

from dataclasses import dataclass

from connectors.bigcommerce.events import PLATFORM
from connectors.values import e164, full_name, normal_email, ref, text
from schemas.models import Who


@dataclass(frozen=True, slots=True)
class Person:
    """What any payload may tell about somebody."""

    email: str | None = None
    phone: str | None = None
    country: str | None = None
    locale: str | None = None
    first: str | None = None
    last: str | None = None


@dataclass(frozen=True, slots=True)
class Store:
    """What the payloads do not say about themselves."""

    tenant: str
    brand: str
    account: str
    locale: str
    country: str | None

    def ref(self, *parts: object) -> str:
        """A reference within this store."""
        return ref(PLATFORM, self.account, *parts)

    def customer_ref(self, customer_id: object, email: str | None, otherwise: str) -> str:
        """The customer's reference; a guest is known by the address, and without one only by the object at hand."""
        if customer_id and str(customer_id) != "0":
            return self.ref(customer_id)
        return self.ref("guest", normal_email(email) or otherwise)

    def who(self, customer_ref: str, person: Person) -> Who:
        """A person of this store."""
        return Who(
            tenant=self.tenant,
            brand=self.brand,
            platform=PLATFORM,
            account=self.account,
            customer_ref=customer_ref,
            email=text(person.email),
            phone=e164(person.phone, person.country or self.country),
            locale=person.locale,
            name=full_name(person.first, person.last),
        )
