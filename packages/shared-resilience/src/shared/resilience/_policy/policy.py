"""What all policies share: four ways of use, on every kind of callable."""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextvars import ContextVar
from inspect import (
    CO_ASYNC_GENERATOR,
    CO_COROUTINE,
    CO_GENERATOR,
    CO_ITERABLE_COROUTINE,
    isawaitable,
)
from types import FunctionType
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, Self, TypeVar, cast

from shared.core.callables import decorate, describe, kind_of

from .._base.later import is_later, later, must_not_block, stand_in

if TYPE_CHECKING:
    from types import TracebackType

    from shared.core.callables import Kind

P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

_UNUSUAL = CO_GENERATOR | CO_COROUTINE | CO_ITERABLE_COROUTINE | CO_ASYNC_GENERATOR


class Policy:
    """A rule about how calls are made. Use it on sync and async code in the same ways.

    `policy.call(fn, *args)`, `await policy.acall(fn, *args)` and `@policy`; those
    that only admit calls also as `with policy:` and `async with policy:`.
    """

    __slots__ = ()

    name: str

    def __call__(self, fn: F, /) -> F:
        """Decorate a function, method, classmethod, generator or callable object.

        Returns:
            A function of the same kind and signature.

        Raises:
            TypeError: `fn` is not callable, or of a kind that this policy cannot protect.
        """
        return decorate(fn, self._of_its_kind, by=type(self).__name__)

    def call(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `fn` under this policy.

        An async `fn` is not run here: its awaitable is returned, and protected. So is an
        awaitable that a plain function returns.

        Returns:
            What `fn` returns.

        Raises:
            ResilienceError: The policy refused.
        """
        return cast("T", self._of_its_kind(fn)(*args, **kwargs))

    async def acall(self, fn: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Await `fn` under this policy.

        Returns:
            The result of the awaitable.

        Raises:
            ResilienceError: The policy refused.
            TypeError: `fn` returned nothing to await.
        """
        if _quick_kind(fn) != "async":
            fn = _awaitable_from(fn)
        return await self._wrap(fn, "async")(*args, **kwargs)  # type: ignore[no-any-return]

    def _of_its_kind(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        return self._wrap(fn, _quick_kind(fn))

    def _wrap(self, fn: Callable[..., Any], kind: Kind) -> Callable[..., Any]:
        """Return a bare wrapper of the same kind: what `_sync`, `_async` ... return."""
        wrapper: Callable[..., Any] = getattr(self, f"_{kind}")(fn)
        return wrapper

    def _sync(self, fn: Callable[..., T]) -> Callable[..., T]:
        raise NotImplementedError

    def _async(self, fn: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T]]:
        raise NotImplementedError

    def _generator(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        raise TypeError(f"{type(self).__name__} cannot protect the generator {describe(fn)}")

    def _async_generator(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        raise TypeError(f"{type(self).__name__} cannot protect the generator {describe(fn)}")


def _quick_kind(fn: Callable[..., Any]) -> Kind:
    """Return `kind_of(fn)`, at once for functions without attributes: `call` takes 0.9 us, not 1.6."""
    if type(fn) is FunctionType and not fn.__dict__:
        flags = fn.__code__.co_flags & _UNUSUAL
        if not flags:
            return "sync"
        if flags & (CO_COROUTINE | CO_ITERABLE_COROUTINE):
            return "async"
    return kind_of(fn)


def wrapped(policy: Policy, fn: Callable[..., Any], kind: Kind) -> Callable[..., Any]:
    """Return a bare wrapper of `fn` under a policy, for a policy around it."""
    return policy._wrap(fn, kind)  # noqa: SLF001 - what only policies may call


class Admission(Protocol):
    """The permit of one call. It must be ended once; `aend`, if it has one, is awaited instead."""

    def end(self, exc: BaseException | None, /) -> bool | None:
        """End it with the exception that ended the call, or `None`; true asks for another try."""


class _NothingToEnd:
    def end(self, exc: BaseException | None, /) -> None:
        """Nothing was held."""


NOTHING_TO_END: Admission = _NothingToEnd()


async def admit_all() -> Admission:
    """Admit at once."""
    return NOTHING_TO_END


class Guard(Policy):
    """A policy that admits calls one by one, so that a `with` block can be guarded too."""

    def _begin(self) -> Admission:
        raise NotImplementedError

    async def _abegin(self) -> Admission:
        raise NotImplementedError

    def _sync(self, fn: Callable[..., T]) -> Callable[..., T]:
        begin = self._begin

        def guarded(*args: Any, **kwargs: Any) -> T:
            if must_not_block(fn):
                return self._later(fn, args, kwargs)  # type: ignore[no-any-return]
            permit = begin()
            try:
                result = fn(*args, **kwargs)
            except BaseException as exc:
                permit.end(exc)
                raise
            if hasattr(result, "__await__") and is_later(result):
                return until_awaited(permit, result, fn)  # type: ignore[no-any-return]
            permit.end(None)
            return result

        return guarded

    def _later(self, fn: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Call a function that returns awaitables, without blocking the event loop."""
        return later(fn, self._async, args, kwargs)

    def _async(self, fn: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T]]:
        begin = self._abegin

        async def guarded(*args: Any, **kwargs: Any) -> T:
            permit = await begin()
            try:
                result = await fn(*args, **kwargs)
            except BaseException as exc:
                permit.end(exc)
                raise
            permit.end(None)
            return result

        return guarded

    def _generator(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        begin = self._begin

        def guarded(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            permit = begin()
            try:
                result = yield from fn(*args, **kwargs)
            except BaseException as exc:
                permit.end(exc)
                raise
            permit.end(None)
            return result

        return guarded

    def _async_generator(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        return relaying(fn, self._abegin)

    def __enter__(self) -> Self:
        _entered.set((self, self._begin(), _entered.get()))
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if permit := _pop(self):
            permit.end(exc)

    async def __aenter__(self) -> Self:
        permit = await self._abegin()
        _entered.set((self, permit, _entered.get()))
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if permit := _pop(self):
            await end_async(permit, exc)


# The `with` blocks that this thread or task is in: one object serves many at a time, so what
# belongs to one block cannot live on the policy.
# A linked list of (guard, permit, the rest).
_entered: ContextVar[Any] = ContextVar("shared.resilience.entered", default=None)


def _pop(guard: Guard) -> Admission | None:
    """Take the innermost permit of `guard` off the stack.

    A generator finalised in a foreign context finds none; its permit then ends when
    it is collected.
    """
    entry = _entered.get()
    if entry is not None and entry[0] is guard:
        _entered.set(entry[2])
        innermost: Admission = entry[1]
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
    _entered.set(rest)
    permit: Admission = entry[1]
    return permit


async def end_async(permit: Admission, exc: BaseException | None) -> bool | None:
    """End a permit, awaiting it if that takes a trip to somewhere."""
    end = getattr(permit, "aend", None)
    if end is None:
        return permit.end(exc)
    return await end(exc)  # type: ignore[no-any-return]


class _Held:
    """A permit that ends when what it was given for has been awaited, or is dropped."""

    __slots__ = ("permit",)

    def __init__(self, permit: Admission) -> None:
        self.permit: Admission | None = permit

    async def around(self, awaitable: Awaitable[T], *, judged: bool) -> T:
        permit, self.permit = self.permit, None
        end: Any = permit and (getattr(permit, "aend", None) or permit.end)
        try:
            result = await awaitable
        except BaseException as exc:
            if end and isawaitable(ended := end(exc)):
                await ended
            raise
        if end and isawaitable(ended := end(None, result) if judged else end(None)):
            await ended
        return result

    def __del__(self) -> None:
        if self.permit is not None:
            self.permit.end(GeneratorExit())


def until_awaited(permit: Admission, result: Any, fn: Any, *, judged: bool = False) -> Any:
    """Return what is awaited in place of `result`; the permit is held until then.

    Args:
        permit: The permit of the call.
        result: The awaitable.
        fn: The function that returned it.
        judged: Whether the permit judges what the awaitable gives.
    """
    return stand_in(result, functools.partial(_Held(permit).around, judged=judged), fn)


def relaying(
    fn: Callable[..., AsyncGenerator[Any, Any]],
    begin: Callable[[], Awaitable[Admission]],
    stepping: Callable[[], Callable[[Any], Awaitable[Any]]] = lambda: _unchanged,
) -> Callable[..., AsyncGenerator[Any, Any]]:
    """Return an async generator function that runs `fn` as one call.

    What the consumer sends and throws is passed on.

    Args:
        fn: The async generator function.
        begin: Admits the call, when the first item is requested; again if its end asks for it.
        stepping: Called for each generator: returns what wraps the awaiting of each item.
    """

    async def guarded(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        step = stepping()
        while True:
            permit = await begin()
            try:
                inner = fn(*args, **kwargs)
                try:
                    item = await step(inner.__anext__())
                    while True:
                        try:
                            sent = yield item
                        except GeneratorExit:
                            raise
                        except BaseException as thrown:  # noqa: BLE001 - the inner one decides
                            item = await step(inner.athrow(thrown))
                        else:
                            item = await step(inner.asend(sent))
                except StopAsyncIteration:
                    pass
                finally:
                    await inner.aclose()
            except BaseException as exc:
                if not await end_async(permit, exc):
                    raise
            else:
                await end_async(permit, None)
                return

    return guarded


def _unchanged(awaitable: Awaitable[Any]) -> Awaitable[Any]:
    return awaitable


def _awaitable_from(fn: Callable[..., Any]) -> Callable[..., Any]:
    def checked(*args: Any, **kwargs: Any) -> Any:
        result = fn(*args, **kwargs)
        if not isawaitable(result):
            raise TypeError(
                f"acall() needs an async callable: {describe(fn)} returned"
                f" {type(result).__name__}, which cannot be awaited; use call()"
            )
        return result

    return functools.update_wrapper(checked, fn)
