"""Where this Exstream is and how it is spoken to. Whatever the public record leaves open is a setting, not code.

Maps are given as JSON: TIDINGS_EXSTREAM_TEMPLATES='{"order_confirmation": {"communication_id": "..."}}'.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

ANY = "*"


class Template(BaseModel):
    """The approved communication that composes one of our templates.

    `accept` is left out to get every output queue; a media type such as "application/pdf" asks for the raw file of one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    communication_id: str
    data_source: str = "Driver"
    accept: str | None = None


class Settings(BaseSettings):
    """`templates` is looked up by the request's template, then its communication type, then "*"."""

    model_config = SettingsConfigDict(env_prefix="TIDINGS_EXSTREAM_", frozen=True, extra="ignore")

    base_url: str
    domain: str
    token_url: str
    client_id: str
    client_secret: SecretStr
    scope: str | None = "otds:groups"
    client_auth: Literal["form", "basic"] = "form"

    templates: dict[str, Template] = Field(default_factory=dict)
    extensions: dict[str, str] = Field(
        default_factory=dict, description="media type -> file name extension, beyond the known"
    )

    generate_path: str = "/orchestration/api/v1/inputs/ondemand/{domain}/generate"
    communication_header: str = "communicationId"
    data_source_header: str = "driverDataSource"

    timeout_s: float = 60
    connect_timeout_s: float = 5
    rate_per_s: float = 50
    attempts: int = 3
    concurrency: int = Field(default=8, ge=1, description="compositions in flight")
    max_output_bytes: int = Field(
        default=5_000_000, description="all outputs of one composition; keep below Kafka's record limit"
    )
