"""Turns models into framed bytes and back, through the schema each value was written with.

Producers never register a schema: they look up the one they have, and stop when nobody published it. Consumers read
every version that is compatible with theirs. Each id and each subject costs one question to the registry per process.
"""

import io
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any, TypeVar

import fastavro
import orjson
from pydantic import BaseModel, ValidationError

from schemas import catalog, compat, models
from schemas.framing import frame, head, unframe
from schemas.registry import Registry
from schemas.values import Record
from streams.errors import Failure, Misconfigured, Reject

__all__ = ["Codec", "by_topic", "frame", "unframe"]

M = TypeVar("M", bound=Record)
T = TypeVar("T")
FORGET_AFTER_S = 5.0
REMEMBERED = 1000


def by_topic(topic: str) -> str:
    """The subject of a topic's values: every topic carries one record type."""
    return f"{topic}-value"


@cache
def classes() -> dict[str, type[Record]]:
    """Model classes by the full name of their schema."""
    found = (getattr(models, name) for name in models.__all__)
    return {cls.avro_name: cls for cls in found if issubclass(cls, Record)}


@cache
def parsed(full_name: str) -> Any:
    """Our schema as fastavro wants it."""
    return fastavro.parse_schema(orjson.loads(catalog.text(full_name)))


@dataclass(frozen=True, slots=True)
class Reader:
    """How values with one schema id become models. Without `ours`, the writer's schema is ours."""

    model: type[Record]
    writer: Any
    ours: Any | None

    def read(self, schema_id: int, avro: bytes) -> Record:
        """The model of one value."""
        source = io.BytesIO(avro)
        try:
            content = fastavro.schemaless_reader(source, self.writer, self.ours)
        except Exception as error:
            # Foreign bytes make fastavro raise nearly anything; its messages hold values, so only the type is told.
            raise self._bad(schema_id, type(error).__name__) from error
        if source.tell() != len(avro):
            raise self._bad(schema_id, f"{len(avro) - source.tell()} bytes are left over")
        try:
            return self.model.model_validate(content)
        except ValidationError as error:
            raise self._bad(schema_id, _fields(error)) from None

    def _bad(self, schema_id: int, why: str) -> Reject:
        return Reject("bad_avro", f"not a {self.model.avro_name} of schema {schema_id}: {why}; check its producer")


def _fields(error: ValidationError) -> str:
    """Where and why, without the values themselves."""
    parts = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, part['loc']))}: {part['type']}" for part in parts)


class Codec:
    """Encodes for a topic, decodes from any. Threads may share it.

    A question to the registry blocks; `prepare` and `knows` let a caller keep them off an event loop. Failures that
    last are remembered for `forget_after` seconds, so that a flood of foreign records does not become one of questions.
    """

    def __init__(
        self,
        registry: Registry,
        subjects: Callable[[str], str] = by_topic,
        *,
        clock: Callable[[], float] = time.monotonic,
        forget_after: float = FORGET_AFTER_S,
    ) -> None:
        self._registry = registry
        self._subjects = subjects
        self._clock = clock
        self._forget_after = forget_after
        self._lock = Lock()
        self._readers: dict[int, Reader] = {}
        self._heads: dict[tuple[str, str], bytes] = {}
        self._failed: dict[Hashable, tuple[float, Failure]] = {}

    def encode(self, topic: str, model: BaseModel) -> bytes:
        """The framed value. Raises Misconfigured("schema_not_published"), Retry("registry_unavailable"), Reject."""
        if not isinstance(model, Record):
            raise Reject("unknown_record", f"{type(model).__name__} is no generated model, so it cannot go to {topic}")
        name = model.avro_name
        target = io.BytesIO()
        target.write(self._heads.get((topic, name)) or self.prepare(topic, name))
        try:
            fastavro.schemaless_writer(target, parsed(name), model.model_dump(), strict=True)
        except (ValueError, TypeError, AttributeError, OverflowError) as error:
            # Only a model that was constructed without validation gets here.
            raise Reject("bad_avro", f"a {name} holds what its schema does not: {type(error).__name__}") from error
        return target.getvalue()

    def decode(self, value: bytes) -> Record:
        """The model of a framed value.

        Raises Reject("bad_framing" | "unknown_schema" | "unknown_record" | "incompatible_schema" | "bad_avro"),
        Retry("registry_unavailable").
        """
        schema_id, avro = unframe(value)
        reader = self._readers.get(schema_id) or self._learn(schema_id)
        return reader.read(schema_id, avro)

    def decode_as(self, value: bytes, model: type[M]) -> M:
        """Like `decode`, for a topic whose record is known; another record is a Reject("unknown_record")."""
        found = self.decode(value)
        if not isinstance(found, model):
            raise Reject("unknown_record", f"expected a {model.avro_name}, not a {found.avro_name}; check its producer")
        return found

    def prepare(self, topic: str, full_name: str) -> bytes:
        """Asks the registry for what `encode` needs; at start it tells whether the schema is published."""
        return self._once(self._heads, (topic, full_name), lambda: self._look_up(topic, full_name))

    def knows(self, value: bytes) -> bool:
        """Whether `decode` needs no question to the registry."""
        return unframe(value)[0] in self._readers

    def _learn(self, schema_id: int) -> Reader:
        return self._once(self._readers, schema_id, lambda: _reader(schema_id, self._registry.schema_by_id(schema_id)))

    def _look_up(self, topic: str, full_name: str) -> bytes:
        subject = self._subjects(topic)
        schema_id = self._registry.lookup(subject, catalog.text(full_name))
        if schema_id is None:
            detail = f"{full_name} as of this release is not registered under {subject}; run `tidings schemas publish`"
            raise Misconfigured("schema_not_published", detail)
        return head(schema_id)

    def _once(self, known: dict[Any, T], key: Hashable, ask: Callable[[], T]) -> T:
        """The remembered answer, or a single question for all threads that want it."""
        with self._lock:
            if key in known:
                return known[key]
            since, failure = self._failed.get(key, (0.0, None))
            if failure is not None and self._clock() - since < self._forget_after:
                # A fresh one each time: an exception collects a traceback with every raise.
                raise type(failure)(failure.code, failure.detail)
            try:
                known[key] = ask()
            except (Reject, Misconfigured) as failure:
                if len(self._failed) >= REMEMBERED:
                    self._failed.clear()
                self._failed[key] = (self._clock(), failure)
                raise
            self._failed.pop(key, None)
            return known[key]


def _reader(schema_id: int, text: str) -> Reader:
    """How to read what was written with this schema."""
    try:
        writer = orjson.loads(text)
        written = fastavro.parse_schema(orjson.loads(text))
        name = compat.full_name(writer)
    except Exception as error:
        # The registry also holds schemas that are not Avro, or that we cannot read alone.
        raise Reject("unknown_schema", f"schema {schema_id} is not an Avro record: {type(error).__name__}") from error
    model = classes().get(name)
    if model is None:
        raise Reject("unknown_record", f"schema {schema_id} is {name}, which this release does not know")
    ours = catalog.self_contained(name)
    if problems := compat.unreadable(ours, writer):
        raise Reject("incompatible_schema", f"{name} of schema {schema_id} cannot be read: {'; '.join(problems)}")
    return Reader(model, written, None if writer == ours else parsed(name))
