"""Settings, secrets, validation reports and feature flags for services."""

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
from ._urls import ClickHouseURL, PostgresURL, QdrantURL, RedisURL, SecretURL

__all__ = [
    "AgentSettings",
    "ClickHouseURL",
    "ConfigurationError",
    "DatabaseSettings",
    "LoggingSettings",
    "MockCloudSettings",
    "OrchestratorSettings",
    "PostgresURL",
    "Problem",
    "QdrantURL",
    "RedisURL",
    "Secret",
    "SecretURL",
    "Settings",
    "load_settings",
    "settings",
]
