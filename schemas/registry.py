"""What we need of a schema registry, and the two we have: any with Confluent's REST interface, and one in memory.

Whatever goes wrong comes out as a family of `streams.errors`, so that a registry that is away stops nothing for good
and a schema that nobody published stops the sink that needs it.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from threading import Lock
from typing import Any, Protocol, TypeVar

import fastavro
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from schemas import compat
from streams.errors import Failure, Misconfigured, Reject, Retry

T = TypeVar("T")

# Calls run inside a stage's step: fail soon and let the stage retry, rather than wait here.
_DEFAULTS: Mapping[str, Any] = {"timeout": 3, "max.retries": 1, "retries.wait.ms": 100, "retries.max.wait.ms": 500}


class Registry(Protocol):
    """Schemas by id, and the versions of each subject. `schema` is JSON text."""

    def schema_by_id(self, schema_id: int) -> str:
        """The writer's schema. Raises Reject("unknown_schema"), Retry("registry_unavailable")."""
        ...

    def lookup(self, subject: str, schema: str) -> int | None:
        """The id under which exactly this schema is registered, or None. Changes nothing."""
        ...

    def register(self, subject: str, schema: str) -> int:
        """The id of the schema, registered if it was not. Raises Misconfigured when the registry refuses it."""
        ...

    def compatible(self, subject: str, schema: str) -> list[str]:
        """Why the registry would refuse the schema as the next version; empty when it would not."""
        ...

    def set_compatibility(self, subject: str, level: str) -> None:
        """The rule for further versions, e.g. "FULL_TRANSITIVE"."""
        ...


class ConfluentRegistry:
    """A registry with Confluent's REST interface: Confluent's own, Karapace, Apicurio (path /apis/ccompat/v7).

    `url` may be several, separated by commas; `settings` are the client's own, e.g. "ssl.ca.location".
    """

    def __init__(self, url: str, settings: Mapping[str, Any] | None = None) -> None:
        try:
            self._client = SchemaRegistryClient({**_DEFAULTS, **(settings or {}), "url": url})
        except (TypeError, ValueError, OSError) as error:
            raise Misconfigured("registry_settings", f"the registry's settings are refused: {error}") from error

    def close(self) -> None:
        """Closes the connections; the registry is of no use afterwards."""
        self._client.close()

    def schema_by_id(self, schema_id: int) -> str:
        """See Registry."""
        found = self._ask(lambda: self._client.get_schema(schema_id))
        if found is None or found.schema_str is None:
            raise unknown_schema(schema_id)
        return found.schema_str

    def lookup(self, subject: str, schema: str) -> int | None:
        """See Registry."""
        found = self._ask(lambda: self._client.lookup_schema(subject, Schema(schema, "AVRO")))
        return None if found is None else found.schema_id

    def register(self, subject: str, schema: str) -> int:
        """See Registry."""
        schema_id = self._ask(lambda: self._client.register_schema(subject, Schema(schema, "AVRO")))
        if schema_id is None:
            raise _not_a_registry()
        return schema_id

    def compatible(self, subject: str, schema: str) -> list[str]:
        """See Registry. The registry decides; our own check only says which field is why."""
        answer = self._ask(lambda: self._client.test_compatibility_all_versions(subject, Schema(schema, "AVRO")))
        # None: the subject has no version yet.
        if answer is not False:
            return []
        reasons = compat.problems(json.loads(schema), self._versions(subject))
        return reasons or ["the registry refuses it by a rule of its own; ask it with verbose=true"]

    def set_compatibility(self, subject: str, level: str) -> None:
        """See Registry."""
        _known_level(level)
        if self._ask(lambda: self._client.set_compatibility(subject, level)) is None:
            raise _not_a_registry()

    def _versions(self, subject: str) -> Iterator[tuple[str, Any]]:
        for number in self._ask(lambda: self._client.get_versions(subject)) or []:
            found = self._ask(partial(self._client.get_version, subject, number))
            if found is not None and found.schema.schema_str is not None:
                yield f"v{number}", json.loads(found.schema.schema_str)

    def _ask(self, call: Callable[[], T]) -> T | None:
        """The answer, or None for a 404."""
        try:
            return call()
        except SchemaRegistryError as error:
            if error.http_status_code == 404:
                return None
            raise _failure(error) from error
        except Exception as error:
            # The client lets the errors of its HTTP library through, and which one that is depends on its version.
            raise Retry("registry_unavailable", f"the registry did not answer: {type(error).__name__}") from error


