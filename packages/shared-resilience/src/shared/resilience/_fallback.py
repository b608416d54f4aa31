# ruff: noqa: SLF001  the modules of one package know each other's inside
"""Another answer when a call fails."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ._breaker_config import Exceptions, exceptions, matcher
from ._callables import describe, kind_of
from ._check import text
from ._policy import F, Policy, nothing_to_begin, relaying
from ._telemetry import emit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

T = TypeVar("T")


class Fallback(Policy):
    """Answer with a value, or with what another function returns, when a call fails.

    Args:
        answer: A value; or a function, called with the call's own arguments (or with none,
            if it takes none). It may be async where the call is.
        on: The failures that it stands in for: a class, a tuple, or a predicate. Refusals
            of the policies inside are failures too.
        name: For telemetry.

    A generator falls back only while it has not given anything: then ``answer`` must be, or
    return, an iterable.

    Example:
        >>> Fallback(0, on=ValueError).call(int, "abc")
        0
        >>> Fallback(len).call(int, "abc")
        3
    """

    def __init__(self, answer: Any, *, on: Exceptions = Exception, name: str = "fallback") -> None:
        self.answer = answer
        self.name: str = text("name", name)
        self._on = matcher(exceptions("on", on))
        self._bare = callable(answer) and _takes_nothing(answer)

    def __repr__(self) -> str:
        return f"<Fallback {self.name!r}>"

    def _applies(self, exc: Exception) -> bool:
        if not self._on(exc):
            return False
        emit("fallback", self.name, "used", error=type(exc).__name__)
        return True

    def _answer(self, args: Any, kwargs: Any) -> Any:
        if not callable(self.answer):
            return self.answer
        return self.answer() if self._bare else self.answer(*args, **kwargs)

    def _sync(self, fn: Callable[..., T]) -> Callable[..., T]:
        if callable(self.answer) and kind_of(self.answer) == "async":
            raise TypeError(f"answer is async, but {describe(fn)} is a plain function")

        def covered(*args: Any, **kwargs: Any) -> T:
            try:
                return fn(*args, **kwargs)
            except Exception as exc:
                if not self._applies(exc):
                    raise
                return self._answer(args, kwargs)  # type: ignore[no-any-return]

        return covered

    def _async(self, fn: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T]]:
        async def covered(*args: Any, **kwargs: Any) -> T:
            try:
                return await fn(*args, **kwargs)
            except Exception as exc:
                if not self._applies(exc):
                    raise
                answer = self._answer(args, kwargs)
                if callable(self.answer) and inspect.isawaitable(answer):
                    return await answer  # type: ignore[no-any-return]
                return answer  # type: ignore[no-any-return]

        return covered

    def _generator(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        def covered(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            inner = fn(*args, **kwargs)
            try:
                first = next(inner)
            except StopIteration as stop:
                return stop.value
            except Exception as exc:
                if not self._applies(exc):
                    raise
                yield from self._answer(args, kwargs)
                return None
            return (yield from _resumed(inner, first))

        return covered

    def _async_generator(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        def make(*args: Any, **kwargs: Any) -> Any:
            return _Covered(self, fn(*args, **kwargs), lambda: self._answer(args, kwargs))

        return relaying(make, nothing_to_begin)


class _Covered:
    """An async generator; or the answer, if that fails before its first item."""

    def __init__(self, policy: Fallback, inner: Any, answer: Callable[[], Any]) -> None:
        self._policy = policy
        self._inner = inner
        self._answer = answer

    async def __anext__(self) -> Any:
        try:
            return await anext(self._inner)
        except Exception as exc:
            if isinstance(exc, StopAsyncIteration) or not self._policy._applies(exc):
                raise
        answer = self._answer()
        self._inner = answer if isinstance(answer, AsyncGenerator) else _given(answer)
        return await anext(self._inner)

    def asend(self, value: Any) -> Awaitable[Any]:
        return self._inner.asend(value)  # type: ignore[no-any-return]

    def athrow(self, exc: BaseException) -> Awaitable[Any]:
        return self._inner.athrow(exc)  # type: ignore[no-any-return]

    async def aclose(self) -> None:
        await self._inner.aclose()


async def _given(answer: Any) -> AsyncGenerator[Any, None]:
    """Give the items of an answer of any kind."""
    if inspect.isawaitable(answer):
        answer = await answer
    if hasattr(answer, "__aiter__"):
        async for item in answer:
            yield item
    else:
        for item in answer:
            yield item


class ProviderFallback(Policy):
    """Ask one provider after another until one answers.

    The protected function gets the provider's name as a keyword argument.

    Args:
        primary: The provider to ask first.
        fallbacks: The others, in their order.
        on: The failures after which the next one is asked.
        argument: The name of the keyword argument.
        name: For telemetry.

    When all fail, the last failure is raised, with a note for each that went before.

    Example:
        >>> def price(symbol, provider):
        ...     if provider == "primary":
        ...         raise ConnectionError("down")
        ...     return f"{symbol} from {provider}"
        >>> ProviderFallback("primary", ["backup"]).call(price, "ACME")
        'ACME from backup'
    """

    def __init__(
        self,
        primary: str,
        fallbacks: Sequence[str] = (),
        *,
        on: Exceptions = Exception,
        argument: str = "provider",
        name: str = "provider_fallback",
    ) -> None:
        if isinstance(fallbacks, str) or not isinstance(fallbacks, Sequence):
            raise TypeError(f"fallbacks must be a sequence of names, not {fallbacks!r}")
        others = [text("fallbacks", provider) for provider in fallbacks]
        self.providers: tuple[str, ...] = (text("primary", primary), *others)
        self.argument: str = text("argument", argument)
        self.name: str = text("name", name)
        self._on = matcher(exceptions("on", on))

    def __repr__(self) -> str:
        return f"<ProviderFallback {' > '.join(self.providers)}>"

    def _next(self, provider: str, exc: Exception, failed: list[str]) -> bool:
        """Note a failure; tell whether another provider is to be asked."""
        if not self._on(exc):
            return False
        if provider == self.providers[-1] and len(failed) == len(self.providers) - 1:
            for note in failed:
                exc.add_note(note)
            emit("fallback", self.name, "exhausted")
            return False
        failed.append(f"{provider} failed before: {type(exc).__name__}: {exc}")
        emit("fallback", self.name, "used", provider=provider, error=type(exc).__name__)
        return True

    def _sync(self, fn: Callable[..., T]) -> Callable[..., T]:
        self._check(fn)

        def covered(*args: Any, **kwargs: Any) -> T:
            failed: list[str] = []
            for provider in self.providers:
                try:
                    return fn(*args, **{**kwargs, self.argument: provider})
                except Exception as exc:
                    if not self._next(provider, exc, failed):
                        raise
            raise AssertionError("unreachable")

        return covered

    def _async(self, fn: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T]]:
        self._check(fn)

        async def covered(*args: Any, **kwargs: Any) -> T:
            failed: list[str] = []
            for provider in self.providers:
                try:
                    return await fn(*args, **{**kwargs, self.argument: provider})
                except Exception as exc:
                    if not self._next(provider, exc, failed):
                        raise
            raise AssertionError("unreachable")

        return covered

    def _check(self, fn: Callable[..., Any]) -> None:
        try:
            parameters = inspect.signature(fn).parameters
        except (TypeError, ValueError):
            return  # built in: nothing is known of it
        if self.argument not in parameters and not any(
            p.kind is p.VAR_KEYWORD for p in parameters.values()
        ):
            raise TypeError(f"{describe(fn)} takes no argument {self.argument!r}")


def with_fallback(
    primary: str,
    fallbacks: Sequence[str] = (),
    *,
    on: Exceptions = Exception,
    argument: str = "provider",
) -> Callable[[F], F]:
    """Decorate a function that takes ``provider``: it is called with one name after another.

    Args:
        primary: The provider to ask first.
        fallbacks: The others, in their order.
        on: The failures after which the next one is asked.
        argument: The name of the keyword argument.

    Example:
        >>> @with_fallback("primary", ["backup"])
        ... def price(symbol, provider=""):
        ...     return f"{symbol} from {provider}"
        >>> price("ACME")
        'ACME from primary'
    """
    return ProviderFallback(primary, fallbacks, on=on, argument=argument)


def _resumed(inner: Generator[Any, Any, Any], first: Any) -> Generator[Any, Any, Any]:
    """Give on a generator whose first item is taken already."""
    try:
        sent = yield first
        while True:
            sent = yield inner.send(sent)
    except StopIteration as stop:
        return stop.value
    finally:
        inner.close()


def _takes_nothing(fn: Callable[..., Any]) -> bool:
    while isinstance(fn, functools.partial) and not fn.args and not fn.keywords:
        fn = fn.func
    try:
        return not inspect.signature(fn).parameters
    except (TypeError, ValueError):
        return False
