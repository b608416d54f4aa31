"""The public API as a type-checked file that is never run."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, assert_type

from openfeature import api
from openfeature.flag_evaluation import FlagResolutionDetails

from shared.config import (
    AgentSettings,
    BaseConfig,
    ClickHouseURL,
    ConfigChange,
    ConfigRegistry,
    ConfigurationError,
    ConfigValidator,
    DatabaseSettings,
    FeatureFlags,
    Finding,
    Keyring,
    LoggingSettings,
    MockCloudSettings,
    OrchestratorSettings,
    PostgresURL,
    Problem,
    QdrantURL,
    RedisURL,
    Secret,
    SecretURL,
    ServiceHealth,
    Settings,
    ValidationResult,
    Watcher,
    decrypt_config_value,
    encrypt_config_value,
    get_config,
    load_settings,
    on_config_change,
    register_config,
    settings,
    watch,
)


class AppSettings(Settings):
    api_token: Secret
    workers: int = 4


class MyConfig(BaseConfig):
    size: int = 100


def settings_and_groups(env: Mapping[str, str]) -> None:
    assert_type(load_settings(), Settings)
    app = load_settings(AppSettings, env=env, dotenv=[Path(".env"), "b.env"], secrets_dir=None)
    assert_type(app, AppSettings)
    assert_type(app.api_token.reveal(), str)
    assert_type(AppSettings(workers=3), AppSettings)
    assert_type(app.model_copy(update={"workers": 5}), AppSettings)
    assert_type(settings, Settings)
    assert_type(settings.is_production, bool)
    assert_type(settings.environment, Literal["development", "test", "staging", "production"])
    assert_type(settings.database, DatabaseSettings)
    assert_type(settings.orchestrator, OrchestratorSettings)
    assert_type(settings.mock_cloud, MockCloudSettings)
    assert_type(settings.logging, LoggingSettings)
    assert_type(settings.agent, AgentSettings)
    assert_type(settings.agent.heartbeat_interval, float)
    assert_type(settings.orchestrator.url, str)


def urls(database: DatabaseSettings) -> None:
    assert_type(database.postgres_url, PostgresURL)
    assert_type(database.clickhouse_url, ClickHouseURL)
    assert_type(database.qdrant_url, QdrantURL)
    assert_type(database.redis_url, RedisURL)
    assert_type(database.postgres_password, Secret | None)
    assert_type(database.redis_db, int)
    url: SecretURL = database.redis_url
    assert_type(url.reveal(), str)
    assert_type(url.host, str | None)
    assert_type(url.port, int | None)
    assert_type(url.options, Mapping[str, str])
    assert_type(url.encrypted, bool)
    assert_type(PostgresURL.build(host="h", port=1, password=Secret("p")), PostgresURL)
    assert_type(database.redis_url.replace(host="h"), RedisURL)


def errors(error: ConfigurationError) -> None:
    assert_type(error.problems, tuple[Problem, ...])
    assert_type(error.errors(), list[dict[str, Any]])
    assert_type(error.json(indent=2), str)
    as_value_error: ValueError = error
    print(as_value_error)


def reports() -> None:
    validator = ConfigValidator(settings, stores=["postgres"])
    result = validator.validate_services(timeout=2)
    assert_type(result, ValidationResult)
    assert_type(result.critical, list[Finding])
    assert_type(result.errors, list[Finding])
    assert_type(result.health, dict[str, ServiceHealth])
    assert_type(result.is_valid, bool)
    assert_type(result.to_dict(), dict[str, Any])
    assert_type(result.critical[0].level, Literal["critical", "warning", "recommendation"])


def components() -> None:
    register_config("my_component", MyConfig)
    config: MyConfig = get_config("my_component")
    assert_type(config.size, int)
    registry = ConfigRegistry(env={}, dotenv=None, secrets_dir=None)
    registry.register("my_component", MyConfig)
    assert_type(registry.names(), list[str])


def encryption() -> None:
    keyring = Keyring({"a": bytes(32)}, active="a")
    value = encrypt_config_value(Secret("x"), keyring, name="A")
    assert_type(value, str)
    assert_type(decrypt_config_value(value, keyring, name="A"), str)
    assert_type(Keyring.from_env({}), Keyring)
    assert_type(Keyring.parse(Keyring.generate("a")), Keyring)


def flags() -> None:
    provider = FeatureFlags({"a": True}, interval=None)
    api.set_provider_and_wait(provider)
    details = provider.resolve_boolean_details("a", default_value=False)
    assert_type(details, FlagResolutionDetails[bool])
    assert_type(provider.is_enabled("a", "ada", default=True, plan="pro"), bool)
    assert_type(provider.reload(), bool)


def reload(path: Path) -> None:
    def changed(change: ConfigChange) -> None:
        assert_type(change.changed, tuple[str, ...])
        assert_type(change.new, Settings)

    assert_type(on_config_change(changed), Callable[[], None])
    with watch(path, settings, interval=0.5) as watcher:
        assert_type(watcher, Watcher)
        assert_type(watcher.reload(), ConfigChange | None)
        assert_type(watcher.error, ConfigurationError | None)
