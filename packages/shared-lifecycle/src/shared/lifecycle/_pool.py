"""A pool of anything that is dear to make: connections, clients, models.

Counting is by permits: a resource that is being made, lent, kept or closed holds one,
and there are `max_size`. A returned resource is handed to the one who has waited
longest, never put back for whoever comes next.
"""

from __future__ import annotations

import inspect
import logging
import os
import random
import threading
import time
import weakref
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, overload

from ._drive import PENDING, Call, TaskWaiter, ThreadWaiter, Wait, run_async, run_sync
from ._pool_errors import PoolClosed, PoolTimeout

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator
    from types import TracebackType

    from ._drive import Waiter

T = TypeVar("T")
logger = logging.getLogger("shared.lifecycle")

_PERMIT: Any = object()
_CLOSED: Any = object()
JITTER = 0.1
"""Part of the lifetime that is random, so that resources made together do not end together."""


@dataclass(frozen=True, slots=True)
class ConnectionPoolConfig:
    """The limits of a pool.

    Args:
        min_size: resources that `initialize` makes.
        max_size: resources at once, whatever happens.
        timeout: seconds to wait for one.
        max_lifetime: seconds after which one is replaced, less up to a tenth; None: never.
        max_idle: seconds unused after which one is replaced; None: never.

    Raises:
        ValueError: a number is out of its range.

    Example:
        >>> ConnectionPoolConfig(max_size=4).timeout
        30.0
    """

    min_size: int = 0
    max_size: int = 10
    timeout: float = 30.0
    max_lifetime: float | None = 3600.0
    max_idle: float | None = 600.0

    def __post_init__(self) -> None:
        if self.max_size < 1:
            raise ValueError(f"max_size must be 1 or more, not {self.max_size!r}")
        if not 0 <= self.min_size <= self.max_size:
            raise ValueError(
                f"min_size must be from 0 to max_size ({self.max_size}), not {self.min_size!r}"
            )
        if not self.timeout >= 0:
            raise ValueError(f"timeout must be 0 s or more, not {self.timeout!r}")
        for name in ("max_lifetime", "max_idle"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name} must be a positive number of seconds, not {value!r}")


class PoolStats(NamedTuple):
    """A pool as it stood when it was read. ``size`` counts those being made or closed too."""

    size: int
    idle: int
    in_use: int
    waiting: int
    max_size: int


class _Entry:
    """A resource and its times."""

    __slots__ = ("broken", "expires_at", "resource", "used_at")

    def __init__(self, resource: Any, now: float, expires_at: float) -> None:
        self.resource = resource
        self.used_at = now
        self.expires_at = expires_at
        self.broken = False