def unknown_schema(schema_id: int) -> Reject:
    """The error for an id that no schema has."""
    return Reject("unknown_schema", f"no schema has the id {schema_id}; is it from another registry?")


def _known_level(level: str) -> None:
    # Apicurio answers an unknown one with 500, which would look as if trying again could help.
    if level not in compat.LEVELS:
        raise Misconfigured("invalid_compatibility_level", f"{level!r} is none of {', '.join(compat.LEVELS)}")


def _not_a_registry() -> Misconfigured:
    return Misconfigured("registry_refused", "the schema registry answered 404; check the path of its URL")


def _failure(error: SchemaRegistryError) -> Failure:
    what = f"the schema registry answered {error.http_status_code} (code {error.error_code})"
    message = str(error.error_message)[:300]
    match error.http_status_code:
        case 401 | 403:
            return Misconfigured("registry_refused", f"{what}; check its credentials and what they allow")
        case 409:
            return Misconfigured("incompatible_schema", f"{what}: {message}; see `tidings schemas diff`")
        case 408 | 429 | 500 | 502 | 503 | 504:
            return Retry("registry_unavailable", what)
        case _:
            return Misconfigured("registry_refused", f"{what}: {message}")


class MemoryRegistry:
    """A registry that lives as long as its process: for embedded runs and tests. Threads may share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._schemas: list[str] = []
        self._subjects: dict[str, list[int]] = {}
        self._levels: dict[str, str] = {}

    def schema_by_id(self, schema_id: int) -> str:
        """See Registry."""
        with self._lock:
            if not 0 < schema_id <= len(self._schemas):
                raise unknown_schema(schema_id)
            return self._schemas[schema_id - 1]

    def lookup(self, subject: str, schema: str) -> int | None:
        """See Registry."""
        wanted = self._parse(schema)
        with self._lock:
            candidates = self._subjects.get(subject, ())
            return next((i for i in candidates if json.loads(self._schemas[i - 1]) == wanted), None)

    def register(self, subject: str, schema: str) -> int:
        """See Registry."""
        known = self.lookup(subject, schema)
        if known is not None:
            return known
        if problems := self.compatible(subject, schema):
            raise Misconfigured("incompatible_schema", f"{subject}: {'; '.join(problems)}")
        with self._lock:
            # Equal text has one id under all subjects, as in Confluent's.
            if schema not in self._schemas:
                self._schemas.append(schema)
            schema_id = self._schemas.index(schema) + 1
            self._subjects.setdefault(subject, []).append(schema_id)
            return schema_id

    def compatible(self, subject: str, schema: str) -> list[str]:
        """See Registry."""
        parsed = self._parse(schema)
        versions = [(f"v{n}", json.loads(self.schema_by_id(i))) for n, i in enumerate(self.versions(subject), start=1)]
        return compat.problems(parsed, versions, self.compatibility(subject))

    def set_compatibility(self, subject: str, level: str) -> None:
        """See Registry. The empty subject is the default of all."""
        _known_level(level)
        with self._lock:
            self._levels[subject] = level

    def compatibility(self, subject: str = "") -> str:
        """The level in force."""
        with self._lock:
            return self._levels.get(subject) or self._levels.get("") or compat.FULL_TRANSITIVE

    def subjects(self) -> list[str]:
        """Subjects with at least one version."""
        with self._lock:
            return sorted(self._subjects)

    def versions(self, subject: str) -> list[int]:
        """The ids of the versions of a subject, oldest first; version 1 is the first."""
        with self._lock:
            return list(self._subjects.get(subject, ()))

    @staticmethod
    def _parse(schema: str) -> Any:
        try:
            parsed = json.loads(schema)
            fastavro.parse_schema(json.loads(schema))
        except (ValueError, KeyError, TypeError, fastavro.schema.SchemaParseException) as error:
            raise Misconfigured("invalid_schema", f"it is not an Avro schema: {error}") from error
        return parsed
