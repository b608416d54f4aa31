"""The parts of a service: made when first resolved, closed in reverse order."""

from __future__ import annotations

import contextlib
import inspect
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar, overload

from shared.core import checks
from shared.core.callables import kind_of
from shared.core.faces import PackageError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from types import TracebackType

    T = TypeVar("T")

# What is being made here, outermost first: follows calls in a thread and awaits in tasks.
_chain: ContextVar[tuple[_Part, ...]] = ContextVar("_chain", default=())


class ContainerError(PackageError):
    """A container cannot provide a part."""


class NotRegistered(ContainerError, LookupError):  # noqa: N818 - the name says what happened
    """Nothing is registered under that key."""


class CircularDependency(ContainerError):  # noqa: N818 - the name says what happened
    """A factory needs, through others, what it is making."""


class ContainerClosed(ContainerError):  # noqa: N818 - the name says what happened
    """The container is closed."""


class _Part:
    """A factory and its product."""

    def __init__(
        self, name: str, factory: Callable[..., Any], close: Callable[[Any], Any] | None
    ) -> None:
        self.name = name
        self.close = close
        self.context: Any = None
        kind = kind_of(factory)
        if kind == "generator":
            factory = contextlib.contextmanager(factory)
        elif kind == "async_generator":
            factory = contextlib.asynccontextmanager(factory)
        else:
            self.context = False
        self.factory = factory
        self.wants_container = _takes_argument(factory)
        self.made = False
        self.value: Any = None
        self.future: asyncio.Future[None] | None = None
        self.waits_for: _Part | None = None

    def call(self, container: Container) -> Any:
        """Run the factory; an async one returns an awaitable."""
        made = self.factory(container) if self.wants_container else self.factory()
        if self.context is False:
            return made
        self.context = made
        return made.__aenter__() if hasattr(made, "__aenter__") else made.__enter__()

    def end(self) -> Any:
        """Close the product; returns an awaitable if closing is async."""
        if self.close is not None:
            return self.close(self.value)
        if self.context is not False:
            exit_ = getattr(self.context, "__aexit__", None) or self.context.__exit__
            return exit_(None, None, None)
        close = getattr(self.value, "aclose", None) or getattr(self.value, "close", None)
        return close() if callable(close) and not isinstance(self.value, type) else None


