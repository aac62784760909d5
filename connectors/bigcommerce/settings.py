"""What one BigCommerce store needs to be connected. One settings object is one store."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read from TIDINGS_BIGCOMMERCE_* variables."""

    model_config = SettingsConfigDict(
        env_prefix="TIDINGS_BIGCOMMERCE_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    account: str = Field(
        pattern=r"^[a-z0-9]{1,32}$", description="Store hash, as in api.bigcommerce.com/stores/<hash>."
    )
    base_url: str = Field("https://api.bigcommerce.com", pattern=r"^https?://", description="API host.")
    access_token: SecretStr = Field(description="Access token of the store's API account.")
    client_secret: SecretStr = Field(description="Client secret of that account; webhooks are signed with it.")
    previous_client_secret: SecretStr | None = Field(
        None, description="Secret of the account that is being replaced; its hooks are accepted until they are deleted."
    )
    hook_header_name: str = Field("x-tidings-hook", description="Custom header our hooks carry as a second factor.")
    hook_header_value: SecretStr | None = Field(None, description="Its value; unset means it is not asked for.")
    tolerance_s: int = Field(300, ge=1, description="How far a webhook's timestamp may be from our clock.")
    tenant: str = Field(min_length=1, description="Tenant the store belongs to.")
    brand: str = Field(min_length=1, description="Brand under which the store trades.")
    metafield_namespace: str = Field("ot_comms", min_length=3, max_length=64, description="Namespace of write-backs.")
    default_locale: str = Field("en", description="Language of the storefront, for orders and carts that name none.")
    default_country: str | None = Field(
        None, pattern=r"^[A-Z]{2}$", description="Country of national phone numbers that come without one."
    )
    rate_per_s: float = Field(4, gt=0, description="Requests per second; the store's quota is shared by all its apps.")
    timeout_s: float = Field(10, gt=0, description="How long one request may take.")
    attempts: int = Field(3, ge=1, le=10, description="Tries of one request before the record is retried later.")
