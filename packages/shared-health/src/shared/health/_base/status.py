"""What a check may report: a status, or a status with a message."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from shared.core.checks import refuse

if TYPE_CHECKING:
    from collections.abc import Awaitable


class HealthStatus(enum.Enum):
    """The verdict of a check or of a group of checks.

    Example:
        >>> HealthStatus.DEGRADED.ok
        True
        >>> HealthStatus.worst([HealthStatus.HEALTHY, HealthStatus.UNHEALTHY])
        <HealthStatus.UNHEALTHY: 'unhealthy'>
    """

    HEALTHY = "healthy"
    """All is well."""
    DEGRADED = "degraded"
    """The service works, but not as it should: probes still answer 200."""
    UNHEALTHY = "unhealthy"
    """The service does not work: probes answer 503."""

    @property
    def ok(self) -> bool:
        """Whether probes answer 200."""
        return self is not HealthStatus.UNHEALTHY

    @property
    def word(self) -> str:
        """The word of `application/health+json`: `pass`, `warn` or `fail`."""
        return _WORDS[self]

    @classmethod
    def worst(cls, statuses: Any) -> HealthStatus:
        """Return the worst of some statuses; HEALTHY if there are none."""
        return max(statuses, key=_RANK.__getitem__, default=cls.HEALTHY)


_WORDS = {
    HealthStatus.HEALTHY: "pass",
    HealthStatus.DEGRADED: "warn",
    HealthStatus.UNHEALTHY: "fail",
}
_RANK = {HealthStatus.HEALTHY: 0, HealthStatus.DEGRADED: 1, HealthStatus.UNHEALTHY: 2}


class CheckResult(NamedTuple):
    """A status and a message for people; a check may return it.

    Example:
        >>> CheckResult(HealthStatus.DEGRADED, "replica lags by 12 s").status.word
        'warn'
    """

    status: HealthStatus
    message: str = ""

    @classmethod
    def of(cls, value: Any) -> CheckResult:
        """Read what a check returned.

        Args:
            value: `None` or `True` (healthy), `False` (unhealthy), a `HealthStatus` or its
                value, a `CheckResult` or a (status, message) pair, or an object with a
                boolean `ok` and optionally an `error`.

        Raises:
            TypeError: It is something else.

        Example:
            >>> CheckResult.of(None).status.value, CheckResult.of(False).status.value
            ('healthy', 'unhealthy')
        """
        match value:
            case CheckResult():
                return value
            case None | True:
                return cls(HealthStatus.HEALTHY)
            case False:
                return cls(HealthStatus.UNHEALTHY, "check returned False")
            case HealthStatus():
                return cls(value)
            case str() if value in {status.value for status in HealthStatus}:
                return cls(HealthStatus(value))
            case (HealthStatus() as status, message):
                return cls(status, str(message))
        ok = getattr(value, "ok", None)
        if isinstance(ok, bool):
            error = getattr(value, "error", None)
            message = "" if error is None else str(error)
            return cls(HealthStatus.HEALTHY if ok else HealthStatus.UNHEALTHY, message)
        allowed = "None, a bool, a HealthStatus, a CheckResult, a (HealthStatus, message) pair "
        allowed += "or an object with .ok and .error"
        raise refuse("the result of a check", allowed, value, TypeError)


class HealthCheck:
    """A check as a class: override `check`, sync or async.

    The class attributes are the settings of `Health.add`. Their defaults react sooner
    than those of `Health.add`: a single check that reports UNHEALTHY means it.

    Example:
        >>> class Always(HealthCheck):
        ...     def check(self) -> HealthStatus:
        ...         return HealthStatus.HEALTHY
        >>> Always().check_name()
        'always'
    """

    name: ClassVar[str] = ""
    """The name on the page; if empty, the class's name in lower case."""
    groups: ClassVar[tuple[str, ...]] = ("ready",)
    critical: ClassVar[bool] = True
    timeout: ClassVar[float] = 1.0
    interval: ClassVar[float] = 1.0
    initial_delay: ClassVar[float] = 0.0
    fail_after: ClassVar[int] = 1
    pass_after: ClassVar[int] = 1
    stale_after: ClassVar[float | None] = None

    def check(self) -> HealthStatus | Any | Awaitable[Any]:
        """Return anything that `CheckResult.of` reads. Raising is UNHEALTHY."""
        raise NotImplementedError(f"{type(self).__name__} must override check()")

    def check_name(self) -> str:
        """Return `name`, or the class's name as snake_case without the ending `HealthCheck`."""
        if self.name:
            return self.name
        name = type(self).__name__
        stem = name.removesuffix("HealthCheck").removesuffix("Check") or name
        return "".join(f"_{c.lower()}" if c.isupper() else c for c in stem).lstrip("_")
