"""Everything that may differ between two installations: one field each, with its default, its limits and one sentence.

They are read from the environment by `streams.runtime.environment`, once, before anything starts.
"""

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, NonNegativeFloat
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "TIDINGS_"
MIB = 1024 * 1024
BROKER_WORDS = ("auto", "local", "embedded", "docker")
_BROKER = re.compile(r"[\w.-]+:\d{1,5}(,[\w.-]+:\d{1,5})*")


def _broker(value: str) -> str:
    if value in BROKER_WORDS or _BROKER.fullmatch(value):
        return value
    msg = f"must be one of {', '.join(BROKER_WORDS)}, or host:port[,host:port]"
    raise ValueError(msg)


def _registry(value: str) -> str:
    if value in BROKER_WORDS or urlsplit(value).scheme in {"http", "https"}:
        return value
    msg = f"must be one of {', '.join(BROKER_WORDS)}, or a URL that begins with http:// or https://"
    raise ValueError(msg)


def _words(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(word for word in re.split(r"[\s,]+", value) if word)


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)]
"""A list written as people write it: `bigcommerce, exstream`."""


class Settings(BaseSettings):
    """One installation. Connectors bring their own settings under `TIDINGS_<CONNECTOR>_`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True)

    kafka: Annotated[str, AfterValidator(_broker)] = Field(
        "auto", description="Which broker: auto, local, embedded, docker, host:port."
    )
    registry: Annotated[str, AfterValidator(_registry)] = Field(
        "auto", description="Which schema registry: auto, or its URL."
    )
    embedded: bool = Field(
        default=False, description="The broker has no fencing: promise at-least-once for one worker and no more."
    )
    partitions: int = Field(4, ge=1, le=512, description="Partitions of every topic; fixed once topics exist.")
    replication_factor: int = Field(1, ge=1, le=7, description="Copies of each partition when topics are created.")
    group_prefix: str = Field(
        "tidings",
        pattern=r"^[a-z][a-z0-9._-]{0,63}$",
        description="First part of consumer groups and transactional ids.",
    )
    retry_attempts: int = Field(
        40, ge=1, description="Tries of a fetch, a composition or a write-back before it becomes a dead letter."
    )
    durations: dict[str, NonNegativeFloat] = Field(
        default_factory=dict, description="Policy times in seconds by name, as JSON; they replace the shipped ones."
    )
    state_store: Literal["memory", "rocksdb"] = Field(
        "memory", description="Where state is kept beside its changelog: rocksdb for more of it than memory holds."
    )
    data_dir: Path = Field(Path(".run"), description="Where local stores, local brokers and last words are kept.")
    connectors: Words = Field((), description="Connectors to run, separated by commas; empty means all there are.")
    http_host: str = Field("127.0.0.1", description="Where ingress, metrics and health listen.")
    http_port: int = Field(8080, ge=0, le=65535, description="Their port; 0 takes a free one.")
    max_body_bytes: int = Field(MIB, ge=1024, le=64 * MIB, description="Largest platform webhook; larger ones get 413.")
    max_receipt_bytes: int = Field(5 * MIB, ge=1024, le=64 * MIB, description="Largest receipt; larger ones get 413.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe line that is written."
    )
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="auto writes for people on a terminal, else JSON."
    )
