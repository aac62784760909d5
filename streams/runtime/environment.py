"""Settings are read once, from the environment or from files, and checked before anything starts.

A variable with our prefix that nobody reads is an error that names the nearest known one: a typing mistake must not
leave a default in force unseen. Nothing here ever prints a secret.
"""

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, SecretBytes, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsError

from streams.errors import Misconfigured
from streams.settings import PREFIX, Settings

SECRETS_DIR = "TIDINGS_SECRETS_DIR"
DEFAULT_SECRETS_DIR = "/run/secrets"
OWN_NAMES = frozenset({SECRETS_DIR, "TIDINGS_REQUIRE_REAL"})
"""Variables read outside settings: where secrets lie, and that tests must run on a real broker and registry."""

HIDDEN = "(hidden)"
_SECRET_NAME = re.compile(r"(secret|token|password|passphrase|private_key|credentials?|api_?key)s?$", re.IGNORECASE)

S = TypeVar("S", bound=BaseSettings)


def load(kind: type[S]) -> S:
    """Settings of one kind (ours or a connector's) from the environment and the secrets directory.

    A file named like the variable, in any case, holds its value: `/run/secrets/tidings_exstream_password`.
    Raises Misconfigured with every wrong value by variable name, never with the value itself.
    """
    secrets = Path(os.environ.get(SECRETS_DIR, DEFAULT_SECRETS_DIR))
    if SECRETS_DIR in os.environ and not secrets.is_dir():
        raise Misconfigured("secrets_dir_missing", f"{SECRETS_DIR} names no directory: create it or unset the variable")
    try:
        return kind(_secrets_dir=secrets if secrets.is_dir() else None)
    except ValidationError as error:
        raise Misconfigured("bad_settings", _explain(kind, error)) from None
    except SettingsError as error:
        raise Misconfigured("bad_settings", f"{error}: lists and maps are written as JSON") from None


def _explain(kind: type[BaseSettings], error: ValidationError) -> str:
    prefix = _prefix(kind)
    items = error.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(f"{prefix}{'.'.join(str(part) for part in item['loc']).upper()}: {item['msg']}" for item in items)


def _prefix(kind: type[BaseSettings]) -> str:
    return (kind.model_config.get("env_prefix") or "").upper()


def names(kind: type[BaseSettings]) -> frozenset[str]:
    """The variables one kind of settings reads."""
    return frozenset(_prefix(kind) + name.upper() for name in kind.model_fields)


def check_names(connectors: Iterable[type[BaseSettings]] = ()) -> None:
    """Raises Misconfigured when the environment holds a variable with our prefix that nothing reads.

    `connectors` are the settings classes of all connectors, enabled or not.
    """
    known = set(OWN_NAMES)
    nested: set[str] = set()
    kinds: list[type[BaseSettings]] = [Settings, *connectors]
    for kind in kinds:
        own = names(kind)
        known |= own
        if delimiter := kind.model_config.get("env_nested_delimiter"):
            nested |= {name + delimiter.upper() for name in own}
    unknown = sorted(
        name
        for name in os.environ
        if name.upper().startswith(PREFIX) and name.upper() not in known and not name.upper().startswith(tuple(nested))
    )
    if unknown:
        raise Misconfigured("unknown_setting", "; ".join(_suggest(name, known) for name in unknown))


def _suggest(name: str, known: set[str]) -> str:
    nearest = difflib.get_close_matches(name.upper(), sorted(known), n=1, cutoff=0.6)
    return f"{name} is not a setting" + (f"; did you mean {nearest[0]}?" if nearest else ": unset it")


def redacted(settings: BaseSettings) -> dict[str, Any]:
    """What is in force, by variable name, fit to be shown: secrets and passwords in URLs are hidden."""
    prefix = _prefix(type(settings))
    return {prefix + name.upper(): _shown(name, getattr(settings, name)) for name in type(settings).model_fields}


def _shown(name: str, value: object) -> object:
    if isinstance(value, SecretStr | SecretBytes) or (value and _SECRET_NAME.search(name)):
        return HIDDEN
    if isinstance(value, BaseModel):
        return {field: _shown(field, getattr(value, field)) for field in type(value).model_fields}
    if isinstance(value, Mapping):
        return {str(key): _shown(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_shown(name, item) for item in value]
    if isinstance(value, int | float | bool) or value is None:
        return value
    return _without_userinfo(str(value))


def _without_userinfo(text: str) -> str:
    parts = urlsplit(text) if "://" in text else None
    if parts is None or "@" not in parts.netloc:
        return text
    return urlunsplit(parts._replace(netloc=f"{HIDDEN}@{parts.netloc.rpartition('@')[2]}"))
