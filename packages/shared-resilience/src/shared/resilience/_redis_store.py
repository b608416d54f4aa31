"""Run one script on Redis within a time limit, and leave a broken Redis alone for a while."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from ._breaker import CircuitBreaker
from ._breaker_config import CircuitBreakerConfig
from ._check import choice, number
from ._telemetry import emit

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import ThreadPoolExecutor

# What identifies the server and the login; time limits and retries are ours.
_LOGIN = frozenset({
    "credential_provider",
    "db",
    "encoding",
    "encoding_errors",
    "host",
    "maint_notifications_config",
    "password",
    "path",
    "port",
    "protocol",
    "socket_keepalive",
    "socket_keepalive_options",
    "username",
})  # fmt: skip


class RedisStore:
    """Scripts on the server that a client of the user's points to.

    It connects by itself, with that client's address and login: the user's client may wait
    for minutes and retry ten times, which a limiter must not. Async callers run it in a
    small pool of threads: so one object serves all event loops, none is ever blocked, and
    both kinds of client will do.

    Args:
        redis: A ``redis.Redis`` or ``redis.asyncio.Redis`` (or a cluster of the first kind,
            which is used as it is).
        name: For telemetry.
        timeout: Seconds for connecting, and for an answer.
        retry_interval: Seconds for which a Redis that failed is left alone.
        on_error: Checked here for all users of the store.
    """

    def __init__(
        self, redis: Any, name: str, *, timeout: float, retry_interval: float, on_error: str
    ) -> None:
        self.on_error = choice("on_error", on_error, ("open", "closed", "local"))
        self.timeout = number("timeout", timeout, above=0)
        self.retry_interval = number("retry_interval", retry_interval, above=0)
        self.name = name
        self._client = _own_client(redis, self.timeout)
        # One caller at a time tries a Redis that failed; the others do without at once.
        self._breaker = CircuitBreaker(
            f"redis:{name}",
            CircuitBreakerConfig(failure_threshold=1, timeout=self.retry_interval),
        )
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()

    def script(self, text: str) -> Any:
        """Register a script."""
        return self._client.register_script(text)

    def run(self, script: Any, keys: list[str], args: list[Any]) -> Any:
        """Return the script's answer, or ``None`` if Redis cannot be asked now."""
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

        A trip that began goes on when the caller is cancelled: then ``undo`` is called with
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
        raise TypeError(f"redis must be a redis.Redis or redis.asyncio.Redis, not {redis!r}")
    kwargs = {
        key: value
        for key, value in pool.connection_kwargs.items()
        if key in _LOGIN or key.startswith("ssl")
    }
    # The classes of redis.asyncio have the names of their plain counterparts.
    kind = getattr(connection, pool.connection_class.__name__, connection.Connection)
    return Redis(
        connection_pool=connection.ConnectionPool(
            connection_class=kind,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 0),
            **kwargs,
        )
    )
