"""Circuit breakers by key, and the module-level functions over one registry of names."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, overload
from weakref import WeakValueDictionary

from ._breaker import CircuitBreaker
from ._breaker_config import CircuitBreakerConfig, CircuitState, configuration
from ._callables import describe
from ._check import function, number
from ._telemetry import emit

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._policy import F


class CircuitBreakerRegistry:
    """One circuit breaker for each key (a host, a tenant), made when first asked for.

    A breaker that nobody asked for during ``max_idle`` seconds is evicted when it is
    closed, so that a registry of many keys stays small. As long as somebody else still
    holds it, :meth:`get` finds the same one again: there are never two of one key.

    Args:
        config: The configuration of breakers made here.
        max_idle: Seconds; ``None`` keeps all.
        clock: Returns seconds that never go back; the breakers get it too.

    Example:
        >>> registry = CircuitBreakerRegistry(CircuitBreakerConfig(failure_threshold=2))
        >>> registry.get("a.example") is registry.get("a.example")
        True
    """

    def __init__(
        self,
        config: CircuitBreakerConfig | None = None,
        *,
        max_idle: float | None = 3600.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = configuration(config)
        self._max_idle = None if max_idle is None else number("max_idle", max_idle, above=0)
        self._clock = function("clock", clock)
        self._lock = threading.RLock()
        # key -> (when asked for last, breaker), least recently asked for first
        self._recent: OrderedDict[str, tuple[float, CircuitBreaker]] = OrderedDict()
        self._alive: WeakValueDictionary[str, CircuitBreaker] = WeakValueDictionary()

    def get(self, key: str, config: CircuitBreakerConfig | None = None) -> CircuitBreaker:
        """Return the breaker of ``key``.

        Args:
            key: Its name.
            config: For a new breaker, instead of the registry's own.

        Raises:
            ValueError: There is one already, with another configuration.
        """
        with self._lock:
            now = self._clock()
            breaker = self._alive.get(key)
            if breaker is None:
                breaker = CircuitBreaker(key, config or self._config, clock=self._clock)
                self._alive[key] = breaker
            elif config is not None and config != breaker.config:
                raise ValueError(f"config: circuit breaker {key!r} exists with {breaker.config}")
            self._recent[key] = now, breaker
            self._recent.move_to_end(key)
            evicted = self._evict(now)
        for idle in evicted:
            emit("breaker", idle, "evicted")
        return breaker

    def _evict(self, now: float) -> list[str]:
        evicted: list[str] = []
        if self._max_idle is None:
            return evicted
        while self._recent:
            key, (asked, breaker) = next(iter(self._recent.items()))
            if now - asked < self._max_idle:
                break
            del self._recent[key]
            if breaker.state in {CircuitState.CLOSED, CircuitState.HALF_OPEN}:
                evicted.append(key)
            else:
                self._recent[key] = now, breaker  # open or forced: still needed
        return evicted

    def __contains__(self, key: object) -> bool:
        return key in self._alive

    def __len__(self) -> int:
        return len(self._recent)

    def __iter__(self) -> Any:
        with self._lock:
            return iter([breaker for _, breaker in self._recent.values()])


_named = CircuitBreakerRegistry(max_idle=None)


def get_circuit_breaker(name: str, config: CircuitBreakerConfig | None = None) -> CircuitBreaker:
    """Return the process's circuit breaker of that name, made when first asked for.

    Raises:
        ValueError: There is one already, with another configuration.

    Example:
        >>> get_circuit_breaker("docs") is get_circuit_breaker("docs")
        True
    """
    return _named.get(name, config)


def reset_circuit_breaker(name: str) -> None:
    """Close the circuit breaker of that name and forget its counts.

    Raises:
        KeyError: No breaker of that name was made.
    """
    if name not in _named:
        raise KeyError(f"no circuit breaker is named {name!r}")
    _named.get(name).reset()


def with_circuit_breaker(name: str, config: CircuitBreakerConfig | None = None) -> Callable[[F], F]:
    """Decorate with the process's circuit breaker of that name (several may share it).

    Example:
        >>> @with_circuit_breaker("docs")
        ... def fetch():
        ...     return "page"
        >>> fetch()
        'page'
    """
    return get_circuit_breaker(name, config)


@overload
def circuit_breaker(fn: F, /) -> F: ...
@overload
def circuit_breaker(
    name: str | None = None, config: CircuitBreakerConfig | None = None, **options: Any
) -> Callable[[F], F]: ...
def circuit_breaker(
    name: Any = None, config: CircuitBreakerConfig | None = None, **options: Any
) -> Any:
    """Decorate with a circuit breaker of its own.

    Args:
        name: Its name; the function's qualified name if ``None``.
        config: Its configuration.
        **options: Or the fields of :class:`CircuitBreakerConfig` themselves; ``clock`` too.

    Returns:
        A decorator; the decorated function has the breaker as ``.breaker``.

    Example:
        >>> @circuit_breaker(failure_threshold=3, timeout=30)
        ... def fetch():
        ...     return "page"
        >>> fetch(), str(fetch.breaker.state)
        ('page', 'closed')
    """
    clock = options.pop("clock", time.monotonic)
    if config is None:
        config = CircuitBreakerConfig(**options)
    elif options:
        raise TypeError(f"give config or its fields, not both: {', '.join(sorted(options))}")

    def decorate(fn: F) -> F:
        own = name if isinstance(name, str) else describe(getattr(fn, "__func__", fn))
        breaker = CircuitBreaker(own, config, clock=clock)
        decorated = breaker(fn)
        getattr(decorated, "__func__", decorated).breaker = breaker  # type: ignore[union-attr]
        return decorated

    if name is None or isinstance(name, str):
        return decorate
    return decorate(name)
