"""Pools by name, for a service that opens and closes them all in one place."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast, overload

from shared.core import checks
from shared.core.callables import decorate, kind_of
from shared.core.forks import after_fork
from shared.core.loops import running_loop

from .errors import PoolNotFound

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
    from datetime import timedelta
    from types import TracebackType
    from typing import Protocol

    from .pool import Lease, ResourcePool

    class Borrowing(Protocol[P, R_co]):
        """A function that borrows its first argument; a method the one after `self`."""

        def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...
        @overload
        def __get__(self, instance: None, owner: type, /) -> Callable[P, R_co]: ...
        @overload
        def __get__(
            self: Borrowing[Concatenate[Any, Q], R_co], instance: object, owner: type, /
        ) -> Callable[Q, R_co]: ...


PoolT = TypeVar("PoolT", bound="ResourcePool[Any]")

_pools: dict[str, ResourcePool[Any]] = {}
_lock = threading.Lock()


@after_fork
def _renew_lock() -> None:
    global _lock  # noqa: PLW0603 - another thread of the parent may have held it
    _lock = threading.Lock()


class _Done:
    """What has been done by then, as an awaitable."""

    def __await__(self) -> Generator[Any, None, None]:
        return
        yield


def register_pool(pool: PoolT) -> PoolT:
    """Register a pool by its name, and return it.

    Raises:
        ValueError: Another pool of that name is registered.

    Example:
        >>> from shared.lifecycle import ResourcePool
        >>> pool = register_pool(ResourcePool("lists", list))
        >>> get_pool("lists") is pool
        True
        >>> _ = close_pools()
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


def initialize_pools() -> Awaitable[None]:
    """Make the `min_size` resources of every registered pool.

    Outside an event loop it is done by then. In a running one, `await` it: sync functions run
    in threads, so that the loop is never blocked.

    Raises:
        Exception: What a pool's `create` raised, with a note that names the pool.
    """
    if running_loop() is not None:
        return ainitialize_pools()
    for pool in _all():
        try:
            pool.initialize()
        except Exception as error:
            error.add_note(f"while opening the pool {pool.name!r}")
            raise
    return _Done()


async def ainitialize_pools() -> None:
    """Make the `min_size` resources of every registered pool, sync or async."""
    for pool in _all():
        try:
            await pool.ainitialize()
        except Exception as error:
            error.add_note(f"while opening the pool {pool.name!r}")
            raise


def close_pools(timeout: float | timedelta = 0.0) -> Awaitable[None]:
    """Close every registered pool, last registered first, and forget them.

    Outside an event loop it is done by then. In a running one, `await` it, for sync and async
    pools alike.

    Args:
        timeout: Seconds to wait in each pool for what is lent.

    Raises:
        ExceptionGroup: Pools that could not be closed; the others are.
    """
    timeout = checks.seconds("timeout", timeout, unlimited=True)
    if running_loop() is not None:
        return aclose_pools(timeout)
    errors: list[Exception] = []
    for pool in _taken():
        try:
            pool.close(timeout)
        except Exception as error:  # noqa: BLE001 - the others must be closed too
            errors.append(error)
    if errors:
        raise ExceptionGroup("pools could not be closed", errors)
    return _Done()


async def aclose_pools(timeout: float | timedelta = 0.0) -> None:  # noqa: ASYNC109 - as close_pools()
    """Close every registered pool, sync or async, last registered first, and forget them."""
    timeout = checks.seconds("timeout", timeout, unlimited=True)
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

    The function receives the resource as its first argument, a method after `self` or `cls`;
    each call borrows one. A generator keeps it to its end. The pool is looked up when it is
    used, so it may be registered later.

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
        >>> _ = close_pools()
    """

    def __init__(self, name: str, timeout: float | timedelta | None = None) -> None:
        self._name = checks.text("name", name)
        unset = timeout is None
        self._timeout = None if unset else checks.seconds("timeout", timeout, unlimited=True)
        # One object may be used by several threads and tasks at once: each ends its own loans.
        self._leases: list[tuple[Any, Lease[Any]]] = []

    def __call__(self, fn: Callable[Concatenate[Any, P], R]) -> Borrowing[P, R]:
        """Pass the function a resource as its first argument."""
        return cast("Borrowing[P, R]", decorate(fn, self._around, by="pooled_resource"))

    def _around(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        place = int(_is_method(fn))
        kind = kind_of(fn)

        def lend() -> Lease[Any]:
            return get_pool(self._name).acquire(self._timeout)

        if kind == "async":

            async def borrow_async(*args: Any, **kwargs: Any) -> Any:
                async with lend() as resource:
                    return await fn(*args[:place], resource, *args[place:], **kwargs)

            return borrow_async
        if kind == "generator":

            def borrow_steps(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
                with lend() as resource:
                    return (yield from fn(*args[:place], resource, *args[place:], **kwargs))

            return borrow_steps
        if kind == "async_generator":

            async def borrow_steps_async(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
                async with lend() as resource:
                    steps = fn(*args[:place], resource, *args[place:], **kwargs)
                    advance, given = steps.asend, None
                    while True:
                        try:
                            item = await advance(given)
                        except StopAsyncIteration:
                            return
                        try:
                            advance, given = steps.asend, (yield item)
                        except GeneratorExit:
                            await steps.aclose()
                            raise
                        except BaseException as error:  # noqa: BLE001 - the generator decides
                            advance, given = steps.athrow, error

            return borrow_steps_async

        def borrow(*args: Any, **kwargs: Any) -> Any:
            lease = lend()
            with ExitStack() as stack:
                resource = stack.enter_context(lease)
                result = fn(*args[:place], resource, *args[place:], **kwargs)
                if not hasattr(result, "__await__"):
                    return result
                # A plain function that returns an awaitable: it still needs the resource.
                return _finish(result, stack.pop_all())

        return borrow

    def __enter__(self) -> Any:
        lease = get_pool(self._name).acquire(self._timeout)
        resource = lease.__enter__()
        self._leases.append((_user(), lease))
        return resource

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._own().__exit__(exc_type, exc, traceback)

    async def __aenter__(self) -> Any:
        lease = get_pool(self._name).acquire(self._timeout)
        resource = await lease.__aenter__()
        self._leases.append((_user(), lease))
        return resource

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._own().__aexit__(exc_type, exc, traceback)

    def _own(self) -> Lease[Any]:
        """Take the last loan of this thread or task."""
        user = _user()
        lease: Lease[Any]
        for owner, lease in reversed(self._leases.copy()):
            if owner == user:
                self._leases.remove((owner, lease))
                return lease
        _, lease = self._leases.pop()  # entered elsewhere
        return lease


def _user() -> tuple[int, Any]:
    task = None
    if running_loop() is not None:
        import asyncio

        task = asyncio.current_task()
    return threading.get_ident(), task


def _is_method(fn: Callable[..., Any]) -> bool:
    """Whether the first argument is the object or the class, by its name."""
    import inspect

    try:
        first = next(iter(inspect.signature(fn).parameters), "")
    except (TypeError, ValueError):
        return False
    return first in {"self", "cls"}


async def _finish(result: Awaitable[Any], stack: ExitStack) -> Any:
    with stack:
        return await result
