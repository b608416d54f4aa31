"""Run one script on Redis within a time limit, and leave a broken Redis alone for a while."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from shared.core import forks
from shared.core.checks import choice, refuse, seconds

from .._breaker.breaker import CircuitBreaker
from .._breaker.config import CircuitBreakerConfig
from .._events.telemetry import emit

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import ThreadPoolExecutor
    from datetime import timedelta

_OLD_WORDS = {"open": "admit", "closed": "refuse"}
# Connection arguments that a pool adds for itself, by how they begin and end; a new pool makes
# its own. And those that only connections of redis.asyncio can use.
_OF_A_POOL = "orig_", ("_handler", "_registry", "_dispatcher")
_ASYNC = ("_func", "_class")


def outage_rule(on_error: Any) -> str:
    """Return what an argument `on_error` means: "admit", "refuse" or "local"."""
    if isinstance(on_error, str) and (new := _OLD_WORDS.get(on_error)):
        import warnings

        warnings.warn(
            f"on_error={on_error!r} is now on_error={new!r}: a breaker's states mean the opposite",
            DeprecationWarning,
            stacklevel=3,
        )
        return new
    word: str = choice("on_error", on_error, ("admit", "refuse", "local"))
    return word


class RedisStore:
    """Scripts on the server that a user's client points to.

    It connects itself, with that client's address, login and other connection arguments: the
    user's client may wait for minutes and retry ten times, which a limiter must not. Async
    callers run it in a small pool of threads: so one object serves all event loops, none is
    ever blocked, and both kinds of client will do.

    Args:
        redis: A `redis.Redis` or `redis.asyncio.Redis` (or a cluster of the first kind,
            which is used as it is).
        name: For telemetry.
        timeout: Seconds for connecting, and for an answer.
        retry_interval: Seconds for which a Redis that failed is left alone.
    """

    def __init__(
        self,
        redis: Any,
        name: str,
        *,
        timeout: float | timedelta,
        retry_interval: float | timedelta,
    ) -> None:
        self.timeout = seconds("timeout", timeout, above=0)
        self.retry_interval = seconds("retry_interval", retry_interval, above=0)
        self.name = name
        self._client = _own_client(redis, self.timeout)
        # One caller at a time tries a Redis that failed; the others go without it at once.
        self._breaker = CircuitBreaker(
            f"redis:{name}",
            CircuitBreakerConfig(failure_threshold=1, timeout=self.retry_interval),
        )
        self.renew_after_fork()
        forks.renew(self)

    def renew_after_fork(self) -> None:
        """Start again in a child, which has none of the threads; redis-py sees to its connections."""
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()

    def script(self, text: str) -> Any:
        """Register a script."""
        return self._client.register_script(text)

    def run(self, script: Any, keys: list[str], args: list[Any]) -> Any:
        """Return the script's answer, or `None` if Redis does not answer now."""
        permit = self._breaker.try_acquire()
        if permit is None:
            return None
        from redis.exceptions import RedisError

        with permit:
            try:
                return script(keys=keys, args=args)
            except (RedisError, OSError) as exc:
                permit.failure(exc)
                emit("redis", self.name, "store_failed", error=type(exc).__name__)
                return None

    async def arun(
        self,
        script: Any,
        keys: list[str],
        args: list[Any],
        undo: Callable[[Any], object] | None = None,
    ) -> Any:
        """Do the same without blocking the event loop.

        A trip that started goes on when the caller is cancelled: then `undo` is called with
        its answer, in a thread.
        """
        import asyncio

        if self._pool is None:
            with self._lock:
                if self._pool is None:
                    from concurrent.futures import ThreadPoolExecutor

                    self._pool = ThreadPoolExecutor(8, thread_name_prefix="shared-resilience-redis")
        pool = self._pool
        trip = pool.submit(self.run, script, keys, args)
        try:
            return await asyncio.wrap_future(trip)
        except asyncio.CancelledError:
            if undo is not None and not trip.cancelled():
                trip.add_done_callback(lambda done: pool.submit(undo, done.result()))
            raise


def _own_client(redis: Any, timeout: float) -> Any:
    try:
        from redis import Redis, connection
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError as exc:
        raise ImportError("limits in Redis need: pip install shared-resilience[redis]") from exc

    pool = getattr(redis, "connection_pool", None)
    if pool is None:
        if (
            callable(getattr(redis, "register_script", None))
            and "asyncio" not in type(redis).__module__
        ):
            return redis
        raise refuse("redis", "a redis.Redis or redis.asyncio.Redis", redis, TypeError)
    # The classes of redis.asyncio have the names of their plain counterparts.
    kind = getattr(connection, pool.connection_class.__name__, connection.Connection)
    is_async = "asyncio" in pool.connection_class.__module__
    arguments = {
        key: value
        for key, value in pool.connection_kwargs.items()
        if not key.startswith(_OF_A_POOL[0])
        and not key.endswith(_OF_A_POOL[1])
        and not (is_async and key.endswith(_ASYNC))
    }
    arguments |= {
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        "retry": Retry(NoBackoff(), 0),
        "retry_on_error": [],
    }
    return Redis(connection_pool=connection.ConnectionPool(connection_class=kind, **arguments))
