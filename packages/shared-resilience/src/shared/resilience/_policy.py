"""What all policies share: four ways of use, on every kind of callable."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, Self, TypeVar, cast

from ._callables import describe, kind_of

if TYPE_CHECKING:
    from types import TracebackType

P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class Policy:
    """A rule about how calls are made. Use it on sync and async code in the same ways.

    ``policy.call(fn, *args)``, ``await policy.acall(fn, *args)`` and ``@policy``; those
    that only admit calls (see :class:`Guard`) also as ``with policy:`` and
    ``async with policy:``.
    """

    __slots__ = ()

    name: str

    def __call__(self, fn: F, /) -> F:
        """Decorate a function, method, classmethod, generator or callable object.

        Returns:
            A function of the same kind and signature.

        Raises:
            TypeError: ``fn`` is not callable, or of a kind that this policy cannot protect.
        """
        if isinstance(fn, (classmethod, staticmethod)):
            return cast("F", type(fn)(self(fn.__func__)))
        if not callable(fn):
            raise TypeError(f"{type(self).__name__} decorates callables, not {fn!r}")
        wrapper = self._wrap(fn)
        if wrapper is not fn:  # a pipeline may be empty
            functools.update_wrapper(wrapper, fn)
        return cast("F", wrapper)

    def call(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call ``fn`` under this policy.

        An async ``fn`` is not run here: its awaitable is returned, and protected.

        Returns:
            What ``fn`` returns.

        Raises:
            ResilienceError: The policy refused.
        """
        return cast("T", self._wrap(fn)(*args, **kwargs))

    async def acall(self, fn: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Await ``fn`` under this policy.

        Returns:
            What the awaitable gives.

        Raises:
            ResilienceError: The policy refused.
            TypeError: ``fn`` gave nothing to await.
        """
        if kind_of(fn) != "async":
            fn = _awaitable_from(fn)
        return await self._async(fn)(*args, **kwargs)

    def _wrap(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        kind = kind_of(fn)
        if kind == "sync":
            return self._sync(fn)
        if kind == "async":
            return self._async(fn)
        if kind == "generator":
            return self._generator(fn)
        return self._async_generator(fn)

    def _sync(self, fn: Callable[..., T]) -> Callable[..., T]:
        raise NotImplementedError

    def _async(self, fn: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T]]:
        raise NotImplementedError

    def _generator(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        raise TypeError(f"{type(self).__name__} cannot protect the generator {describe(fn)}")

    def _async_generator(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        raise TypeError(f"{type(self).__name__} cannot protect the generator {describe(fn)}")


class Pass(Protocol):
    """Leave to make one call; whoever got it must end it."""

    def end(self, exc: BaseException | None, /) -> None:
        """Say how the call ended: with this exception, or well."""


class _NothingToEnd:
    def end(self, exc: BaseException | None, /) -> None:
        """Nothing was held."""


NOTHING_TO_END: Pass = _NothingToEnd()


async def nothing_to_begin() -> Pass:
    """Admit at once."""
    return NOTHING_TO_END


class Guard(Policy):
    """A policy that admits calls one by one, so that a ``with`` block can be guarded too."""

    def _begin(self) -> Pass:
        raise NotImplementedError

    async def _abegin(self) -> Pass:
        raise NotImplementedError

    def _sync(self, fn: Callable[..., T]) -> Callable[..., T]:
        begin = self._begin

        def guarded(*args: Any, **kwargs: Any) -> T:
            leave = begin()
            try:
                result = fn(*args, **kwargs)
            except BaseException as exc:
                leave.end(exc)
                raise
            leave.end(None)
            return result

        return guarded

    def _async(self, fn: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T]]:
        begin = self._abegin

        async def guarded(*args: Any, **kwargs: Any) -> T:
            leave = await begin()
            try:
                result = await fn(*args, **kwargs)
            except BaseException as exc:
                leave.end(exc)
                raise
            leave.end(None)
            return result

        return guarded

    def _generator(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        begin = self._begin

        def guarded(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            leave = begin()
            try:
                result = yield from fn(*args, **kwargs)
            except BaseException as exc:
                leave.end(exc)
                raise
            leave.end(None)
            return result

        return guarded

    def _async_generator(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        return relaying(fn, self._abegin)

    def __enter__(self) -> Self:
        entered.set((self, self._begin(), entered.get()))
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if leave := pop(self):
            leave.end(exc)

    async def __aenter__(self) -> Self:
        leave = await self._abegin()
        entered.set((self, leave, entered.get()))
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if leave := pop(self):
            await end_async(leave, exc)


# The `with` blocks that this thread or task is in: one object serves many at a time, so what
# belongs to one block cannot live on the policy.
# A linked list of (guard, pass, the rest).
entered: ContextVar[Any] = ContextVar("shared.resilience.entered", default=None)


def pop(guard: Guard) -> Pass | None:
    """Take the innermost pass of ``guard`` off the stack.

    A generator finalised in a foreign context finds none; its pass then ends when
    it is collected.
    """
    entry = entered.get()
    if entry is not None and entry[0] is guard:
        entered.set(entry[2])
        innermost: Pass = entry[1]
        return innermost
    above: list[Any] = []
    while entry is not None and entry[0] is not guard:
        above.append(entry)
        entry = entry[2]
    if entry is None:
        return None
    rest = entry[2]
    for other in reversed(above):
        rest = (other[0], other[1], rest)
    entered.set(rest)
    leave: Pass = entry[1]
    return leave


async def end_async(leave: Pass, exc: BaseException | None) -> None:
    """End a pass, awaiting it if that takes a trip to somewhere."""
    end = getattr(leave, "aend", None)
    if end is None:
        leave.end(exc)
    else:
        await end(exc)


def relaying(
    fn: Callable[..., AsyncGenerator[Any, Any]],
    begin: Callable[[], Awaitable[Pass]],
    stepping: Callable[[], Callable[[Any], Awaitable[Any]]] = lambda: _unchanged,
) -> Callable[..., AsyncGenerator[Any, Any]]:
    """Make an async generator function that runs ``fn`` as one call.

    What the consumer sends and throws is passed on.

    Args:
        fn: The async generator function.
        begin: Admits the call, when the first item is asked for.
        stepping: Called for each generator: returns what wraps the awaiting of each item.
    """

    async def guarded(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        leave = await begin()
        step = stepping()
        try:
            inner = fn(*args, **kwargs)
            try:
                item = await step(inner.__anext__())
                while True:
                    try:
                        sent = yield item
                    except GeneratorExit:
                        raise
                    except BaseException as thrown:  # noqa: BLE001  handed on, or decided on, not swallowed
                        item = await step(inner.athrow(thrown))
                    else:
                        item = await step(inner.asend(sent))
            except StopAsyncIteration:
                pass
            finally:
                await inner.aclose()
        except BaseException as exc:
            await end_async(leave, exc)
            raise
        await end_async(leave, None)

    return guarded


def _unchanged(awaitable: Awaitable[Any]) -> Awaitable[Any]:
    return awaitable


def _awaitable_from(fn: Callable[..., Any]) -> Callable[..., Any]:
    def checked(*args: Any, **kwargs: Any) -> Any:
        result = fn(*args, **kwargs)
        if not inspect.isawaitable(result):
            raise TypeError(
                f"acall() needs an async callable: {describe(fn)} returned"
                f" {type(result).__name__}, which cannot be awaited; use call()"
            )
        return result

    return functools.update_wrapper(checked, fn)
