"""Circuit breakers by key, and one for each decorated function."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    ParamSpec,
    Protocol,
    TypeVar,
    Unpack,
    cast,
    overload,
)
from weakref import WeakValueDictionary

from shared.core import forks
from shared.core.callables import describe
from shared.core.checks import function, seconds

from .._events.telemetry import emit
from .breaker import CircuitBreaker
from .config import BreakerOptions, CircuitBreakerConfig, CircuitState, configuration

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

P = ParamSpec("P")
Q = ParamSpec("Q")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class CircuitBreakerRegistry:
    """One circuit breaker per key (a host, a tenant), made when first requested.

    A breaker that was not requested for `max_idle` seconds is evicted if it is
    closed, so that a registry of many keys stays small. As long as it is still held
    elsewhere, `get` finds the same one again: there are never two for one key.

    Args:
        config: The configuration of breakers made here.
        max_idle: Seconds; `None` keeps all.
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
        max_idle: float | timedelta | None = 3600.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = configuration(config)
        self._max_idle = None if max_idle is None else seconds("max_idle", max_idle, above=0)
        self._clock = function("clock", clock)
        self.renew_after_fork()
        forks.renew(self)
        # key -> (when requested last, breaker), least recently requested first
        self._recent: OrderedDict[str, tuple[float, CircuitBreaker]] = OrderedDict()
        self._alive: WeakValueDictionary[str, CircuitBreaker] = WeakValueDictionary()

    def renew_after_fork(self) -> None:
        """Start again in a child: the breakers are kept, each with the parent's state."""
        self._lock = threading.RLock()

    def get(self, key: str, config: CircuitBreakerConfig | None = None) -> CircuitBreaker:
        """Return the breaker for `key`.

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
            key, (requested, breaker) = next(iter(self._recent.items()))
            if now - requested < self._max_idle:
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


class Guarded(Protocol[P, T_co]):
    """A function or method that `circuit_breaker` decorated.

    Attributes:
        breaker: Its circuit breaker.
    """

    breaker: CircuitBreaker

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T_co: ...

    # mypy gets a class method this way: its first argument is a class.
    @overload
    def __get__(
        self: Guarded[Concatenate[type[Any], Q], T_co],
        instance: object,
        owner: type | None = None,
        /,
    ) -> Guarded[Q, T_co]: ...
    @overload
    def __get__(self, instance: None, owner: type | None = None, /) -> Guarded[P, T_co]: ...
    @overload
    def __get__(
        self: Guarded[Concatenate[Any, Q], T_co], instance: object, owner: type | None = None, /
    ) -> Guarded[Q, T_co]: ...


class GuardedBy(Protocol):
    """The decorator that `circuit_breaker` returns."""

    def __call__(self, fn: Callable[P, T], /) -> Guarded[P, T]: ...


class ClockedOptions(BreakerOptions, total=False):
    """The fields of a configuration, and a clock."""

    clock: Callable[[], float]


@overload
def circuit_breaker(fn: Callable[P, T], /) -> Guarded[P, T]: ...
@overload
def circuit_breaker(
    name: str | None = None,
    config: CircuitBreakerConfig | None = None,
    **options: Unpack[ClockedOptions],
) -> GuardedBy: ...
def circuit_breaker(
    name: Any = None, config: CircuitBreakerConfig | None = None, **options: Any
) -> Any:
    """Decorate with its own circuit breaker.

    Args:
        name: Its name; the function's qualified name if `None`.
        config: Its configuration.
        **options: Or the fields of `CircuitBreakerConfig` themselves; `clock` too.

    Returns:
        A decorator; the decorated function has the breaker as `.breaker`.

    Example:
        >>> @circuit_breaker(failure_threshold=3, timeout=30)
        ... def fetch():
        ...     return "page"
        >>> fetch(), str(fetch.breaker.state)
        ('page', 'closed')
    """
    clock = options.pop("clock", time.monotonic)
    config = configuration(config, cast("BreakerOptions", options))

    def decorate(fn: Any) -> Any:
        own = name if isinstance(name, str) else describe(getattr(fn, "__func__", fn))
        breaker = CircuitBreaker(own, config, clock=clock)
        decorated = breaker(fn)
        getattr(decorated, "__func__", decorated).breaker = breaker
        return decorated

    if name is None or isinstance(name, str):
        return decorate
    return decorate(name)
