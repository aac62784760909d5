"""Conditions of a rule: typed tests of one fact's fields, checked against the fact's model when the policy is loaded.

Whatever compiles cannot fail on a fact later; whatever cannot work is a problem with its place in the file.
"""

import operator
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel, ConfigDict, Discriminator, Field, Tag, TypeAdapter, ValidationError

from streams.errors import Misconfigured

Location = tuple[str | int, ...]
Test = Callable[[BaseModel], bool]
Read = Callable[[BaseModel], Any]

_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}


class Problem(Misconfigured):
    """What is wrong with a policy and where: the path of keys that leads to it."""

    def __init__(self, location: Location, message: str) -> None:
        super().__init__("bad_policy", f"{'.'.join(map(str, location))}: {message}")
        self.location = location
        self.message = message


class _Condition(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class FieldTest(_Condition):
    """One test of one field, which may be dotted (`who.locale`), with exactly one operator."""

    field: str
    eq: Any = None
    ne: Any = None
    in_: list[Any] | None = Field(default=None, alias="in", min_length=1)
    not_in: list[Any] | None = Field(default=None, min_length=1)
    gt: Any = None
    ge: Any = None
    lt: Any = None
    le: Any = None
    present: bool | None = None

    def only_operator(self, location: Location) -> tuple[str, Any]:
        """The operator, by its name in the file, and what it compares with. Raises Problem."""
        given = sorted(self.model_fields_set - {"field"})
        if len(given) != 1:
            raise Problem(location, "give exactly one of eq, ne, in, not_in, gt, ge, lt, le, present")
        return given[0].rstrip("_"), getattr(self, given[0])


class AnyOf(_Condition):
    """At least one of the conditions holds."""

    any: list["Condition"] = Field(min_length=1)


class Not(_Condition):
    """The condition does not hold."""

    not_: "Condition" = Field(alias="not")


def _shape(value: Any) -> str:
    keys = value if isinstance(value, dict) else value.model_fields_set
    return "any" if "any" in keys else "not" if "not" in keys or "not_" in keys else "test"


Condition = Annotated[
    Annotated[FieldTest, Tag("test")] | Annotated[AnyOf, Tag("any")] | Annotated[Not, Tag("not")],
    Discriminator(_shape),
]


def all_of(conditions: Sequence[Condition], model: type[BaseModel], location: Location) -> Test:
    """A test that all conditions hold for facts of `model`. Raises Problem."""
    tests = [_compiled(condition, model, (*location, at)) for at, condition in enumerate(conditions)]
    _reachable(conditions, location)
    if len(tests) == 1:
        return tests[0]
    return lambda fact: all(test(fact) for test in tests)


def reader(model: type[BaseModel], path: str, location: Location) -> tuple[Read, Any]:
    """How to read a dotted field and the type it has. Raises Problem when the model has no such field."""
    names = path.split(".")
    here: Any = model
    for name in names:
        fields = here.model_fields if isinstance(here, type) and issubclass(here, BaseModel) else {}
        if name not in fields:
            known = ", ".join(sorted(fields)) or "none"
            raise Problem(location, f"{model.__name__} has no field {path!r}; at {name!r} the fields are: {known}")
        here = _bare(fields[name].annotation)
    return _getter(names), here


def is_time(kind: Any) -> bool:
    """Whether a field of type `kind` holds an instant."""
    return kind in (datetime, AwareDatetime)


def _compiled(condition: Condition, model: type[BaseModel], location: Location) -> Test:
    if isinstance(condition, AnyOf):
        tests = [_compiled(item, model, (*location, "any", at)) for at, item in enumerate(condition.any)]
        return lambda fact: any(test(fact) for test in tests)
    if isinstance(condition, Not):
        inner = _compiled(condition.not_, model, (*location, "not"))
        return lambda fact: not inner(fact)
    return _field_test(condition, model, location)


def _field_test(condition: FieldTest, model: type[BaseModel], location: Location) -> Test:
    read, kind = reader(model, condition.field, (*location, "field"))
    name, raw = condition.only_operator(location)
    place = (*location, name)
    if name == "present":
        return lambda fact: (read(fact) not in (None, "", ())) is bool(raw)
    if name in _ORDERED:
        return _ordered(name, read, kind, raw, place)
    allowed = frozenset(_values(kind, raw if isinstance(raw, list) else [raw], place))
    if name in {"eq", "in"}:
        return lambda fact: read(fact) in allowed
    return lambda fact: read(fact) not in allowed


def _ordered(name: str, read: Read, kind: Any, raw: Any, location: Location) -> Test:
    if kind not in (int, Decimal) and not is_time(kind):
        raise Problem(location, f"{name} needs a number or a time, this field is {getattr(kind, '__name__', kind)}")
    (limit,) = _values(kind, [raw], location)
    compare = _ORDERED[name]

    def test(fact: BaseModel) -> bool:
        value = read(fact)
        return value is not None and compare(value, limit)

    return test


def _values(kind: Any, raw: Sequence[Any], location: Location) -> Iterator[Any]:
    adapter = TypeAdapter(kind)
    for value in raw:
        try:
            yield adapter.validate_python(value)
        except ValidationError as error:
            raise Problem(location, f"{value!r} does not fit: {error.errors()[0]['msg']}") from None


def _getter(names: list[str]) -> Read:
    if len(names) == 1:
        return operator.attrgetter(names[0])

    def read(fact: BaseModel) -> Any:
        value: Any = fact
        for name in names:
            if value is None:
                return None
            value = getattr(value, name)
        return value

    return read


def _bare(annotation: Any) -> Any:
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        options = [option for option in get_args(annotation) if option is not type(None)]
        return _bare(options[0]) if len(options) == 1 else annotation
    return annotation


def _reachable(conditions: Sequence[Condition], location: Location) -> None:
    left: dict[str, set[str]] = {}
    for at, condition in enumerate(conditions):
        if isinstance(condition, FieldTest) and condition.model_fields_set & {"eq", "in_"}:
            wanted = {str(value) for value in condition.in_ or [condition.eq]}
            left[condition.field] = left.get(condition.field, wanted) & wanted
            if not left[condition.field]:
                raise Problem(
                    (*location, at), f"can never be true together with what is said before of {condition.field}"
                )
