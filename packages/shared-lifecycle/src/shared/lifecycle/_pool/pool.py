"""A pool of anything that is expensive to create: connections, clients, models.

Counting is by permits: a resource that is being made, lent, kept or closed holds one,
and there are `max_size`. A returned resource is handed to the waiter that has waited
longest, never put back for the next caller.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, overload

from shared.core import checks
from shared.core.callables import kind_of
from shared.core.forks import keep, renew
from shared.core.waiting import Line, TaskWaiter, ThreadWaiter

from .drive import FAILED, Call, Wait, run_async, run_sync
from .errors import PoolClosed, PoolTimeout

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator
    from datetime import timedelta
    from types import TracebackType

    Waiter = ThreadWaiter[Any] | TaskWaiter[Any]

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
        min_size: The number of resources that `initialize` makes.
        max_size: The most resources that exist at once.
        timeout: Seconds to wait for a resource.
        max_lifetime: Seconds after which a resource is replaced, less up to a tenth; None: never.
        max_idle: Seconds unused after which a resource is replaced; None: never.

    Raises:
        ValueError: A number is out of its range.

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
        checks.whole("max_size", self.max_size)
        checks.whole("min_size", self.min_size, least=0, most=self.max_size)
        limits = {"timeout": checks.seconds("timeout", self.timeout, unlimited=True)}
        for name in ("max_lifetime", "max_idle"):
            value = getattr(self, name)
            if value is not None:
                limits[name] = checks.seconds(name, value, above=0, unlimited=True)
        for name, limit in limits.items():  # a timedelta became seconds
            object.__setattr__(self, name, limit)


class PoolStats(NamedTuple):
    """The state of a pool when it was read. `size` counts those being made or closed too."""

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
    """Lends resources to threads and to tasks, by `with` and `async with` alike.

    The name may also come first: `ResourcePool("buffers", bytearray)`.

    Args:
        create: Makes a resource, sync or async. An async one needs `async with`.
        close: Ends a resource; if omitted, its own `close()`, if it has one.
        validate: Called before each loan; on False or an exception the resource is replaced.
        config: The limits.
        name: For messages and the registry; if omitted, the name of `create`.
        clock: Seconds that never jump.

    Raises:
        TypeError: `create` is missing or cannot be called.

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
        create: Callable[[], Awaitable[T]],
        close: Callable[[T], Any] | None = None,
        validate: Callable[[T], Any] | None = None,
        config: ConnectionPoolConfig | None = None,
        *,
        name: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None: ...
    @overload
    def __init__(
        self,
        name: str,
        /,
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
        create: Callable[[], T],
        close: Callable[[T], Any] | None = None,
        validate: Callable[[T], Any] | None = None,
        config: ConnectionPoolConfig | None = None,
        *,
        name: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None: ...
    @overload
    def __init__(
        self,
        name: str,
        /,
        create: Callable[[], T],
        close: Callable[[T], Any] | None = None,
        validate: Callable[[T], Any] | None = None,
        config: ConnectionPoolConfig | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None: ...
    def __init__(self, *args: Any, **options: Any) -> None:
        if args and isinstance(args[0], str):
            self._set_up(*args[1:], name=args[0], **options)
        else:
            self._set_up(*args, **options)

    def _set_up(
        self,
        create: Callable[[], T | Awaitable[T]] | None = None,
        close: Callable[[T], Any] | None = None,
        validate: Callable[[T], Any] | None = None,
        config: ConnectionPoolConfig | None = None,
        *,
        name: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if config is not None and not isinstance(config, ConnectionPoolConfig):
            raise checks.refuse("config", "a ConnectionPoolConfig", config, TypeError)
        self._create: Callable[[], Any] = _function("create", create)
        self._close: Callable[[T], Any] = _function("close", close or _close)
        self._validate: Callable[[T], Any] | None = _function("validate", validate, optional=True)
        self.name: str = name or str(getattr(create, "__name__", "pool"))
        self.config: ConnectionPoolConfig = config or ConnectionPoolConfig()
        self._clock = clock
        self._closed = False
        self._empty()
        renew(self)

    def _empty(self) -> None:
        self._lock = threading.Lock()
        self._idle: deque[_Entry] = deque()
        self._lent: set[_Entry] = set()
        self._line: Line[Any] = Line()
        self._size = 0
        self._drained: list[Waiter] = []

    def renew_after_fork(self) -> None:
        """In a child: what the parent made is the parent's, even to close."""
        keep(*(entry.resource for entry in [*self._idle, *self._lent]))
        self._empty()

    # -- what users call ---------------------------------------------------------------

    def acquire(self, timeout: float | timedelta | None = None) -> Lease[T]:
        """Lend a resource for a `with` or `async with` block.

        Args:
            timeout: Seconds to wait for one; if omitted, the pool's.

        Raises:
            PoolTimeout: On entering, none became free in time.
            PoolClosed: On entering, the pool is closed.
        """
        if timeout is None:
            return Lease(self, self.config.timeout)
        return Lease(self, checks.seconds("timeout", timeout, unlimited=True))

    def initialize(self) -> None:
        """Make `min_size` resources now, so that a wrong address shows at startup."""
        run_sync(self._fill())

    async def ainitialize(self) -> None:
        """Make `min_size` resources now."""
        await run_async(self._fill())

    def close(self, timeout: float | timedelta = 0.0) -> int:
        """Close what is idle now, and what is lent when it comes back.

        Args:
            timeout: Seconds to wait for those that are lent.

        Returns:
            The number of resources that are still lent.

        Raises:
            TypeError: Resources are closed by an async function: await `aclose`.
        """
        if kind_of(self._close) == "async":
            raise TypeError(f"pool {self.name!r} closes by an async function: await aclose()")
        timeout = checks.seconds("timeout", timeout, unlimited=True)
        return run_sync(self._shut(timeout, ThreadWaiter))

    async def aclose(self, timeout: float | timedelta = 0.0) -> int:  # noqa: ASYNC109 - as close()
        """Close what is idle now, and what is lent when it comes back; see `close`."""
        timeout = checks.seconds("timeout", timeout, unlimited=True)
        return await run_async(self._shut(timeout, TaskWaiter))

    def discard(self, resource: T) -> None:
        """Mark a lent resource as broken: it is closed when it comes back, not lent again."""
        with self._lock:
            for entry in self._lent:
                if entry.resource is resource:
                    entry.broken = True

    @property
    def stats(self) -> PoolStats:
        """The current state in numbers."""
        with self._lock:
            counts = (self._size, len(self._idle), len(self._lent), len(self._line))
            return PoolStats(*counts, self.config.max_size)

    @property
    def closed(self) -> bool:
        """Whether it lends nothing any more."""
        return self._closed

    # -- operations, written once for threads and tasks (see drive.py) --------------------

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
        """Get an idle resource, or the permit to make one, in order of arrival."""
        with self._lock:
            if self._closed:
                raise PoolClosed(self.name)
            if not self._line.head():
                if self._idle:
                    return self._idle.pop()
                if self._size < self.config.max_size:
                    self._size += 1
                    return _PERMIT
            start = self._clock()
            waiter = new_waiter()
            self._line.join(waiter)
        try:
            yield Wait(waiter, timeout)
        except BaseException:
            self._withdraw(waiter)
            raise
        with self._lock:
            if not waiter.given:
                self._line.waiters.remove(waiter)
                in_use = self._size - len(self._idle)
                waited = self._clock() - start
                raise PoolTimeout(self.name, waited, in_use, self.config.max_size)
        if waiter.value is _CLOSED:
            raise PoolClosed(self.name)
        return waiter.value

    def _withdraw(self, waiter: Waiter) -> None:
        """Pass on what a cancelled waiter may have been given."""
        with self._lock:
            if not waiter.given:
                self._line.waiters.remove(waiter)
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
        return _Entry(resource, now, now + lifetime * (1 - JITTER * random.random()))  # noqa: S311 - not a secret

    def _worn(self, entry: _Entry) -> bool:
        now, idle = self._clock(), self.config.max_idle
        return now >= entry.expires_at or (idle is not None and now - entry.used_at >= idle)

    def _sound(self, entry: _Entry) -> Generator[Any, Any, bool]:
        """Call the user's validation; a permit and the entry are held."""
        if self._validate is None:
            return True

        def orphan(good: Any) -> None:
            if good is FAILED or not good:
                entry.broken = True
            self._put_back(entry)

        call = Call(self._validate, (entry.resource,), orphan)
        try:
            good = yield call
        except Exception as error:  # noqa: BLE001 - a failing check means no
            logger.info("pool %s: validation failed: %r", self.name, error)
            return False
        except BaseException:
            # Cancelled in the middle: the state of the resource is unknown.
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
        except Exception as error:  # noqa: BLE001 - it goes either way
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
            while self._give(_CLOSED):
                pass
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
        """Hand it to the waiter that has waited longest; return whether there was one."""
        while (waiter := self._line.head()) is not None:
            self._line.waiters.popleft()
            try:
                waiter.give(value)
            except RuntimeError:
                continue  # its event loop was closed just now
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
                waiter.wake()
            self._drained.clear()

    # -- what cancelled tasks leave behind -----------------------------------------------

    def _adopt(self, resource: Any) -> None:
        """Take over what a thread made for a task that was cancelled meanwhile."""
        if resource is FAILED:
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


class Lease(Generic[T]):
    """A loan: `with lease as resource` or `async with lease as resource`, once."""

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
        self._entry = run_sync(self._pool._borrow(self._timeout, ThreadWaiter))  # noqa: SLF001 - the pool's own loan
        return self._entry.resource  # type: ignore[no-any-return]

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        entry, self._entry = self._entry, None
        if entry is not None:
            run_sync(self._pool._return(entry))  # noqa: SLF001 - the pool's own loan

    async def __aenter__(self) -> T:
        self._check()
        self._entry = await run_async(self._pool._borrow(self._timeout, TaskWaiter))  # noqa: SLF001 - the pool's own loan
        return self._entry.resource  # type: ignore[no-any-return]

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        entry, self._entry = self._entry, None
        if entry is not None:
            await run_async(self._pool._return(entry))  # noqa: SLF001 - the pool's own loan


def _function(name: str, fn: Any, *, optional: bool = False) -> Any:
    """Refuse what is not a function, and generators: their resource would be the generator."""
    checks.function(name, fn, optional=optional)
    if fn is not None and kind_of(fn).endswith("generator"):
        raise checks.refuse(name, "a function that returns, not one that yields", fn, TypeError)
    return fn


def _close(resource: Any) -> Any:
    close = getattr(resource, "close", None)
    return close() if callable(close) else None
