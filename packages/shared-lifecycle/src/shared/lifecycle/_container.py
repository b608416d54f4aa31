"""The parts of a service: made when first resolved, closed in reverse order."""

from __future__ import annotations

import contextlib
import inspect
import threading
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, overload

from shared.core import checks
from shared.core.callables import kind_of
from shared.core.faces import PackageError
from shared.core.forks import renew

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from concurrent.futures import Future
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
        self.wants_container = _wants_container(name, factory)
        self.kind = kind_of(factory)
        if self.kind == "generator":
            factory = contextlib.contextmanager(factory)
        elif self.kind == "async_generator":
            factory = contextlib.asynccontextmanager(factory)
        self.factory = factory
        self.made = False
        self.value: Any = None
        self.context: Any = None
        self.making: Future[None] | None = None
        self.task: asyncio.Task[None] | None = None
        self.release: asyncio.Event | None = None
        self.waits_for: _Part | None = None

    def call(self, container: Container) -> Any:
        """Run the factory; an async one returns an awaitable, one that yields the value."""
        made = self.factory(container) if self.wants_container else self.factory()
        if self.kind != "generator":
            return made
        self.context = made
        return made.__enter__()

    def end(self) -> Any:
        """Close the product; returns an awaitable if closing is async."""
        if self.close is not None:
            if self.kind == "async_generator":
                return self._close_and_leave()
            return self.close(self.value)
        if self.kind == "async_generator":
            return self.leave()
        if self.kind == "generator":
            return self.context.__exit__(None, None, None)
        close = getattr(self.value, "aclose", None) or getattr(self.value, "close", None)
        return close() if callable(close) and not isinstance(self.value, type) else None

    async def _close_and_leave(self) -> None:
        assert self.close is not None
        try:
            result = self.close(self.value)
            if hasattr(result, "__await__"):
                await result
        finally:
            await self.leave()

    async def leave(self) -> None:
        """Let the task that entered the context leave it, on its own event loop."""
        import asyncio

        task, release = self.task, self.release
        assert task is not None
        assert release is not None
        loop = task.get_loop()
        if loop is asyncio.get_running_loop():
            release.set()
            await task
        elif not loop.is_closed():
            if not loop.is_running():
                raise RuntimeError(f"{self.name} was made on an event loop that does not run now")
            loop.call_soon_threadsafe(release.set)
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_end_of(task), loop))


async def _end_of(task: asyncio.Task[None]) -> None:
    await task


