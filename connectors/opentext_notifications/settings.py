"""Where this messaging account is and how it is spoken to. Whatever the public record leaves open is a setting.

Maps are given as JSON, e.g. TIDINGS_OPENTEXT_NOTIFICATIONS_VOCABULARY='{"gamma": {"5000": "UNDELIVERED"}}'.
"""

from typing import Any, Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from connectors.opentext_notifications.vocabulary import Vocabulary


class Settings(BaseSettings):
    """One account. `webhook_auth` is how the provider proves itself to us, `auth` how we prove ourselves to it."""

    model_config = SettingsConfigDict(env_prefix="TIDINGS_OPENTEXT_NOTIFICATIONS_", frozen=True, extra="ignore")

    base_url: str
    account: str = "main"
    auth: Literal["basic", "oauth2"] = "basic"
    user: str = ""
    password: SecretStr = SecretStr("")
    token_url: str = ""
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    client_auth: Literal["form", "basic"] = "basic"
    scope: str | None = None

    webhook_auth: Literal["basic", "bearer", "hmac"] = "basic"
    webhook_user: str = ""
    webhook_password: SecretStr = SecretStr("")
    webhook_token: SecretStr = SecretStr("")
    webhook_bearer_header: str = "authorization"
    webhook_secret: SecretStr = SecretStr("")
    webhook_signature_header: str = "x-signature"
    webhook_max_bytes: int = Field(default=5 * 1024 * 1024, description="after decompression")

    sms_path: str = "/outbound/sms"
    email_path: str = "/outbound/emails"
    sms_status_path: str = "/outbound/sms/status?job_id={job_id}"
    email_status_path: str = "/outbound/emails/status?job_id={job_id}"
    submit_id_header: str = "X-MRA-SubmitId"

    sms_number_style: Literal["digits", "e164_plus", "double_zero"] = "digits"
    attachment_mode: Literal["body", "attachments"] = "body"
    body_types: dict[str, str] = Field(
        default={"text/html": "html", "text/plain": "text", "application/pdf": "pdf"},
        description="media type -> the provider's body type; the part after the slash where none is listed",
    )
    text_alternative: bool = Field(default=True, description="send the plain text beside the HTML body")
    from_display_name: str | None = None
    forward_reply: str | None = None
    html_open_tracking: str | None = None
    expiration_days: int | None = None
    email_options: dict[str, Any] = Field(default_factory=dict, description="merged into options.email_options")
    sms_options: dict[str, Any] = Field(default_factory=dict, description="merged into options of an SMS")
    deduplicates: bool = Field(default=True, description="the account answers a repeated message_id with the first job")

    vocabulary: Vocabulary = Vocabulary()

    timeout_s: float = 15
    connect_timeout_s: float = 5
    submit_rate_per_s: float = 10
    status_rate_per_s: float = 5
    attempts: int = 3

    @model_validator(mode="after")
    def _complete(self) -> Self:
        """A missing credential is told at start, not by the first refused call."""
        needed = {
            "basic": ("user", "password"),
            "oauth2": ("token_url", "client_id", "client_secret"),
        }[self.auth]
        proof = {
            "basic": ("webhook_user", "webhook_password"),
            "bearer": ("webhook_token",),
            "hmac": ("webhook_secret",),
        }[self.webhook_auth]
        missing = [name for name in (*needed, *proof) if not _given(getattr(self, name))]
        if missing:
            prefix = self.model_config["env_prefix"]
            raise ValueError("set " + ", ".join(f"{prefix}{name.upper()}" for name in missing))
        return self


def _given(value: str | SecretStr) -> bool:
    return bool(value.get_secret_value() if isinstance(value, SecretStr) else value)
