"""The value types of generated models: whatever a model holds, Avro can hold, exactly.

A model that was encoded and decoded therefore equals the one that was not, down to the text of an amount, and a
decision made from either is the same bytes.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

MONEY_PRECISION = 18
MONEY_SCALE = 4

_QUANTUM = Decimal(1).scaleb(-MONEY_SCALE)
_EXACT = Context(prec=MONEY_PRECISION, traps=[Inexact, InvalidOperation])


def _money(value: Decimal) -> Decimal:
    # What comes off the wire is exact already; this is most of what a worker validates.
    if value and value.same_quantum(_QUANTUM) and value.adjusted() < MONEY_PRECISION - MONEY_SCALE:
        return value
    try:
        # The sum turns -0.0000, which Avro cannot tell from 0.0000, into the latter.
        return _EXACT.add(value.quantize(_QUANTUM, context=_EXACT), Decimal(0))
    except (Inexact, InvalidOperation):
        limit = f"at most {MONEY_SCALE} decimal places and {MONEY_PRECISION} digits"
        raise ValueError(f"an amount has {limit}; round it where it is computed") from None


def _timestamp(value: datetime) -> datetime:
    utc = value if value.tzinfo is UTC else value.astimezone(UTC)
    if utc.microsecond % 1000 == 0 and not utc.fold:
        return utc
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000, fold=0)


Money = Annotated[Decimal, AfterValidator(_money)]
Timestamp = Annotated[AwareDatetime, AfterValidator(_timestamp)]
Int = Annotated[int, Field(ge=-(2**31), lt=2**31)]
Long = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Strings = Mapping[str, str]


class Record(BaseModel):
    """Base of every generated model. `avro_name` is the full name of the schema it was generated from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    avro_name: ClassVar[str]

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with `update` applied; unlike Pydantic's own it validates, so the promise holds for copies too."""
        return self.model_validate({**dict(self), **update}) if update else super().model_copy(deep=deep)
