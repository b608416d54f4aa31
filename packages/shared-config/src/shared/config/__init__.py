"""Settings, secrets, validation reports and feature flags for services."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._errors import ConfigurationError, Problem
from ._groups import (
    AgentSettings,
    DatabaseSettings,
    LoggingSettings,
    MockCloudSettings,
    OrchestratorSettings,
)
from ._secrets import Secret
from ._settings import Settings, load_settings, settings
from ._stores import ClickHouseURL, PostgresURL, QdrantURL, RedisURL
from ._urls import SecretURL

if TYPE_CHECKING:
    from ._crypto import Keyring, decrypt_config_value, encrypt_config_value
    from ._flags import FeatureFlags
    from ._registry import BaseConfig, ConfigRegistry, get_config, register_config
    from ._validator import ConfigValidator, Finding, ServiceHealth, ValidationResult
    from ._watch import ConfigChange, Watcher, on_config_change, watch

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

# What settings alone do not need is imported when it is first asked for.
_LATER = {
    "_crypto": ("Keyring", "decrypt_config_value", "encrypt_config_value"),
    "_flags": ("FeatureFlags",),
    "_registry": ("BaseConfig", "ConfigRegistry", "get_config", "register_config"),
    "_validator": ("ConfigValidator", "Finding", "ServiceHealth", "ValidationResult"),
    "_watch": ("ConfigChange", "Watcher", "on_config_change", "watch"),
}


def __getattr__(name: str) -> Any:
    for module, names in _LATER.items():
        if name in names:
            try:
                value = getattr(import_module(f".{module}", __name__), name)
            except ModuleNotFoundError as error:
                if module != "_flags" or not str(error.name).startswith("openfeature"):
                    raise
                raise ImportError(
                    "feature flags need openfeature-sdk: pip install 'shared-config[flags]'"
                ) from None
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