class Container:
    """Factories by type or name; each runs once, when its product is first wanted.

    A function that needs an argument receives the container, to resolve what it depends
    on; a class only if its argument is annotated as `Container` or named `container`. A product
    is closed by the `close` it was registered with, else by its `aclose()` or `close()`. A
    factory may be a generator: what follows the `yield` closes the product. An async one
    starts and ends in the same task, as cancel scopes and task groups require.

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
        renew(self)

    def renew_after_fork(self) -> None:
        """In a child: another thread may have held the lock, and makes nothing here."""
        self._lock = threading.RLock()
        for part in self._parts.values():
            part.waits_for = None
            if not part.made:
                part.making = part.task = None
        # What lives in a task of the parent's loop is the parent's, even to close.
        self._made = [part for part in self._made if part.release is None]

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
            TypeError: The factory cannot be called, or not without arguments.
        """
        if factory is None and isinstance(key, type):
            factory = key
            if inspect.isabstract(key) or getattr(key, "_is_protocol", False):
                raise TypeError(f"{key.__qualname__} is abstract: register a factory for it")
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
            if part.making is not None:
                raise TypeError(f"{part.name} is being made by an async factory: await aresolve()")
            if part.kind.startswith("async"):
                raise TypeError(f"the factory of {part.name} is async: await aresolve()")
            token = _chain.set((*_chain.get(), part))
            try:
                value = part.call(self)
            finally:
                _chain.reset(token)
            if hasattr(value, "__await__"):
                getattr(value, "close", bool)()  # a coroutine that will never run
                raise TypeError(f"the factory of {part.name} is async: await aresolve()")
            if not self._keep(part, value):
                _end_now(part)
                raise ContainerClosed(f"the container was closed while it made {part.name}")
            return value

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
        import concurrent.futures

        with self._lock:
            part = self._part(key)
            if part.made:
                return part.value
            _refuse_cycle(part)
            if part.making is None:
                part.making = concurrent.futures.Future()
                part.task = asyncio.ensure_future(self._make(part, part.making))
            # Tasks of several event loops may wait for it.
            making = asyncio.wrap_future(part.making)
        chain = _chain.get()
        if chain:
            chain[-1].waits_for = part
        try:
            await asyncio.shield(making)
        finally:
            if chain:
                chain[-1].waits_for = None
        return part.value

    async def _make(self, part: _Part, making: Future[None]) -> None:
        """Make a part, in a task of its own; what an async generator made also ends here."""
        import asyncio

        _chain.set((*_chain.get(), part))
        try:
            if part.kind == "async_generator":
                part.release = asyncio.Event()
                async with part.call(self) as value:
                    kept = self._keep(part, value)
                    if kept:
                        making.set_result(None)
                        await part.release.wait()
                if kept and not part.release.is_set():
                    self._forget(part)  # its own scope ended it: the next use makes it again
            else:
                value = part.call(self)
                if hasattr(value, "__await__"):
                    value = await value
                kept = self._keep(part, value)
                if kept:
                    making.set_result(None)
                else:
                    result = part.end()
                    if hasattr(result, "__await__"):
                        await result
            if not kept:
                raise ContainerClosed(f"the container was closed while it made {part.name}")
        except BaseException as error:
            if making.done():  # the same, or the end of the loop
                self._forget(part)
                raise
            if isinstance(error, asyncio.CancelledError):
                making.cancel()
                raise
            making.set_exception(error)
            if not isinstance(error, Exception):
                raise
        finally:
            with self._lock:
                if not part.made:
                    part.making = None

    def _part(self, key: Any) -> _Part:
        if self._closed:
            raise ContainerClosed("the container is closed")
        try:
            return self._parts[key]
        except KeyError:
            known = ", ".join(sorted(part.name for part in self._parts.values())) or "none"
            raise NotRegistered(f"{key!r} is not registered; registered: {known}") from None

    def _keep(self, part: _Part, value: Any) -> bool:
        """Keep a product to close it later; False if the container was closed meanwhile."""
        with self._lock:
            part.value = value
            if self._closed:
                return False
            part.made = True
            part.making = None
            self._made.append(part)
            return True

    def _forget(self, part: _Part) -> None:
        with self._lock:
            part.made = False
            if part in self._made:
                self._made.remove(part)

    def close(self) -> None:
        """Close what was made, last made first; all of it, even if some of it fails.

        What an async factory is still making is closed as soon as it is made.

        Raises:
            ExceptionGroup: What closing raised; a TypeError names what only `aclose` can close,
                which may follow.
        """
        errors: list[Exception] = []
        for part in self._taken():
            try:
                _end_now(part)
            except _AsyncOnlyError as error:
                with self._lock:
                    self._made.insert(0, part)
                errors.append(TypeError(str(error)))
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


class _AsyncOnlyError(TypeError):
    """A product is closed by an async function."""


def _end_now(part: _Part) -> None:
    result = part.end()
    if hasattr(result, "__await__"):
        getattr(result, "close", bool)()  # a coroutine that will never run
        raise _AsyncOnlyError(f"{part.name} is closed by an async function: await aclose()")


def _wants_container(name: str, factory: Callable[..., Any]) -> bool:
    """Whether a factory has one required argument, for the container; it may have no other."""
    try:
        parameters = _signature(factory).parameters.values()
    except (TypeError, ValueError):
        return False
    various = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
    required = [p for p in parameters if p.default is p.empty and p.kind not in various]
    if not required:
        return False
    target: Any = factory
    while isinstance(target, partial):
        target = target.func
    if len(required) == 1 and required[0].kind is not inspect.Parameter.KEYWORD_ONLY:
        annotation, one = required[0].annotation, required[0]
        if _means_container(annotation):
            return True
        if not isinstance(target, type):
            if annotation is one.empty or not _means_other(annotation):
                return True
        elif one.name == "container" and annotation is one.empty:
            return True
    names = ", ".join(p.name for p in required)
    raise TypeError(
        f"the factory of {name} needs {names}: register a function that passes it, such as "
        "lambda container: ..."
    )


def _means_container(annotation: Any) -> bool:
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    return text.strip("\"'").rpartition(".")[2] == "Container"


def _signature(factory: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(factory, eval_str=True)
    except (TypeError, ValueError):
        raise
    except Exception:  # noqa: BLE001 - annotations that only type checkers can read
        return inspect.signature(factory)


def _means_other(annotation: Any) -> bool:
    """Whether an annotation is a class that no container is, such as `str`."""
    if not isinstance(annotation, type) or getattr(annotation, "_is_protocol", False):
        return False
    return not (issubclass(Container, annotation) or issubclass(annotation, Container))
