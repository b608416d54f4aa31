"""Reports on settings: what is wrong, what is risky, which services answer."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from shared.core import checks

from .._base.errors import ConfigurationError
from .._base.result import Finding, ServiceHealth, ValidationResult
from .._settings.settings import Settings
from .._settings.settings import settings as default_settings
from .environment import check_environment
from .providers import check_providers
from .services import check_services

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

__all__ = ["ConfigValidator", "Finding", "ServiceHealth", "ValidationResult"]

STORES = ("postgres", "clickhouse", "qdrant", "redis")


class ConfigValidator:
    """Validates settings. No method raises for its findings: they are in the result.

    Args:
        settings: The settings; if omitted, the global ones. Settings that cannot be loaded are a
            critical finding per problem.
        stores: The stores that the service uses; if omitted, all four.

    Raises:
        ValueError: A store is not one of postgres, clickhouse, qdrant, redis.

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
            raise checks.refuse("stores", f"a list of {', '.join(STORES)}", stores)
        self._settings = settings
        self._stores = tuple(store for store in STORES if store in stores)

    def validate_environment(self) -> ValidationResult:
        """Check the variables: nearly right names, and what must not be in production.

        Returns:
            The result. In staging every finding is one level milder; in development and test only
            names and contradictions are checked.
        """
        return self._guarded(lambda: check_environment(self._settings, self._stores))

    def validate_services(self, timeout: float = 2) -> ValidationResult:
        """Check whether every store answers, side by side, under one deadline and without retries.

        A store that some variable configures, and every store in production, is critical if it
        does not answer; one with only its defaults is a warning.

        Args:
            timeout: Seconds for all of them together.

        Returns:
            The result, with `health` by store.

        Raises:
            ValueError: The timeout is not above 0.
        """
        # More than a day is more than drivers and sockets accept.
        timeout = min(checks.seconds("timeout", timeout, above=0), 86400.0)
        return self._guarded(lambda: check_services(self._settings, self._stores, timeout))

    def validate_ai_providers(self) -> ValidationResult:
        """Check the API keys of the known AI providers; nothing is sent anywhere.

        Returns:
            The result. Having no provider is a recommendation, a malformed key a warning.
        """
        return self._guarded(lambda: check_providers(self._settings))

    def validate_performance_settings(self) -> ValidationResult:
        """Check intervals, timeouts and limits that do not fit each other or this machine.

        Returns:
            The result.
        """
        return self._guarded(lambda: _check_performance(self._settings))

    def validate_all(self, timeout: float = 2) -> ValidationResult:
        """Run all of the above.

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
            "1 s or more puts less load on the orchestrator",
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
            "a stuck task occupies its slot that long: shorten it",
            "recommendation",
        )
    cores = os.cpu_count() or 1
    if agent.max_concurrent_tasks > 100 * cores:
        result.add(
            "MAX_CONCURRENT_TASKS",
            f"{agent.max_concurrent_tasks} tasks share {cores} cores",
            "more than 100 per core wait for each other: lower it",
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