class ResourcePool(Generic[T]):
    """Lends resources, to threads and to tasks; ``with`` and ``async with`` alike.

    Args:
        name: for messages and the registry; may be left out.
        create: makes a resource, sync or async. An async one needs ``async with``.
        close: ends one; where not given, its ``close()`` if it has one.
        validate: asked before each loan; False or an exception: it is replaced.
        config: the limits.
        clock: seconds that never jump.

    Raises:
        TypeError: `create` is missing.

    Example:
        >>> pool = ResourcePool("lists", list, config=ConnectionPoolConfig(max_size=2))
        >>> with pool.acquire() as resource:
        ...     resource.append(1)
        >>> with pool.acquire() as resource:  # the same one
        ...     resource
        [1]
        >>> pool.close()
        0
    """

    @overload
    def __init__(
        self,
        name: str = "pool",
        create: Callable[[], T | Awaitable[T]] | ConnectionPoolConfig | None = None,
        close: Callable[[T], Any] | None = None,
        validate: Callable[[T], Any] | None = None,
        config: ConnectionPoolConfig | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None: ...
    @overload
    def __init__(
        self,
        create: Callable[[], T | Awaitable[T]],
        close: Callable[[T], Any] | None = None,
        validate: Callable[[T], Any] | None = None,
        config: ConnectionPoolConfig | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None: ...
    def __init__(
        self, *args: Any, clock: Callable[[], float] = time.monotonic, **kwargs: Any
    ) -> None:
        given = _arguments(args, kwargs)
        create, close, validate, config = (given.get(n) for n in _ARGUMENTS[1:])
        name = given.get("name", getattr(create, "__name__", "pool"))
        if isinstance(create, ConnectionPoolConfig):
            create, config = None, create
        if config is not None and not isinstance(config, ConnectionPoolConfig):
            raise TypeError(
                f"config must be a ConnectionPoolConfig, not {type(config).__name__}: {config!r}"
            )
        self.name: str = name
        self.config: ConnectionPoolConfig = config or ConnectionPoolConfig()
        self._create: Callable[[], Any] = create or self._create_connection
        self._close: Callable[[T], Any] = close or self._close_connection
        self._validate: Callable[[T], Any] | None = validate
        if not callable(self._create):
            raise TypeError(f"create must be callable, not {type(create).__name__}")
        overridden = _overrides(self, "_create_connection")
        if create is None and not overridden:
            raise TypeError(
                f"pool {name!r} needs a create function, or a subclass with _create_connection()"
            )
        if validate is None and _overrides(self, "_validate_connection"):
            self._validate = self._validate_connection
        self._clock = clock
        self._lock = threading.Lock()
        self._idle: deque[_Entry] = deque()
        self._lent: set[_Entry] = set()
        self._waiters: deque[Waiter] = deque()
        self._size = 0
        self._closed = False
        self._drained: list[Waiter] = []
        _EVERY.add(self)

    # -- what a subclass may override; sync or async ----------------------------------

    def _create_connection(self) -> T | Awaitable[T]:
        raise NotImplementedError

    def _close_connection(self, connection: T) -> Any:
        close = getattr(connection, "close", None)
        return close() if callable(close) else None

    def _validate_connection(self, _connection: T) -> Any:
        return True

    # -- what users call ---------------------------------------------------------------

    def acquire(self, timeout: float | None = None) -> Lease[T]:
        """Lend a resource for a ``with`` or ``async with`` block.

        Args:
            timeout: seconds to wait for one; the pool's where not given.

        Raises:
            PoolTimeout: on entering, none became free in time.
            PoolClosed: on entering, the pool is closed.
        """
        return Lease(self, self.config.timeout if timeout is None else timeout)

    def initialize(self) -> None:
        """Make `min_size` resources now, so that a wrong address shows at the start."""
        run_sync(self._fill())

    async def ainitialize(self) -> None:
        """Make `min_size` resources now."""
        await run_async(self._fill())

    def close(self, timeout: float = 0.0) -> int:
        """Close what is idle now and what is lent when it comes back.

        Args:
            timeout: seconds to wait for those that are lent.

        Returns:
            The number of resources that are still lent.

        Raises:
            TypeError: resources are closed by an async function: await `aclose`.
        """
        if inspect.iscoroutinefunction(self._close):
            raise TypeError(f"pool {self.name!r} closes by an async function: await aclose()")
        return run_sync(self._shut(timeout, ThreadWaiter))

    async def aclose(self, timeout: float = 0.0) -> int:  # noqa: ASYNC109  as close()
        """Close what is idle now and what is lent when it comes back; see `close`."""
        return await run_async(self._shut(timeout, TaskWaiter))

    def discard(self, resource: T) -> None:
        """Say that a lent resource is broken: it is closed when it comes back, not lent again."""
        with self._lock:
            for entry in self._lent:
                if entry.resource is resource:
                    entry.broken = True

    @property
    def stats(self) -> PoolStats:
        """How many there are of what."""
        with self._lock:
            counts = (self._size, len(self._idle), len(self._lent), len(self._waiters))
            return PoolStats(*counts, self.config.max_size)

    @property
    def closed(self) -> bool:
        """Whether it gives out nothing any more."""
        return self._closed

    # -- operations, written once for threads and tasks (see _drive) --------------------

    def _borrow(
        self, timeout: float, new_waiter: Callable[[], Waiter]
    ) -> Generator[Any, Any, _Entry]:
        entry: _Entry = yield from self._obtain(timeout, new_waiter)
        while entry is not _PERMIT:
            if not self._worn(entry) and (yield from self._sound(entry)):
                with self._lock:
                    if not self._closed:
                        self._lent.add(entry)
                        return entry
                yield from self._dispose(entry)
                raise PoolClosed(self.name)
            yield from self._dispose(entry, keep_permit=True)
            with self._lock:
                if self._idle:
                    entry = self._idle.pop()
                    self._free_permit()
                else:
                    entry = _PERMIT
        return (yield from self._make())

    def _obtain(self, timeout: float, new_waiter: Callable[[], Waiter]) -> Generator[Any, Any, Any]:
        """Get an idle resource, or the permit to make one, in the order of coming."""
        with self._lock:
            if self._closed:
                raise PoolClosed(self.name)
            if not self._waiters:
                if self._idle:
                    return self._idle.pop()
                if self._size < self.config.max_size:
                    self._size += 1
                    return _PERMIT
            begin = self._clock()
            waiter = new_waiter()
            self._waiters.append(waiter)
        try:
            yield Wait(waiter, timeout)
        except BaseException:
            self._withdraw(waiter)
            raise
        with self._lock:
            if waiter.value is PENDING:
                self._waiters.remove(waiter)
                in_use = self._size - len(self._idle)
                waited = self._clock() - begin
                raise PoolTimeout(self.name, waited, in_use, self.config.max_size)
        if waiter.value is _CLOSED:
            raise PoolClosed(self.name)
        return waiter.value

    def _withdraw(self, waiter: Waiter) -> None:
        """Someone was cancelled while waiting: what it may have been given goes on."""
        with self._lock:
            if waiter.value is PENDING:
                self._waiters.remove(waiter)
            elif waiter.value is _PERMIT:
                self._free_permit()
            elif waiter.value is not _CLOSED:
                self._hand_on(waiter.value)

    def _make(self) -> Generator[Any, Any, _Entry]:
        """Make a resource; a permit is held."""
        call = Call(self._create, (), self._adopt)
        try:
            resource = yield call
        except BaseException:
            if not call.orphaned:
                with self._lock:
                    self._free_permit()
            raise
        entry = self._entry(resource)
        with self._lock:
            if not self._closed:
                self._lent.add(entry)
                return entry
        yield from self._dispose(entry)
        raise PoolClosed(self.name)

    def _entry(self, resource: Any) -> _Entry:
        now = self._clock()
        lifetime = self.config.max_lifetime
        if lifetime is None:
            return _Entry(resource, now, float("inf"))
        return _Entry(resource, now, now + lifetime * (1 - JITTER * random.random()))  # noqa: S311

    def _worn(self, entry: _Entry) -> bool:
        now, idle = self._clock(), self.config.max_idle
        return now >= entry.expires_at or (idle is not None and now - entry.used_at >= idle)

    def _sound(self, entry: _Entry) -> Generator[Any, Any, bool]:
        """Ask the user's validation; a permit and the entry are held."""
        if self._validate is None:
            return True

        def orphan(good: Any) -> None:
            if good is PENDING or not good:
                entry.broken = True
            self._put_back(entry)

        call = Call(self._validate, (entry.resource,), orphan)
        try:
            good = yield call
        except Exception as error:  # noqa: BLE001  a check that fails says no
            logger.info("pool %s: validation failed: %r", self.name, error)
            return False
        except BaseException:
            # Cancelled in the middle: nobody knows what state the resource is in.
            if not call.orphaned:
                yield from self._dispose(entry)
            raise
        return bool(good is None or good)

    def _dispose(self, entry: _Entry, *, keep_permit: bool = False) -> Generator[Any, Any, None]:
        """Close a resource; its permit is free afterwards, not before."""

        def orphan(_: Any) -> None:
            with self._lock:
                self._free_permit()

        call = Call(self._close, (entry.resource,), orphan)
        try:
            yield call
        except Exception as error:  # noqa: BLE001  it goes either way
            logger.warning("pool %s: closing a resource failed: %r", self.name, error)
        except BaseException:
            keep_permit = False
            raise
        finally:
            if not keep_permit and not call.orphaned:
                with self._lock:
                    self._free_permit()

    def _return(self, entry: _Entry) -> Generator[Any, Any, None]:
        """Take a lent resource back."""
        with self._lock:
            if entry not in self._lent:
                return  # the parent's, in a forked child
            self._lent.remove(entry)
            entry.used_at = self._clock()
            if not self._closed and not entry.broken and not self._worn(entry):
                self._hand_on(entry)
                return
        yield from self._dispose(entry)

    def _fill(self) -> Generator[Any, Any, None]:
        while True:
            with self._lock:
                if self._closed:
                    raise PoolClosed(self.name)
                if self._size >= self.config.min_size:
                    return
                self._size += 1
            entry = yield from self._make()
            yield from self._return(entry)

    def _shut(self, timeout: float, new_waiter: Callable[[], Waiter]) -> Generator[Any, Any, int]:
        with self._lock:
            self._closed = True
            idle, self._idle = list(self._idle), deque()
            while self._waiters:
                self._give(_CLOSED)
        for entry in idle:
            yield from self._dispose(entry)
        with self._lock:
            if self._size == 0 or timeout <= 0:
                return self._size
            waiter = new_waiter()
            self._drained.append(waiter)
        yield Wait(waiter, timeout)
        with self._lock:
            return self._size

    # -- with the lock held --------------------------------------------------------------

    def _give(self, value: Any) -> bool:
        """Give it to the one who has waited longest; whether anyone took it."""
        while self._waiters:
            try:
                self._waiters.popleft().give(value)
            except RuntimeError:
                continue  # its event loop is closed: it waits no more
            return True
        return False

    def _hand_on(self, entry: _Entry) -> None:
        if self._closed:
            self._close_in_thread(entry)
        elif not self._give(entry):
            self._idle.append(entry)

    def _free_permit(self) -> None:
        if self._closed or not self._give(_PERMIT):
            self._size -= 1
        if self._size == 0:
            for waiter in self._drained:
                waiter.give(None)
            self._drained.clear()

    # -- what cancelled tasks leave behind -----------------------------------------------

    def _adopt(self, resource: Any) -> None:
        """A task was cancelled while a thread made this."""
        if resource is PENDING:
            with self._lock:
                self._free_permit()
        else:
            self._put_back(self._entry(resource))

    def _put_back(self, entry: _Entry) -> None:
        with self._lock:
            if entry.broken:
                self._close_in_thread(entry)
            else:
                self._hand_on(entry)

    def _close_in_thread(self, entry: _Entry) -> None:
        threading.Thread(target=run_sync, args=(self._dispose(entry),), daemon=True).start()

    def _after_fork(self) -> None:
        """In a child: what the parent made is the parent's, even to close."""
        self._lock = threading.Lock()
        for entry in [*self._idle, *self._lent]:
            _keep_for_ever(entry.resource)
        self._idle, self._lent, self._waiters = deque(), set(), deque()
        self._size = 0
        self._drained = []


class Lease(Generic[T]):
    """A loan: ``with lease as resource`` or ``async with lease as resource``, once."""

    __slots__ = ("_entry", "_pool", "_timeout")

    def __init__(self, pool: ResourcePool[T], timeout: float) -> None:
        self._pool = pool
        self._timeout = timeout
        self._entry: _Entry | None = None

    def _check(self) -> None:
        if self._entry is not None:
            raise RuntimeError("this loan is entered already: call acquire() again for another")

    def __enter__(self) -> T:
        self._check()
        self._entry = run_sync(self._pool._borrow(self._timeout, ThreadWaiter))  # noqa: SLF001
        return self._entry.resource  # type: ignore[no-any-return]

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        entry, self._entry = self._entry, None
        if entry is not None:
            run_sync(self._pool._return(entry))  # noqa: SLF001

    async def __aenter__(self) -> T:
        self._check()
        self._entry = await run_async(self._pool._borrow(self._timeout, TaskWaiter))  # noqa: SLF001
        return self._entry.resource  # type: ignore[no-any-return]

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        entry, self._entry = self._entry, None
        if entry is not None:
            await run_async(self._pool._return(entry))  # noqa: SLF001


class ConnectionPool(ResourcePool[T]):
    """A pool of connections: made by functions, or by a subclass.

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

    def connection(self, timeout: float | None = None) -> Lease[T]:
        """Lend a connection; the same as `acquire`."""
        return self.acquire(timeout)


_ARGUMENTS = ("name", "create", "close", "validate", "config")


def _arguments(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Name what came: the pool's name is the first argument, if that is a text."""
    names = _ARGUMENTS if not args or isinstance(args[0], str) else _ARGUMENTS[1:]
    given = dict(zip(names, args, strict=False))
    twice, unknown = given.keys() & kwargs, kwargs.keys() - set(_ARGUMENTS)
    if len(args) > len(names) or twice or unknown:
        wrong = ", ".join(sorted(twice | unknown)) or f"{len(args)} positional arguments"
        raise TypeError(f"a pool takes {', '.join(names)} and clock, each once; not {wrong}")
    return given | kwargs


def _overrides(pool: ResourcePool[Any], method: str) -> bool:
    return getattr(type(pool), method) is not getattr(ResourcePool, method)


def _keep_for_ever(resource: Any) -> None:
    """Never let it be finalised here: a driver's finaliser would say goodbye to the server."""
    import ctypes

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(resource))


_EVERY: weakref.WeakSet[ResourcePool[Any]] = weakref.WeakSet()


def _after_fork() -> None:
    for pool in list(_EVERY):
        pool._after_fork()  # noqa: SLF001


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
