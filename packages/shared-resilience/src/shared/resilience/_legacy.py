"""Names that code written for earlier packages uses; the guide says what new code uses instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack, overload

from shared.core.callables import describe, kind_of
from shared.core.checks import number, whole

from ._base.errors import CircuitOpenError
from ._breaker.registry import CircuitBreakerRegistry
from ._instead.fallback import ProviderFallback
from ._repeat.retry import Retry, RetryOptions, attempts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from ._breaker.breaker import CircuitBreaker
    from ._breaker.config import CircuitBreakerConfig
    from ._policy.policy import F

CircuitBreakerError = CircuitOpenError

_named = CircuitBreakerRegistry(max_idle=None)
_fallbacks: dict[str, ProviderFallback] = {}


def get_circuit_breaker(name: str, config: CircuitBreakerConfig | None = None) -> CircuitBreaker:
    """Return the process's circuit breaker with that name; it is made when first needed.

    Raises:
        ValueError: There is one already, with another configuration.

    Example:
        >>> get_circuit_breaker("docs") is get_circuit_breaker("docs")
        True
    """
    return _named.get(name, config)


def reset_circuit_breaker(name: str) -> None:
    """Close the circuit breaker with that name and forget its counts.

    Raises:
        KeyError: No breaker with that name was made.
    """
    if name not in _named:
        raise KeyError(f"no circuit breaker is named {name!r}")
    _named.get(name).reset()


def with_circuit_breaker(name: str, config: CircuitBreakerConfig | None = None) -> Callable[[F], F]:
    """Decorate with the process's circuit breaker with that name (several may share it).

    Example:
        >>> @with_circuit_breaker("docs")
        ... def fetch():
        ...     return "page"
        >>> fetch()
        'page'
    """
    return get_circuit_breaker(name, config)


def get_fallback(primary: str, fallbacks: Sequence[str] | None = None) -> ProviderFallback:
    """Return the process's `ProviderFallback` that starts with that provider.

    Args:
        primary: The provider to try first.
        fallbacks: The others, in their order; those of the last call for `primary` if `None`.

    Example:
        >>> get_fallback("docs", ["backup"]).providers, get_fallback("docs").providers
        (('docs', 'backup'), ('docs', 'backup'))
    """
    known = _fallbacks.get(primary)
    if known is None or (fallbacks is not None and known.providers[1:] != tuple(fallbacks)):
        known = _fallbacks[primary] = ProviderFallback(primary, fallbacks or ())
    return known


@overload
def async_retry(fn: F, /) -> F: ...
@overload
def async_retry(
    max_attempts: int | None = 3,
    delay: float | timedelta = 1.0,
    *,
    max_retries: int | None = None,
    **options: Unpack[RetryOptions],
) -> Callable[[F], F]: ...
def async_retry(
    max_attempts: Any = 3, delay: Any = 1.0, *, max_retries: int | None = None, **options: Any
) -> Any:
    """Decorate as `retry` does, and insist on an async callable.

    Raises:
        TypeError: A plain function is decorated.

    Example:
        >>> @async_retry(max_attempts=2)
        ... async def fetch():
        ...     return "page"
        >>> import asyncio
        >>> asyncio.run(fetch())
        'page'
    """
    policy: Any = Retry()
    if not callable(max_attempts):
        policy = Retry(attempts_of(max_attempts, max_retries), delay, **options)

    def decorate(fn: F) -> F:
        if kind_of(fn) not in {"async", "async_generator"}:
            raise TypeError(f"async_retry decorates async functions; {describe(fn)} is not one")
        return policy(fn)  # type: ignore[no-any-return]

    return decorate(max_attempts) if callable(max_attempts) else decorate


def retry_with_backoff(
    max_retries: int = 3,
    backoff_factor: float = 2.0,
    *,
    delay: float | timedelta = 1.0,
    **options: Unpack[RetryOptions],
) -> Callable[[F], F]:
    """Decorate: after the first attempt, up to `max_retries` more with growing pauses.

    Args:
        max_retries: Attempts after the first.
        backoff_factor: Each pause is this many times the one before.
        delay: Seconds before the first retry.
        **options: The other arguments of `Retry`.

    Example:
        >>> @retry_with_backoff(max_retries=2, backoff_factor=3.0, delay=0.01)
        ... def fetch():
        ...     return "page"
        >>> fetch()
        'page'
    """
    attempts = whole("max_retries", max_retries, least=0) + 1
    options["backoff"] = number("backoff_factor", backoff_factor, above=0)
    return Retry(attempts, delay, **options)
