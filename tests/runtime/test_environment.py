"""Settings come from the environment or from files, and mistakes are told by variable name."""

from pathlib import Path

import pytest
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams.errors import Misconfigured
from streams.runtime.environment import HIDDEN, OWN_NAMES, check_names, load, redacted
from streams.settings import Settings


class ShopSettings(BaseSettings):
    """Stands for any connector's settings."""

    model_config = SettingsConfigDict(env_prefix="TIDINGS_EXAMPLE_SHOP_")
    base_url: str = "https://user:pass@shop.example.test/api"
    access_token: SecretStr = SecretStr("")
    webhook_secrets: list[str] = ["one", "two"]
    token_url: str = "https://login.example.test/token"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each test sees only the variables it sets itself."""
    for name in [*Settings.model_fields, "secrets_dir", "require_real"]:
        monkeypatch.delenv(f"TIDINGS_{name.upper()}", raising=False)
    monkeypatch.setenv("TIDINGS_SECRETS_DIR", str(tmp_path))


def test_defaults_need_no_environment() -> None:
    """With nothing set, settings are usable on one machine and bound to the loopback address."""
    settings = load(Settings)
    assert (settings.kafka, settings.registry, settings.partitions) == ("auto", "auto", 4)
    assert settings.http_host == "127.0.0.1"
    assert (settings.max_body_bytes, settings.max_receipt_bytes) == (1024 * 1024, 5 * 1024 * 1024)


def test_variables_are_read_in_the_forms_people_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists are separated by commas, maps are JSON, and brokers are words or addresses."""
    monkeypatch.setenv("TIDINGS_KAFKA", "one.example.test:9092,two.example.test:9092")
    monkeypatch.setenv("TIDINGS_CONNECTORS", "bigcommerce, exstream")
    monkeypatch.setenv("TIDINGS_DURATIONS", '{"grace": 0.5}')
    settings = load(Settings)
    assert settings.kafka.endswith("two.example.test:9092")
    assert settings.connectors == ("bigcommerce", "exstream")
    assert settings.durations == {"grace": 0.5}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TIDINGS_KAFKA", "rabbit"),
        ("TIDINGS_REGISTRY", "ftp://registry.example.test"),
        ("TIDINGS_PARTITIONS", "0"),
        ("TIDINGS_DURATIONS", '{"grace": -1}'),
        ("TIDINGS_DURATIONS", "{grace}"),
        ("TIDINGS_LOG_LEVEL", "loud"),
    ],
)
def test_a_wrong_value_is_told_by_its_variable_and_never_quoted(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """Refusing to start names what to change and does not repeat what may be a secret."""
    monkeypatch.setenv(name, value)
    with pytest.raises(Misconfigured) as caught:
        load(Settings)
    assert caught.value.code == "bad_settings"
    assert name.removeprefix("TIDINGS_") in caught.value.detail.upper()
    assert value not in caught.value.detail


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    """A file in the secrets directory, named like the variable, holds its value."""
    (tmp_path / "tidings_example_shop_access_token").write_text("from-a-file\n")
    assert load(ShopSettings).access_token.get_secret_value() == "from-a-file"


def test_a_secrets_directory_that_is_named_must_exist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A mistyped directory refuses to start instead of running without its secrets."""
    monkeypatch.setenv("TIDINGS_SECRETS_DIR", str(tmp_path / "absent"))
    with pytest.raises(Misconfigured, match="secrets_dir_missing"):
        load(Settings)


def test_an_unknown_variable_is_an_error_that_names_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A typing mistake in a variable's name never leaves a default in force unseen."""
    monkeypatch.setenv("TIDINGS_PARTITONS", "8")
    with pytest.raises(Misconfigured, match="did you mean TIDINGS_PARTITIONS"):
        check_names([ShopSettings])


def test_an_unknown_variable_of_a_connector_names_the_nearest_of_that_connector(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A connector's variables are checked as strictly as our own."""
    monkeypatch.setenv("TIDINGS_EXAMPLE_SHOP_ACESS_TOKEN", "x")
    with pytest.raises(Misconfigured, match="did you mean TIDINGS_EXAMPLE_SHOP_ACCESS_TOKEN"):
        check_names([ShopSettings])


def test_known_variables_pass_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own settings, a connector's and the few read elsewhere are all known."""
    for name in [*OWN_NAMES, "TIDINGS_KAFKA", "TIDINGS_EXAMPLE_SHOP_BASE_URL"]:
        monkeypatch.setenv(name, "x")
    check_names([ShopSettings])


def test_what_is_in_force_can_be_shown_without_secrets() -> None:
    """The dump hides secret types, fields named like secrets and passwords inside URLs, and keeps the rest."""
    shown = redacted(ShopSettings(access_token=SecretStr("very-secret")))
    assert shown["TIDINGS_EXAMPLE_SHOP_ACCESS_TOKEN"] == HIDDEN
    assert shown["TIDINGS_EXAMPLE_SHOP_WEBHOOK_SECRETS"] == HIDDEN
    assert shown["TIDINGS_EXAMPLE_SHOP_BASE_URL"] == f"https://{HIDDEN}@shop.example.test/api"
    assert shown["TIDINGS_EXAMPLE_SHOP_TOKEN_URL"] == "https://login.example.test/token"
