"""Reading what another version of the product wrote: unknown keys are dropped, unknown symbols become the enum's
UNKNOWN.

Only for state of our own; facts from topics are read by Avro's rules.
"""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, BeforeValidator


def lenient(model: type[BaseModel]) -> BeforeValidator:
    """The validator to annotate a field that holds a `model` with."""
    return BeforeValidator(lambda value: _cleaned(model, value))


def symbol(enum: type[StrEnum], fallback: StrEnum) -> BeforeValidator:
    """The validator to annotate a field that holds a symbol of `enum` with."""
    return BeforeValidator(lambda value: value if value in enum.__members__.values() else fallback)


def _cleaned(model: type[BaseModel], value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    done = {}
    for name, field in model.model_fields.items():
        if name not in value:
            continue
        kind, item = field.annotation, value[name]
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            item = _cleaned(kind, item)
        elif isinstance(kind, type) and issubclass(kind, StrEnum) and item not in kind.__members__:
            item = "UNKNOWN"
        done[name] = item
    return done
