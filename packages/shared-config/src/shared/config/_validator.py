"""Reports on settings: what is wrong, what is risky, what answers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ._environment import check_environment
from ._errors import ConfigurationError
from ._providers import check_providers
from ._result import Finding, ServiceHealth, ValidationResult
from ._services import check_services
from ._settings import Settings
from ._settings import settings as default_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

__all__ = ["ConfigValidator", "Finding", "ServiceHealth", "ValidationResult"]

STORES = ("postgres", "clickhouse", "qdrant", "redis")


class ConfigValidator:
    """Validates settings. No method raises for what it finds: that is in the result.

    Args:
        settings: The settings; the global ones if not given. Settings that cannot be loaded are a
            critical finding for each problem.
        stores: The stores that the service uses; all four if not given.

    Raises:
        ValueError: If a store is not one of postgres, clickhouse, qdrant, redis.

    Example:
        >>> from shared.config import load_settings
        >>> app = load_settings(env={"ENVIRONMENT": "production", "DEBUG": "1"}, dotenv=None)
        >>> result = ConfigValidator(app, stores=["postgres"]).validate_environment()
        >>> result.is_valid
        False
        >>> for finding in result.critical:
        ...     print(finding)
        DEBUG: is on in production; set DEBUG=false
        POSTGRES_PASSWORD: is not set; set it, POSTGRES_PASSWORD_FILE or POSTGRES_URL
    """

    def __init__(
        self, settings: Settings = default_settings, *, stores: Collection[str] = STORES
    ) -> None:
        unknown = [store for store in stores if store not in STORES]
        if unknown or isinstance(stores, str):
            raise ValueError(f"stores: {stores!r} is not a list out of {', '.join(STORES)}")
        self._settings = settings
        self._stores = tuple(store for store in STORES if store in stores)

    def validate_environment(self) -> ValidationResult:
        """Look at the variables: nearly right names, and what production does not forgive.

        Returns:
            The result. In staging every finding is one level milder; in development and test only
            names and contradictions are looked at.
        """
        return self._guarded(lambda: check_environment(self._settings, self._stores))

    def validate_services(self, timeout: float = 2) -> ValidationResult:
        """Ask every store, side by side, under one deadline and without retries.

        A store that some variable configures, and every store in production, is critical when it
        does not answer; one that only has its defaults is a warning.

        Args:
            timeout: Seconds for all of them together.

        Returns:
            The result, with ``health`` by store.

        Raises:
            ValueError: If the timeout is no number of seconds > 0.
        """
        if isinstance(timeout, bool) or not 0 < timeout < float("inf"):
            raise ValueError(f"timeout: {timeout!r} is not a number of seconds > 0")
        return self._guarded(lambda: check_services(self._settings, self._stores, timeout))

    def validate_ai_providers(self) -> ValidationResult:
        """Look at the API keys of the known AI providers; nothing is sent to anybody.

        Returns:
            The result. Having no provider is a recommendation, a malformed key a warning.
        """
        return self._guarded(lambda: check_providers(self._settings))

    def validate_performance_settings(self) -> ValidationResult:
        """Look at intervals, timeouts and limits that do not fit together or this machine.

        Returns:
            The result.
        """
        return self._guarded(lambda: _check_performance(self._settings))

    def validate_all(self, timeout: float = 2) -> ValidationResult:
        """Do all of the above.

        Args:
            timeout: Seconds for all services together.

        Returns:
            The result.
        """
        result = self.validate_environment()
        for part in (
            self.validate_services(timeout),
            self.validate_ai_providers(),
            self.validate_performance_settings(),
        ):
            result.merge(part)
        return result

    def _guarded(self, check: Callable[[], ValidationResult]) -> ValidationResult:
        try:
            return check()
        except ConfigurationError as error:  # the lazy settings cannot be loaded
            result = ValidationResult()
            for problem in error.problems:
                result.add(problem.variable or "settings", problem.message, "", "critical")
            return result


def _check_performance(settings: Settings) -> ValidationResult:
    result, agent = ValidationResult(), settings.agent
    if agent.heartbeat_interval >= agent.task_timeout:
        result.add(
            "HEARTBEAT_INTERVAL",
            f"{agent.heartbeat_interval:g} s is not shorter than TASK_TIMEOUT, {agent.task_timeout:g} s",
            "a task would time out before it is known to be alive: shorten the interval",
            "warning",
        )
    if agent.heartbeat_interval < 1:
        result.add(
            "HEARTBEAT_INTERVAL",
            f"{agent.heartbeat_interval:g} s is very short",
            "1 s or more spares the orchestrator",
            "recommendation",
        )
    if agent.heartbeat_interval > 300:
        result.add(
            "HEARTBEAT_INTERVAL",
            f"{agent.heartbeat_interval:g} s is very long",
            "a dead agent is noticed late: 300 s or less",
            "recommendation",
        )
    if agent.task_timeout > 3600:
        result.add(
            "TASK_TIMEOUT",
            f"{agent.task_timeout:g} s is more than an hour",
            "a stuck task holds its place that long: shorten it",
            "recommendation",
        )
    cores = os.cpu_count() or 1
    if agent.max_concurrent_tasks > 100 * cores:
        result.add(
            "MAX_CONCURRENT_TASKS",
            f"{agent.max_concurrent_tasks} tasks share {cores} cores",
            "more than 100 a core wait for each other: lower it",
            "warning",
        )
    if settings.is_production and agent.max_concurrent_tasks == 1:
        result.add(
            "MAX_CONCURRENT_TASKS",
            "one task at a time in production",
            "raise it if tasks wait for networks or disks",
            "recommendation",
        )
    if settings.is_production and settings.logging.level == "DEBUG":
        result.add(
            "LOG_LEVEL",
            "DEBUG in production costs time and disk",
            "set LOG_LEVEL=INFO",
            "warning",
        )
    return result
