"""The circuit breaker: stop calling what keeps failing, then try again with care."""

from __future__ import annotations

import functools
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, Unpack

from shared.core.checks import function, text

from .._base.errors import CircuitOpenError
from .._base.later import is_later
from .._events.telemetry import emit
from .._policy.policy import Guard, until_awaited
from .circuit import Circuit
from .config import BreakerOptions, CircuitBreakerConfig, CircuitState, configuration
from .permit import Permit

if TYPE_CHECKING:
    from .permit import CircuitBreakerMetrics

T = TypeVar("T")
TransitionHook: TypeAlias = Callable[["CircuitBreaker", CircuitState, CircuitState], object]
H = TypeVar("H", bound=TransitionHook)


def refusal(name: str, state: str) -> str:
    """Return the message of a refusal; callers of earlier packages look for its first words."""
    return f"Circuit breaker is {state.replace('_', '-').upper()}: {name!r}"


class CircuitBreaker(Guard):
    """Stop calling what keeps failing; after a while let a few probes find out if it is back.

    Use it as `breaker.call(fn, *args)`, `await breaker.acall(fn, *args)`, `@breaker`,
    `with breaker:` or `async with breaker:`. One breaker serves all threads, tasks and
    event loops of a process; make one for each thing that can fail by itself.

    Args:
        name: For errors and telemetry.
        config: When to open and close; the defaults of `CircuitBreakerConfig` if `None`.
        clock: Returns seconds that never go back.
        **options: Or the fields of `CircuitBreakerConfig` themselves.

    Example:
        >>> from shared.resilience import CircuitBreakerConfig
        >>> breaker = CircuitBreaker("payments", CircuitBreakerConfig(failure_threshold=1))
        >>> breaker.call(len, "abc")
        3
        >>> breaker.call(int, "abc")
        Traceback (most recent call last):
        ValueError: invalid literal for int() with base 10: 'abc'
        >>> breaker.call(int, "1")
        Traceback (most recent call last):
        shared.resilience.CircuitOpenError: Circuit breaker is OPEN: 'payments'
    """

    def __init__(
        self,
        name: str = "circuit_breaker",
        config: CircuitBreakerConfig | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        **options: Unpack[BreakerOptions],
    ) -> None:
        self.name: str = text("name", name)
        self.config: CircuitBreakerConfig = configuration(config, options)
        self._circuit = Circuit(name, self.config, function("clock", clock))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} {self.state}>"

    @property
    def state(self) -> CircuitState:
        """The state. An open circuit whose timeout is over is half-open."""
        return self._circuit.state()

    @property
    def metrics(self) -> CircuitBreakerMetrics:
        """A snapshot of what the breaker saw."""
        return self._circuit.metrics()

    @property
    def last_exception(self) -> BaseException | None:
        """The failure that opened the circuit last; forgotten when it closes."""
        return self._circuit.last_exception

    def try_acquire(self) -> Permit | None:
        """Return a permit for a call that is not a function call.

        Returns:
            A permit, or `None` if the circuit is open.

        Example:
            >>> from shared.resilience import CircuitBreaker
            >>> breaker = CircuitBreaker("search")
            >>> if permit := breaker.try_acquire():
            ...     with permit:
            ...         print("calling")
            calling
        """
        return self._circuit.admit()

    def on_transition(self, hook: H) -> H:
        """Have `hook(breaker, old, new)` called after every change of state.

        Hooks run in the thread that caused the change, outside all locks; one that raises
        is logged and fails nothing.

        Returns:
            The hook, so that this is a decorator too.
        """
        self._circuit.listen(functools.partial(function("hook", hook), self))
        return hook

    def reset(self) -> None:
        """Close the circuit, forget all counts, and end any forced state."""
        self._circuit.force(CircuitState.CLOSED)

    def force_open(self) -> None:
        """Reject every call until `reset`."""
        self._circuit.force(CircuitState.FORCED_OPEN)

    def disable(self) -> None:
        """Let every call through and count nothing, until `reset`."""
        self._circuit.force(CircuitState.DISABLED)

    def metrics_only(self) -> None:
        """Count, but let every call through, until `reset`."""
        self._circuit.force(CircuitState.METRICS_ONLY)

    def execute(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        """Do the same as `call`."""
        return self.call(fn, *args, **kwargs)

    # A call that goes well while the circuit is closed reads one attribute, and is noted if
    # there is a window. Everything else is `_careful`.

    def _sync(self, fn: Callable[..., T]) -> Callable[..., T]:
        if self._judges_each_call():
            return self._careful(fn)
        circuit, careful = self._circuit, self._careful
        windowed = self.config.window is not None
        usual: Any = None

        def guarded(*args: Any, **kwargs: Any) -> T:
            nonlocal usual
            period = circuit.closed
            if period is None:
                return careful(fn)(*args, **kwargs)
            try:
                result = fn(*args, **kwargs)
            except BaseException as exc:
                circuit.fail(period, 0.0, exc)
                raise
            if type(result) is not usual:
                if is_later(result):
                    return until_awaited(Permit(circuit, period), result, fn)  # type: ignore[no-any-return]
                usual = type(result)
            if windowed:
                period.note(0)  # type: ignore[misc]
            if period.failures:
                circuit.judge_success(period)
            return result

        return guarded

    def _async(self, fn: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T]]:
        if self._judges_each_call():
            return self._acareful(fn)
        circuit, careful = self._circuit, self._acareful
        windowed = self.config.window is not None

        async def guarded(*args: Any, **kwargs: Any) -> T:
            period = circuit.closed
            if period is None:
                return await careful(fn)(*args, **kwargs)
            try:
                result = await fn(*args, **kwargs)
            except BaseException as exc:
                circuit.fail(period, 0.0, exc)
                raise
            if windowed:
                period.note(0)  # type: ignore[misc]
            if period.failures:
                circuit.judge_success(period)
            return result

        return guarded

    def _judges_each_call(self) -> bool:
        return self.config.record_result is not None or self.config.slow_call_duration is not None

    def _careful(self, fn: Callable[..., T]) -> Callable[..., T]:
        def careful(*args: Any, **kwargs: Any) -> T:
            permit = self._begin()
            try:
                result = fn(*args, **kwargs)
            except BaseException as exc:
                permit.failure(exc)
                raise
            if is_later(result):
                return until_awaited(permit, result, fn, judged=True)  # type: ignore[no-any-return]
            permit.success(result)
            return result

        return careful

    def _acareful(self, fn: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T]]:
        async def careful(*args: Any, **kwargs: Any) -> T:
            permit = self._begin()
            try:
                result = await fn(*args, **kwargs)
            except BaseException as exc:
                permit.failure(exc)
                raise
            permit.success(result)
            return result

        return careful

    def _begin(self) -> Permit:
        if permit := self._circuit.admit():
            return permit
        state, wait, last = self._circuit.refusal()
        emit("breaker", self.name, "rejected", state=str(state))
        raise CircuitOpenError(
            refusal(self.name, state),
            name=self.name,
            retry_after=wait,
            last_exception=last,
        )

    async def _abegin(self) -> Permit:
        return self._begin()