class Container:
    """Factories by type or name; each runs once, when its product is first wanted.

    A factory that needs an argument receives the container, to resolve what it depends
    on. A product is closed by the `close` it was registered with, else by its `aclose()`
    or `close()`. A factory may be a generator: what follows the `yield` closes the product.

    Example:
        >>> class Database:
        ...     def close(self):
        ...         print("database closed")
        >>> container = Container()
        >>> container.register(Database, Database)
        >>> container.register("orders", lambda c: [c.resolve(Database)])
        >>> container.resolve("orders")[0] is container.resolve(Database)
        True
        >>> container.close()
        database closed
    """

    def __init__(self) -> None:
        # One lock for all: two of them, taken in two orders, would be a deadlock.
        self._lock = threading.RLock()
        self._parts: dict[Any, _Part] = {}
        self._made: list[_Part] = []
        self._closed = False

    def register(
        self,
        key: type[Any] | str,
        factory: Callable[..., Any] | None = None,
        *,
        close: Callable[[Any], Any] | None = None,
        replace: bool = False,
    ) -> None:
        """Register how a part is made.

        Args:
            key: The type or the name to resolve it by.
            factory: Makes it, sync or async; if omitted, the type itself.
            close: Called with the product to close it.
            replace: Allow another factory for a registered key, such as in tests.

        Raises:
            ValueError: The key is registered, or its product already made.
            TypeError: The factory cannot be called.
        """
        if factory is None and isinstance(key, type):
            factory = key
        name = key.__qualname__ if isinstance(key, type) else repr(key)
        if not callable(factory):
            raise checks.refuse(f"the factory of {name}", "callable", factory, TypeError)
        with self._lock:
            old = self._parts.get(key)
            if old is not None and (not replace or old.made):
                raise ValueError(f"{name} is {'made' if old.made else 'registered'} already")
            self._parts[key] = _Part(name, factory, close)

    # Not type[T]: mypy allows no protocol and no abstract class there.
    @overload
    def resolve(self, key: Callable[..., T]) -> T: ...
    @overload
    def resolve(self, key: str) -> Any: ...
    def resolve(self, key: Any) -> Any:
        """Return the part, made now if it was not yet. Threads wait for one another.

        Raises:
            NotRegistered: There is no such key; the error lists the registered ones.
            CircularDependency: Factories need one another; the error names them in order.
            ContainerClosed: The container is closed.
            TypeError: The factory is async: await `aresolve`.
        """
        with self._lock:
            part = self._part(key)
            if part.made:
                return part.value
            _refuse_cycle(part)
            if part.future is not None:
                raise TypeError(f"{part.name} is being made by an async factory: await aresolve()")
            token = _chain.set((*_chain.get(), part))
            try:
                value = part.call(self)
            finally:
                _chain.reset(token)
            if hasattr(value, "__await__"):
                getattr(value, "close", bool)()  # a coroutine that will never run
                raise TypeError(f"the factory of {part.name} is async: await aresolve()")
            return self._keep(part, value)

    @overload
    async def aresolve(self, key: Callable[..., T]) -> T: ...
    @overload
    async def aresolve(self, key: str) -> Any: ...
    async def aresolve(self, key: Any) -> Any:
        """Return the part, whose factory may be async. Tasks wait for one another.

        A task that is cancelled while it waits does not stop the making.

        Raises:
            NotRegistered: As in `resolve`; also CircularDependency and ContainerClosed.
        """
        import asyncio

        with self._lock:
            part = self._part(key)
            if part.made:
                return part.value
            _refuse_cycle(part)
            if part.future is None:
                part.future = asyncio.ensure_future(self._make(part))
            future = part.future
        chain = _chain.get()
        if chain:
            chain[-1].waits_for = part
        try:
            await asyncio.shield(future)
        finally:
            if chain:
                chain[-1].waits_for = None
        return part.value

    async def _make(self, part: _Part) -> None:
        _chain.set((*_chain.get(), part))  # its own task: no other code sees it
        try:
            value = part.call(self)
            if hasattr(value, "__await__"):
                value = await value
            with self._lock:
                self._keep(part, value)
        finally:
            part.future = None

    def _part(self, key: Any) -> _Part:
        if self._closed:
            raise ContainerClosed("the container is closed")
        try:
            return self._parts[key]
        except KeyError:
            known = ", ".join(sorted(part.name for part in self._parts.values())) or "none"
            raise NotRegistered(f"{key!r} is not registered; registered: {known}") from None

    def _keep(self, part: _Part, value: Any) -> Any:
        part.value = value
        part.made = True
        self._made.append(part)
        return value

    def close(self) -> None:
        """Close what was made, last made first; all of it, even if some of it fails.

        Raises:
            ExceptionGroup: What closing raised; a TypeError names what only `aclose` can close.
        """
        errors: list[Exception] = []
        for part in self._taken():
            try:
                result = part.end()
                if hasattr(result, "__await__"):
                    getattr(result, "close", bool)()  # a coroutine that will never run
                    raise TypeError(f"{part.name} is closed by an async function: await aclose()")
            except Exception as error:  # noqa: BLE001 - the others must be closed too
                errors.append(error)
        if errors:
            raise ExceptionGroup("parts could not be closed", errors)

    async def aclose(self) -> None:
        """Close what was made, sync or async, last made first; see `close`."""
        errors: list[Exception] = []
        for part in self._taken():
            try:
                result = part.end()
                if hasattr(result, "__await__"):
                    await result
            except Exception as error:  # noqa: BLE001 - the others must be closed too
                errors.append(error)
        if errors:
            raise ExceptionGroup("parts could not be closed", errors)

    def _taken(self) -> list[_Part]:
        with self._lock:
            self._closed = True
            made, self._made = self._made[::-1], []
        return made

    def __contains__(self, key: object) -> bool:
        return key in self._parts

    def __enter__(self) -> Container:  # noqa: PYI034 - not meant to be subclassed
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Container:  # noqa: PYI034 - not meant to be subclassed
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


def _refuse_cycle(part: _Part) -> None:
    """Follow what is being waited for: back to something made here, it would never end."""
    chain = _chain.get()
    follow: _Part | None = part
    path = []
    while follow is not None:
        path.append(follow.name)
        if follow in chain:
            names = [p.name for p in chain[chain.index(follow) :]]
            raise CircularDependency(" -> ".join([*names, *path]))
        follow = follow.waits_for


def _takes_argument(factory: Callable[..., Any]) -> bool:
    """Whether the factory has one required positional argument: the container."""
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):
        return False
    positional = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
    return any(p.kind in positional and p.default is p.empty for p in parameters)
