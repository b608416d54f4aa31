"""Decorators that make a ``Retry`` of their arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from ._callables import describe, kind_of
from ._check import number, whole
from ._retry import Retry

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._policy import F


@overload
def retry(fn: F, /) -> F: ...
@overload
def retry(max_attempts: int | None = 3, delay: float = 1.0, **options: Any) -> Callable[[F], F]: ...
def retry(max_attempts: Any = 3, delay: float = 1.0, **options: Any) -> Any:
    """Decorate with a :class:`Retry`; ``@retry`` alone uses its defaults.

    Args:
        max_attempts: All attempts together, the first included.
        delay: Seconds before the first retry.
        **options: The other arguments of :class:`Retry`.

    Example:
        >>> @retry(max_attempts=5, delay=0.1, exceptions=ConnectionError)
        ... def fetch():
        ...     return "page"
        >>> fetch()
        'page'
    """
    if callable(max_attempts):
        return Retry(name=describe(max_attempts))(max_attempts)

    policy = Retry(max_attempts, delay, **options)

    def decorate(fn: F) -> F:
        return policy(fn)

    return decorate


@overload
def async_retry(fn: F, /) -> F: ...
@overload
def async_retry(
    max_attempts: int | None = 3, delay: float = 1.0, **options: Any
) -> Callable[[F], F]: ...
def async_retry(max_attempts: Any = 3, delay: float = 1.0, **options: Any) -> Any:
    """Decorate as :func:`retry` does, and insist on an async callable.

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
    policy = Retry() if callable(max_attempts) else Retry(max_attempts, delay, **options)

    def decorate(fn: F) -> F:
        if kind_of(fn) not in {"async", "async_generator"}:
            raise TypeError(f"async_retry decorates async functions; {describe(fn)} is not one")
        return policy(fn)

    return decorate(max_attempts) if callable(max_attempts) else decorate


def retry_with_backoff(
    max_retries: int = 3, backoff_factor: float = 2.0, **options: Any
) -> Callable[[F], F]:
    """Decorate: after the first attempt, up to ``max_retries`` more with growing pauses.

    Args:
        max_retries: Attempts after the first.
        backoff_factor: Each pause is so many times the one before.
        **options: The other arguments of :class:`Retry`.

    Example:
        >>> @retry_with_backoff(max_retries=2, backoff_factor=3.0, delay=0.01)
        ... def fetch():
        ...     return "page"
        >>> fetch()
        'page'
    """
    attempts = whole("max_retries", max_retries, least=0) + 1
    return Retry(attempts, backoff=number("backoff_factor", backoff_factor, above=0), **options)
