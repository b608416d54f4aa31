"""What a circuit breaker counts, and when it opens and closes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from ._check import function, number, whole

# Which exceptions: a class, some classes, or a predicate.
Exceptions: TypeAlias = type[Exception] | tuple[type[Exception], ...] | Callable[[Exception], bool]


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
    """Judge by the last ``size`` calls."""

    size: int

    def __post_init__(self) -> None:
        whole("size", self.size)


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """Judge by the calls of the last ``seconds`` (to within a hundredth of them)."""

    seconds: float

    def __post_init__(self) -> None:
        number("seconds", self.seconds, above=0)


@dataclass(frozen=True, init=False, slots=True)
class CircuitBreakerConfig:
    """When a circuit breaker opens, what it counts, how it recovers.

    Args:
        failure_threshold: Without a window: this many failures in a row open the circuit.
        timeout: Seconds that an open circuit rejects calls before it tries again.
        window: ``None``, ``CountWindow(calls)`` or ``TimeWindow(seconds)``: with a window
            the circuit opens on rates instead of on failures in a row.
        failure_rate: The share of failed calls in the window that opens it, in (0, 1].
        minimum_calls: No rate is judged on fewer calls (at most a count window's size).
        slow_call_duration: A call of at least this many seconds is slow. Without a window a
            slow call counts as a failure.
        slow_call_rate: The share of slow calls in the window that opens it, in (0, 1].
        half_open_max_calls: How many probes a half-open circuit lets run at once.
        success_threshold: How many probes must succeed to close it.
        record: Exceptions that are failures: a class, a tuple, or a predicate. Other
            exceptions count as an answer of a healthy service.
        ignore: Exceptions that count as nothing at all; stronger than ``record``.
        record_result: A predicate on the result: true makes the call a failure.
        recovery_timeout: Another name for ``timeout``.
        expected_exceptions: Another name for ``record``.

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
    record: Exceptions
    ignore: Exceptions
    record_result: Callable[[Any], bool] | None

    def __init__(
        self,
        failure_threshold: int = 5,
        timeout: float | None = None,
        window: CountWindow | TimeWindow | None = None,
        failure_rate: float = 0.5,
        minimum_calls: int = 100,
        slow_call_duration: float | None = None,
        slow_call_rate: float = 1.0,
        half_open_max_calls: int = 1,
        success_threshold: int = 1,
        record: Exceptions | None = None,
        ignore: Exceptions = (),
        record_result: Callable[[Any], bool] | None = None,
        *,
        recovery_timeout: float | None = None,
        expected_exceptions: Exceptions | None = None,
    ) -> None:
        if timeout is not None and recovery_timeout is not None:
            raise ValueError("timeout and recovery_timeout are the same thing: give one of them")
        if record is not None and expected_exceptions is not None:
            raise ValueError("record and expected_exceptions are the same thing: give one of them")
        if timeout is None:
            if recovery_timeout is not None:
                timeout = number("recovery_timeout", recovery_timeout, above=0)
            else:
                timeout = 60.0
        if record is None:
            if expected_exceptions is not None:
                record = exceptions("expected_exceptions", expected_exceptions)
            else:
                record = (Exception,)
        if window is not None and not isinstance(window, (CountWindow, TimeWindow)):
            raise TypeError(f"window must be a CountWindow, a TimeWindow or None, not {window!r}")
        if slow_call_duration is not None:
            slow_call_duration = number("slow_call_duration", slow_call_duration, above=0)
        values = {
            "failure_threshold": whole("failure_threshold", failure_threshold),
            "timeout": number("timeout", timeout, above=0),
            "window": window,
            "failure_rate": number("failure_rate", failure_rate, above=0, most=1),
            "minimum_calls": whole("minimum_calls", minimum_calls),
            "slow_call_duration": slow_call_duration,
            "slow_call_rate": number("slow_call_rate", slow_call_rate, above=0, most=1),
            "half_open_max_calls": whole("half_open_max_calls", half_open_max_calls),
            "success_threshold": whole("success_threshold", success_threshold),
            "record": exceptions("record", record),
            "ignore": exceptions("ignore", ignore),
            "record_result": function("record_result", record_result, needed=False),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def recovery_timeout(self) -> float:
        """The same as :attr:`timeout`."""
        return self.timeout

    @property
    def expected_exceptions(self) -> Exceptions:
        """The same as :attr:`record`."""
        return self.record


def configuration(config: CircuitBreakerConfig | None) -> CircuitBreakerConfig:
    """Return the configuration that an argument ``config`` means."""
    if config is None:
        return CircuitBreakerConfig()
    if not isinstance(config, CircuitBreakerConfig):
        raise TypeError(f"config must be a CircuitBreakerConfig or None, not {config!r}")
    return config


def exceptions(name: str, value: Any) -> Exceptions:
    """Check which exceptions an argument means; classes come back as a tuple."""
    if isinstance(value, type):
        value = (value,)
    if isinstance(value, (list, set, frozenset)):
        value = tuple(value)
    if not isinstance(value, tuple):
        if callable(value):
            return value  # type: ignore[no-any-return]
        raise TypeError(f"{name} must be exception classes or a predicate, not {value!r}")
    for kind in value:
        if not isinstance(kind, type) or not issubclass(kind, BaseException):
            raise TypeError(f"{name} must hold exception classes, not {kind!r}")
        if not issubclass(kind, Exception):
            raise ValueError(  # noqa: TRY004  the type is right, the value is not
                f"{name} must hold subclasses of Exception, not {kind.__name__}:"
                " cancellations and exits are never failures"
            )
    return value


def matcher(which: Exceptions) -> Callable[[Exception], bool]:
    """Make a predicate of what :func:`exceptions` accepted."""
    if isinstance(which, tuple):
        kinds = which
        return lambda exc: isinstance(exc, kinds)
    return which  # type: ignore[return-value]
