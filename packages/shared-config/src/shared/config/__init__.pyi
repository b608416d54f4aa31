from ._base.errors import ConfigurationError, Problem
from ._base.result import Finding, ServiceHealth, ValidationResult
from ._flags.flags import FeatureFlags
from ._secret.crypto import Keyring, decrypt_config_value, encrypt_config_value
from ._secret.secrets import Secret
from ._secret.stores import ClickHouseURL, PostgresURL, QdrantURL, RedisURL
from ._secret.urls import SecretURL
from ._settings.groups import (
    AgentSettings,
    DatabaseSettings,
    LoggingSettings,
    MockCloudSettings,
    OrchestratorSettings,
)
from ._settings.settings import Settings, load_settings, settings
from ._use.registry import BaseConfig, ConfigRegistry, get_config, register_config
from ._use.validator import ConfigValidator
from ._use.watch import ConfigChange, Watcher, on_config_change, watch

__all__ = [
    "AgentSettings",
    "BaseConfig",
    "ClickHouseURL",
    "ConfigChange",
    "ConfigRegistry",
    "ConfigValidator",
    "ConfigurationError",
    "DatabaseSettings",
    "FeatureFlags",
    "Finding",
    "Keyring",
    "LoggingSettings",
    "MockCloudSettings",
    "OrchestratorSettings",
    "PostgresURL",
    "Problem",
    "QdrantURL",
    "RedisURL",
    "Secret",
    "SecretURL",
    "ServiceHealth",
    "Settings",
    "ValidationResult",
    "Watcher",
    "decrypt_config_value",
    "encrypt_config_value",
    "get_config",
    "load_settings",
    "on_config_change",
    "register_config",
    "settings",
    "watch",
]
