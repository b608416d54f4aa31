"""The pool as a base class: hooks to override, and the name and limits as arguments."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar, overload

from .pool import ConnectionPoolConfig, Lease, ResourcePool

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import timedelta

T = TypeVar("T")


class ConnectionPool(ResourcePool[T]):
    """A pool of connections made by a subclass: `Pool(name, config)`.

    The arguments of `ResourcePool` are accepted too, and come before the methods.
    `_get_default_config` returns the limits of a pool that was given none.

    Example:
        >>> class Connection:
        ...     alive = True
        >>> class MyPool(ConnectionPool[Connection]):
        ...     def _create_connection(self) -> Connection:
        ...         return Connection()
        ...
        ...     def _close_connection(self, connection: Connection) -> None:
        ...         connection.alive = False
        ...
        ...     def _validate_connection(self, connection: Connection) -> bool:
        ...         return connection.alive
        >>> pool = MyPool("my_pool", ConnectionPoolConfig(min_size=1, max_size=4))
        >>> with pool.connection() as connection:
        ...     connection.alive
        True
        >>> pool.close()
        0
    """

    if TYPE_CHECKING:

        @overload
        def __init__(
            self,
            name: str,
            create: Callable[[], Awaitable[T]],
            close: Callable[[T], Any] | None = None,
            validate: Callable[[T], Any] | None = None,
            config: ConnectionPoolConfig | None = None,
            *,
            clock: Callable[[], float] = time.monotonic,
        ) -> None: ...
        @overload
        def __init__(
            self,
            name: str = "pool",
            create: ConnectionPoolConfig | Callable[[], T] | None = None,
            close: Callable[[T], Any] | None = None,
            validate: Callable[[T], Any] | None = None,
            config: ConnectionPoolConfig | None = None,
            *,
            clock: Callable[[], float] = time.monotonic,
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

    def _set_up(
        self,
        create: ConnectionPoolConfig | Callable[[], T | Awaitable[T]] | None = None,
        close: Callable[[T], Any] | None = None,
        validate: Callable[[T], Any] | None = None,
        config: ConnectionPoolConfig | None = None,
        *,
        name: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if isinstance(create, ConnectionPoolConfig):
            create, config = None, create
        if config is None and self._overrides("_get_default_config"):
            config = self._get_default_config()
        if create is None and not self._overrides("_create_connection"):
            raise TypeError(
                f"pool {name!r} needs a create function, or a subclass with _create_connection()"
            )
        if validate is None and self._overrides("_validate_connection"):
            validate = self._validate_connection
        super()._set_up(
            create or self._create_connection,
            close or self._close_connection,
            validate,
            config,
            name=name or getattr(create, "__name__", "pool"),
            clock=clock,
        )

    def _overrides(self, method: str) -> bool:
        return getattr(type(self), method) is not getattr(ConnectionPool, method)

    # What a subclass may override; sync or async.

    def _create_connection(self) -> T | Awaitable[T]:
        raise NotImplementedError

    def _close_connection(self, connection: T) -> Any:
        close = getattr(connection, "close", None)
        return close() if callable(close) else None

    def _validate_connection(self, _connection: T) -> Any:
        return True

    def _get_default_config(self) -> ConnectionPoolConfig:
        return ConnectionPoolConfig()

    def connection(self, timeout: float | timedelta | None = None) -> Lease[T]:
        """Lend a connection; the same as `acquire`."""
        return self.acquire(timeout)
