"""The circuit breaker: stop calling what keeps failing, then try again with care."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from ._circuit import OPEN, Circuit
from ._errors import CircuitOpenError
from ._telemetry import emit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ._permit import Permit

T = TypeVar("T")


class CircuitBreaker(Circuit):
    """Stop calling what keeps failing; after a while let a few probes find out if it is back.

    Use it as ``breaker.call(fn, *args)``, ``await breaker.acall(fn, *args)``, ``@breaker``,
    ``with breaker:`` or ``async with breaker:``. One breaker serves all threads, tasks and
    event loops of a process; make one for each thing that can fail by itself.

    Args:
        name: For errors and telemetry.
        config: When to open and close; the defaults of :class:`CircuitBreakerConfig` if ``None``.
        clock: Returns seconds that never go back.

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
        shared.resilience._errors.CircuitOpenError: circuit 'payments' is open
    """

    def execute(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        """Do the same as :meth:`call`."""
        return self.call(fn, *args, **kwargs)

    # The wrappers differ only in what the configuration asks of a call that goes well while
    # the circuit is closed: nothing, or one append. Everything else is `_careful`.

    def _sync(self, fn: Callable[..., T]) -> Callable[..., T]:
        config = self.config
        if config.record_result is not None or self._slow is not None:
            return self._careful(fn)
        careful = self._careful
        failed = self._ended_by
        looked_at = self._looked_at

        if config.window is None:

            def plain(*args: Any, **kwargs: Any) -> T:
                period = self._closed
                if period is None:
                    return careful(fn)(*args, **kwargs)
                try:
                    result = fn(*args, **kwargs)
                except BaseException as exc:
                    failed(period, 0.0, exc)
                    raise
                if period.failures:
                    looked_at(period)
                return result

            return plain

        def windowed(*args: Any, **kwargs: Any) -> T:
            period = self._closed
            if period is None:
                return careful(fn)(*args, **kwargs)
            try:
                result = fn(*args, **kwargs)
            except BaseException as exc:
                failed(period, 0.0, exc)
                raise
            period.note(0)  # type: ignore[misc]
            if period.failures:
                looked_at(period)
            return result

        return windowed

    def _async(self, fn: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T]]:
        config = self.config
        if config.record_result is not None or self._slow is not None:
            return self._acareful(fn)
        careful = self._acareful
        failed = self._ended_by
        looked_at = self._looked_at

        if config.window is None:

            async def plain(*args: Any, **kwargs: Any) -> T:
                period = self._closed
                if period is None:
                    return await careful(fn)(*args, **kwargs)
                try:
                    result = await fn(*args, **kwargs)
                except BaseException as exc:
                    failed(period, 0.0, exc)
                    raise
                if period.failures:
                    looked_at(period)
                return result

            return plain

        async def windowed(*args: Any, **kwargs: Any) -> T:
            period = self._closed
            if period is None:
                return await careful(fn)(*args, **kwargs)
            try:
                result = await fn(*args, **kwargs)
            except BaseException as exc:
                failed(period, 0.0, exc)
                raise
            period.note(0)  # type: ignore[misc]
            if period.failures:
                looked_at(period)
            return result

        return windowed

    def _careful(self, fn: Callable[..., T]) -> Callable[..., T]:
        def careful(*args: Any, **kwargs: Any) -> T:
            permit = self._begin()
            try:
                result = fn(*args, **kwargs)
            except BaseException as exc:
                permit.failure(exc)
                raise
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
        if permit := self.try_acquire():
            return permit
        with self._lock:
            state, last = self.state, self._last_exception
            wait = max(0.0, self._until - self._clock()) if state is OPEN else None
        emit("breaker", self.name, "rejected", state=str(state))
        raise CircuitOpenError(
            f"circuit {self.name!r} is {state.replace('_', '-')}",
            name=self.name,
            retry_after=wait,
            last_exception=last,
        )

    async def _abegin(self) -> Permit:
        return self._begin()
