"""What a circuit breaker counts, and when it opens and closes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypedDict

from shared.core.checks import function, number, refuse, seconds, whole

from .._base.exceptions import Exceptions, which

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta


class CircuitState(StrEnum):
    """The states of a circuit breaker. They compare equal to their text."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    FORCED_OPEN = "forced_open"
    DISABLED = "disabled"
    METRICS_ONLY = "metrics_only"


@dataclass(frozen=True, slots=True)
class CountWindow:
    """Judge by the last `size` calls."""

    size: int

    def __post_init__(self) -> None:
        whole("size", self.size)


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """Judge by the calls of the last `seconds` (to within a hundredth of them)."""

    seconds: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "seconds", seconds("seconds", self.seconds, above=0))


@dataclass(frozen=True, init=False, slots=True)
class CircuitBreakerConfig:
    """When a circuit breaker opens, what it counts, how it recovers.

    Args:
        failure_threshold: Without a window: this many failures in a row open the circuit.
        timeout: Seconds that an open circuit rejects calls before it tries again.
        window: `None`, `CountWindow(calls)` or `TimeWindow(seconds)`: with a window
            the circuit opens on rates instead of on failures in a row.
        failure_rate: The share of failed calls in the window that opens it, in (0, 1].
        minimum_calls: No rate is judged on fewer calls (at most a count window's size).
        slow_call_duration: A call of at least this many seconds is slow. Without a window a
            slow call counts as a failure.
        slow_call_rate: The share of slow calls in the window that opens it, in (0, 1].
        half_open_max_calls: How many probes a half-open circuit lets run at once.
        success_threshold: How many probes must succeed to close it.
        exceptions: What counts as a failure: a class, a tuple, or a predicate; every
            `Exception` if `None`. Others count as an answer of a healthy service.
        ignore: Exceptions that count as nothing at all; stronger than `exceptions`.
        record_result: A predicate on the result: true makes the call a failure.
        recovery_timeout: Another name for `timeout`.
        record: Another name for `exceptions`.
        expected_exceptions: Another name for `exceptions`.

    Raises:
        ValueError: A number is out of range.
        TypeError: An argument is of the wrong type.

    Example:
        >>> CircuitBreakerConfig(failure_threshold=3, recovery_timeout=30).timeout
        30.0
    """

    failure_threshold: int
    timeout: float
    window: CountWindow | TimeWindow | None
    failure_rate: float
    minimum_calls: int
    slow_call_duration: float | None
    slow_call_rate: float
    half_open_max_calls: int
    success_threshold: int
    exceptions: Exceptions
    ignore: Exceptions
    record_result: Callable[[Any], bool] | None

    def __init__(
        self,
        failure_threshold: int = 5,
        timeout: float | timedelta | None = None,
        *,
        window: CountWindow | TimeWindow | None = None,
        failure_rate: float = 0.5,
        minimum_calls: int = 100,
        slow_call_duration: float | timedelta | None = None,
        slow_call_rate: float = 1.0,
        half_open_max_calls: int = 1,
        success_threshold: int = 1,
        exceptions: Exceptions | None = None,
        ignore: Exceptions = (),
        record_result: Callable[[Any], bool] | None = None,
        recovery_timeout: float | timedelta | None = None,
        record: Exceptions | None = None,
        expected_exceptions: Exceptions | None = None,
    ) -> None:
        if timeout is not None and recovery_timeout is not None:
            raise ValueError("timeout and recovery_timeout are the same argument: pass one of them")
        name, wait = "timeout", 60.0 if timeout is None else timeout
        if recovery_timeout is not None:
            name, wait = "recovery_timeout", recovery_timeout
        if window is not None and not isinstance(window, (CountWindow, TimeWindow)):
            raise refuse("window", "a CountWindow, a TimeWindow or None", window, TypeError)
        if slow_call_duration is not None:
            slow_call_duration = seconds("slow_call_duration", slow_call_duration, above=0)
        values = {
            "failure_threshold": whole("failure_threshold", failure_threshold),
            "timeout": seconds(name, wait, above=0),
            "window": window,
            "failure_rate": number("failure_rate", failure_rate, above=0, most=1),
            "minimum_calls": whole("minimum_calls", minimum_calls),
            "slow_call_duration": slow_call_duration,
            "slow_call_rate": number("slow_call_rate", slow_call_rate, above=0, most=1),
            "half_open_max_calls": whole("half_open_max_calls", half_open_max_calls),
            "success_threshold": whole("success_threshold", success_threshold),
            "exceptions": which(
                (Exception,),
                exceptions=exceptions,
                record=record,
                expected_exceptions=expected_exceptions,
            ),
            "ignore": which((), ignore=ignore),
            "record_result": function("record_result", record_result, optional=True),
        }
        for field, value in values.items():
            object.__setattr__(self, field, value)

    @property
    def recovery_timeout(self) -> float:
        """The same as `timeout`."""
        return self.timeout

    @property
    def record(self) -> Exceptions:
        """The same as `exceptions`."""
        return self.exceptions

    @property
    def expected_exceptions(self) -> Exceptions:
        """The same as `exceptions`."""
        return self.exceptions


class BreakerOptions(TypedDict, total=False):
    """The arguments of `CircuitBreakerConfig`, where they are passed without one."""

    failure_threshold: int
    timeout: float | timedelta | None
    window: CountWindow | TimeWindow | None
    failure_rate: float
    minimum_calls: int
    slow_call_duration: float | timedelta | None
    slow_call_rate: float
    half_open_max_calls: int
    success_threshold: int
    exceptions: Exceptions | None
    ignore: Exceptions
    record_result: Callable[[Any], bool] | None
    recovery_timeout: float | timedelta | None
    record: Exceptions | None
    expected_exceptions: Exceptions | None


def configuration(
    config: CircuitBreakerConfig | None, options: BreakerOptions | None = None
) -> CircuitBreakerConfig:
    """Return the configuration that an argument `config`, or its fields, mean."""
    if config is None:
        return CircuitBreakerConfig(**(options or {}))
    if options:
        raise TypeError(f"pass config or its fields, not both: {', '.join(sorted(options))}")
    if not isinstance(config, CircuitBreakerConfig):
        raise refuse("config", "a CircuitBreakerConfig or None", config, TypeError)
    return config
