"""What a rule.yaml may say, and the rule compiled from it.

A rule that compiles cannot fail on a fact: fields, values and links between rules are checked when the policy is
loaded, and every mistake names its place in the file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.models import Channel
from streams.core.predicate import Condition, Location, Problem, Read, Test, all_of, is_time, reader
from streams.core.resolve import KINDS, Fact
from streams.core.templates import Compiled
from streams.core.timer import later

MessageClass = Literal["security", "regulated", "transactional", "service", "marketing"]
Seconds = float


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Trigger(_Part):
    """The fact that starts a communication."""

    fact: str
    when: list[Condition] = Field(default_factory=list)


class ChannelPlan(_Part):
    """`ladder`: one after the other, the next when one fails for good. `together`: all at once."""

    ladder: list[Literal["EMAIL", "SMS"]] | None = Field(default=None, min_length=1)
    together: list[Literal["EMAIL", "SMS"]] | None = Field(default=None, min_length=1)


class Timing(_Part):
    """`grace_s` counts from the arrival of the first copy, `delay_s` from a time field of the fact."""

    grace_s: float | None = Field(default=None, ge=0)
    delay_s: float | None = Field(default=None, ge=0)
    delay_from: str | None = None


class Parent(_Part):
    """The communication that must have left first: of `type`, about the order named by field `key`."""

    type: str
    key: str


class CancelOn(_Part):
    """A fact that calls the communication off before it leaves.

    `match` business_key: the one about the same thing; a `final` fact also stops any later start. `match` subject: all
    of the person that began before the fact's time `since`.
    """

    fact: str
    when: list[Condition] = Field(default_factory=list)
    match: Literal["business_key", "subject"] = "business_key"
    since: str | None = None
    final: bool = True


class RuleFile(_Part):
    """rule.yaml of one communication type."""

    message_class: MessageClass = Field(alias="class")
    trigger: Trigger
    business_key: list[str] = Field(min_length=1, description="Fields of the fact; the first that has a value counts.")
    channels: ChannelPlan
    timing: Timing = Field(default_factory=Timing)
    parent: Parent | None = None
    cancel_on: list[CancelOn] = Field(default_factory=list)
    supersedes: list[str] = Field(default_factory=list)
    consent_purpose: str | None = Field(default=None, min_length=1)
    template: str = Field(min_length=1, description="Name of the template in the composition system.")
    expires_after_s: float | None = Field(default=None, gt=0)
    expires_from: str | None = Field(default=None, description="Time field expiry counts from; default: when due.")
    sink: str = Field(min_length=1, description="Connector that hands it over.")


@dataclass(frozen=True, slots=True)
class Cancel:
    """A compiled `cancel_on`."""

    fact: str
    matches: Test
    since: Read | None
    final: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """One communication type, ready to decide with."""

    type: str
    message_class: str
    fact: str
    matches: Test
    keys: tuple[Read, ...]
    channels: tuple[Channel, ...]
    ladder: bool
    grace_s: Seconds
    delay_s: Seconds
    delay_from: Read | None
    parent_type: str | None
    parent_key: Read | None
    cancels: tuple[Cancel, ...]
    supersedes: tuple[str, ...]
    purpose: str | None
    template: str
    texts: Compiled
    expires_after_s: Seconds | None
    expires_from: Read | None
    sink: str

    def key_values(self, fact: Fact) -> tuple[str, ...]:
        """The business keys the fact can go by, preferred first."""
        values = (read(fact) for read in self.keys)
        return tuple(str(value) for value in values if value not in (None, ""))

    def due_at(self, fact: Fact, arrived_at: datetime) -> datetime:
        """When the communication may leave at the earliest."""
        if self.delay_from is not None:
            begins: datetime = self.delay_from(fact)
            return later(begins, self.delay_s)
        return later(arrived_at, self.grace_s)

    def not_after(self, fact: Fact, due_at: datetime) -> datetime | None:
        """The instant after which it must not leave any more."""
        if self.expires_after_s is None:
            return None
        begins: datetime = due_at if self.expires_from is None else self.expires_from(fact)
        return later(begins, self.expires_after_s)


def parse(raw: Mapping[str, Any], location: Location) -> RuleFile:
    """The rule file as typed values. Raises Problem at the first mistake."""
    try:
        return RuleFile.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        # A union adds its tag to the path; keys that are not in the file are skipped when the line is looked up.
        raise Problem((*location, *first["loc"]), first["msg"]) from None


def compile_rule(name: str, file: RuleFile, texts: Compiled, location: Location) -> Rule:
    """Check `file` against the models and make it a rule. Raises Problem."""
    kind = _kind(file.trigger.fact, (*location, "trigger", "fact"))
    timing = file.timing
    _check_shape(file, location)
    return Rule(
        type=name,
        message_class=file.message_class,
        fact=file.trigger.fact,
        matches=all_of(file.trigger.when, kind, (*location, "trigger", "when")),
        keys=tuple(_text(kind, field, (*location, "business_key", at)) for at, field in enumerate(file.business_key)),
        channels=tuple(Channel(name) for name in file.channels.ladder or file.channels.together or ()),
        ladder=file.channels.ladder is not None,
        grace_s=timing.grace_s or 0,
        delay_s=timing.delay_s or 0,
        delay_from=_time(kind, timing.delay_from, (*location, "timing", "delay_from")),
        parent_type=file.parent.type if file.parent else None,
        parent_key=_text(kind, file.parent.key, (*location, "parent", "key")) if file.parent else None,
        cancels=tuple(_cancel(file, item, (*location, "cancel_on", at)) for at, item in enumerate(file.cancel_on)),
        supersedes=tuple(file.supersedes),
        purpose=file.consent_purpose,
        template=file.template,
        texts=texts,
        expires_after_s=file.expires_after_s,
        expires_from=_time(kind, file.expires_from, (*location, "expires_from")),
        sink=file.sink,
    )


def _cancel(file: RuleFile, cancel: CancelOn, location: Location) -> Cancel:
    kind = _kind(cancel.fact, (*location, "fact"))
    if cancel.match == "subject" and cancel.since is None:
        raise Problem(location, "match: subject needs since, the field that tells which ones began before")
    if cancel.match == "business_key" and cancel.fact != file.trigger.fact:
        raise Problem((*location, "fact"), f"match: business_key needs the fact of the trigger, {file.trigger.fact}")
    since = _time(kind, cancel.since, (*location, "since")) if cancel.match == "subject" else None
    return Cancel(cancel.fact, all_of(cancel.when, kind, (*location, "when")), since, cancel.final)


def _check_shape(file: RuleFile, location: Location) -> None:
    timing, channels = file.timing, file.channels
    if (channels.ladder is None) == (channels.together is None):
        raise Problem((*location, "channels"), "give either ladder or together")
    if timing.grace_s is not None and timing.delay_s is not None:
        raise Problem((*location, "timing"), "give either grace_s or delay_s")
    if (timing.delay_s is None) != (timing.delay_from is None):
        raise Problem((*location, "timing"), "delay_s and delay_from belong together")
    marketing = file.message_class == "marketing"
    if marketing and file.consent_purpose is None:
        raise Problem(location, "marketing needs consent_purpose: what was allowed, e.g. cart_reminder")
    if not marketing and file.consent_purpose is not None:
        raise Problem((*location, "consent_purpose"), f"only marketing asks for consent, this is {file.message_class}")
    if marketing and len(channels.ladder or ()) > 1:
        raise Problem((*location, "channels"), "marketing has no ladder: what fails is not tried elsewhere")


def _kind(name: str, location: Location) -> type[Fact]:
    if name not in KINDS:
        raise Problem(location, f"no fact {name!r}; known are {', '.join(KINDS)}")
    return KINDS[name]


def _time(model: type[BaseModel], path: str | None, location: Location) -> Read | None:
    if path is None:
        return None
    read, kind = reader(model, path, location)
    if not is_time(kind):
        raise Problem(location, f"{path} is no time")
    return read


def _text(model: type[BaseModel], path: str, location: Location) -> Read:
    read, kind = reader(model, path, location)
    if kind is not str:
        raise Problem(location, f"{path} is no text and cannot be a key")
    return read
