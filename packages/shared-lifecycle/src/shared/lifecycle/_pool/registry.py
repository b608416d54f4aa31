"""Pools by name, for a service that opens and closes them all in one place."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

from shared.core.callables import decorate, kind_of

from .errors import PoolNotFound

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from .pool import Lease, ResourcePool

P = ParamSpec("P")
R = TypeVar("R")
PoolT = TypeVar("PoolT", bound="ResourcePool[Any]")

_pools: dict[str, ResourcePool[Any]] = {}
_lock = threading.Lock()


def register_pool(pool: PoolT) -> PoolT:
    """Register a pool by its name, and return it.

    Raises:
        ValueError: Another pool of that name is registered.

    Example:
        >>> from shared.lifecycle import ResourcePool
        >>> pool = register_pool(ResourcePool("lists", list))
        >>> get_pool("lists") is pool
        True
        >>> close_pools()
    """
    with _lock:
        if _pools.get(pool.name, pool) is not pool:
            raise ValueError(f"a pool named {pool.name!r} is registered already")
        _pools[pool.name] = pool
    return pool


def get_pool(name: str) -> ResourcePool[Any]:
    """Return the registered pool of that name.

    Raises:
        PoolNotFound: There is none; the error lists the registered names.
    """
    with _lock:
        try:
            return _pools[name]
        except KeyError:
            raise PoolNotFound(name, sorted(_pools)) from None


def initialize_pools() -> None:
    """Make the `min_size` resources of every registered pool.

    Raises:
        Exception: What a pool's `create` raised, with a note that names the pool.
    """
    for pool in _all():
        try:
            pool.initialize()
        except Exception as error:
            error.add_note(f"while opening the pool {pool.name!r}")
            raise


async def ainitialize_pools() -> None:
    """Make the `min_size` resources of every registered pool, sync or async."""
    for pool in _all():
        try:
            await pool.ainitialize()
        except Exception as error:
            error.add_note(f"while opening the pool {pool.name!r}")
            raise


def close_pools(timeout: float = 0.0) -> None:
    """Close every registered pool, last registered first, and forget them.

    Args:
        timeout: Seconds to wait in each pool for what is lent.

    Raises:
        ExceptionGroup: Pools that could not be closed; the others are.
    """
    errors: list[Exception] = []
    for pool in _taken():
        try:
            pool.close(timeout)
        except Exception as error:  # noqa: BLE001 - the others must be closed too
            errors.append(error)
    if errors:
        raise ExceptionGroup("pools could not be closed", errors)


async def aclose_pools(timeout: float = 0.0) -> None:  # noqa: ASYNC109 - as close_pools()
    """Close every registered pool, sync or async, last registered first, and forget them."""
    errors: list[Exception] = []
    for pool in _taken():
        try:
            await pool.aclose(timeout)
        except Exception as error:  # noqa: BLE001 - the others must be closed too
            errors.append(error)
    if errors:
        raise ExceptionGroup("pools could not be closed", errors)


def _all() -> list[ResourcePool[Any]]:
    with _lock:
        return list(_pools.values())


def _taken() -> list[ResourcePool[Any]]:
    with _lock:
        pools = list(reversed(_pools.values()))
        _pools.clear()
    return pools


class pooled_resource:  # noqa: N801 - used as a function
    """Lend from a registered pool: as a context, sync or async, or around a function.

    The function receives the resource as its first argument; each call borrows one. The
    pool is looked up when it is used, so it may be registered later.

    Args:
        name: The pool's name.
        timeout: Seconds to wait for a resource; if omitted, the pool's.

    Example:
        >>> from shared.lifecycle import ResourcePool
        >>> pool = register_pool(ResourcePool("lists", list))
        >>> with pooled_resource("lists") as resource:
        ...     resource.append(1)
        >>> @pooled_resource("lists")
        ... def length(resource, extra):
        ...     return len(resource) + extra
        >>> length(10)
        11
        >>> close_pools()
    """

    def __init__(self, name: str, timeout: float | None = None) -> None:
        self._name = name
        self._timeout = timeout
        self._leases: list[Lease[Any]] = []

    def __call__(self, fn: Callable[Concatenate[Any, P], R]) -> Callable[P, R]:
        """Pass the function a resource as its first argument."""
        return cast("Callable[P, R]", decorate(fn, self._around, by="pooled_resource"))

    def _around(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        if kind_of(fn) == "async":

            async def borrow_async(*args: Any, **kwargs: Any) -> Any:
                async with get_pool(self._name).acquire(self._timeout) as resource:
                    return await fn(resource, *args, **kwargs)

            return borrow_async

        def borrow(*args: Any, **kwargs: Any) -> Any:
            with get_pool(self._name).acquire(self._timeout) as resource:
                return fn(resource, *args, **kwargs)

        return borrow

    def __enter__(self) -> Any:
        lease = get_pool(self._name).acquire(self._timeout)
        resource = lease.__enter__()
        self._leases.append(lease)
        return resource

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._leases.pop().__exit__(exc_type, exc, traceback)

    async def __aenter__(self) -> Any:
        lease = get_pool(self._name).acquire(self._timeout)
        resource = await lease.__aenter__()
        self._leases.append(lease)
        return resource

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._leases.pop().__aexit__(exc_type, exc, traceback)
