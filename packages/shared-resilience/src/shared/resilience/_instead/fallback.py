"""Another answer, or another provider, when a call fails."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from shared.core.callables import describe, kind_of
from shared.core.checks import refuse, text

from .._base.exceptions import Exceptions, matcher, which
from .._base.later import awaiting, is_later, stand_in
from .._events.telemetry import emit
from .._policy.policy import F, Policy, admit_all, relaying

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

T = TypeVar("T")
_PROVIDER = "provider"
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_COPIED = (list, dict, set, bytearray)


class Fallback(Policy):
    """Answer with a value, or with what another function returns, when a call fails.

    Args:
        answer: A value; or a function, called with the call's own arguments (or with none,
            if it accepts none). It may be async where the call is. Of a list, dict, set or
            bytearray every caller gets its own copy.
        exceptions: The failures that it stands in for: a class, a tuple, or a predicate; every
            `Exception` if `None`. Refusals of the policies inside are failures too.
        name: For telemetry.
        on: Another name for `exceptions`.

    A generator falls back only before its first item: then `answer` must be, or
    return, an iterable.

    Example:
        >>> Fallback(0, exceptions=ValueError).call(int, "abc")
        0
        >>> Fallback(len).call(int, "abc")
        3
    """

    def __init__(
        self,
        answer: Any,
        *,
        exceptions: Exceptions | None = None,
        name: str = "fallback",
        on: Exceptions | None = None,
    ) -> None:
        self.answer = answer
        self.name: str = text("name", name)
        self._matches = matcher(which(Exception, exceptions=exceptions, on=on))
        self._bare = callable(answer) and _takes_nothing(answer)

    def __repr__(self) -> str:
        return f"<Fallback {self.name!r}>"

    def _applies(self, exc: Exception) -> bool:
        if not self._matches(exc):
            return False
        emit("fallback", self.name, "used", error=type(exc).__name__)
        return True

    def _answer(self, args: Any, kwargs: Any) -> Any:
        if not callable(self.answer):
            return _own(self.answer)
        return self.answer() if self._bare else self.answer(*args, **kwargs)

    def _sync(self, fn: Callable[..., T]) -> Callable[..., T]:
        if callable(self.answer) and kind_of(self.answer) == "async":
            raise TypeError(f"answer is async, but {describe(fn)} is a plain function")

        def covered(*args: Any, **kwargs: Any) -> T:
            try:
                result = fn(*args, **kwargs)
            except Exception as exc:
                if not self._applies(exc):
                    raise
                return self._answer(args, kwargs)  # type: ignore[no-any-return]
            if hasattr(result, "__await__") and is_later(result):

                def protect(awaitable: Any) -> Any:
                    return self._async(awaiting(fn, awaitable))(*args, **kwargs)

                return stand_in(result, protect, fn)  # type: ignore[no-any-return]
            return result

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
            inner = fn(*args, **kwargs)
            return _Covered(inner, self._applies, lambda: self._answer(args, kwargs))

        return relaying(make, admit_all)


class _Covered:
    """An async generator; or the answer, if that fails before its first item."""

    def __init__(
        self, inner: Any, applies: Callable[[Exception], bool], answer: Callable[[], Any]
    ) -> None:
        self._inner = inner
        self._applies = applies
        self._answer = answer

    async def __anext__(self) -> Any:
        try:
            return await anext(self._inner)
        except Exception as exc:
            if isinstance(exc, StopAsyncIteration) or not self._applies(exc):
                raise
        answer = self._answer()
        self._inner = answer if isinstance(answer, AsyncGenerator) else _items_of(answer)
        return await anext(self._inner)

    def asend(self, value: Any) -> Awaitable[Any]:
        return self._inner.asend(value)  # type: ignore[no-any-return]

    def athrow(self, exc: BaseException) -> Awaitable[Any]:
        return self._inner.athrow(exc)  # type: ignore[no-any-return]

    async def aclose(self) -> None:
        await self._inner.aclose()


async def _items_of(answer: Any) -> AsyncGenerator[Any, None]:
    """Iterate over an answer of any kind."""
    if inspect.isawaitable(answer):
        answer = await answer
    if hasattr(answer, "__aiter__"):
        async for item in answer:
            yield item
    else:
        for item in answer:
            yield item


class ProviderFallback(Policy):
    """Try one provider after another until one answers.

    The protected function gets the provider's name as its argument `provider`; as its first one
    (in a method: the first after `self`) if it has none of that name.

    Args:
        primary: The provider to try first.
        fallbacks: The others, in their order.
        exceptions: The failures after which the next one is tried: a class, a tuple, or a
            predicate; every `Exception` if `None`.
        argument: The name of the argument, if it is another.
        name: For telemetry.
        on: Another name for `exceptions`.

    When all fail, the last failure is raised, with a note for each one before it; secrets in
    the notes are hidden.

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
        exceptions: Exceptions | None = None,
        argument: str | None = None,
        name: str = "provider_fallback",
        on: Exceptions | None = None,
    ) -> None:
        if isinstance(fallbacks, str) or not isinstance(fallbacks, Sequence):
            raise refuse("fallbacks", "a sequence of names", fallbacks, TypeError)
        others = [text("fallbacks", provider) for provider in fallbacks]
        self.providers: tuple[str, ...] = (text("primary", primary), *others)
        self.argument: str | None = None if argument is None else text("argument", argument)
        self.name: str = text("name", name)
        self._matches = matcher(which(Exception, exceptions=exceptions, on=on))

    def __repr__(self) -> str:
        return f"<ProviderFallback {' > '.join(self.providers)}>"

    def execute(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        """Do the same as `call`."""
        return self.call(fn, *args, **kwargs)

    def _next(self, provider: str, exc: Exception, failed: list[str]) -> bool:
        """Note a failure; return whether to try another provider."""
        if not self._matches(exc):
            return False
        if provider == self.providers[-1] and len(failed) == len(self.providers) - 1:
            for note in failed:
                exc.add_note(note)
            emit("fallback", self.name, "exhausted")
            return False
        failed.append(f"{provider} failed before: {type(exc).__name__}: {_text_of(exc)}")
        emit("fallback", self.name, "used", provider=provider, error=type(exc).__name__)
        return True

    def _sync(self, fn: Callable[..., T]) -> Callable[..., T]:
        call = self._passing(fn)

        def covered(*args: Any, **kwargs: Any) -> T:
            def ask(provider: str) -> Any:
                return call(provider, args, kwargs)

            failed: list[str] = []
            for place, provider in enumerate(self.providers):
                try:
                    result = ask(provider)
                except Exception as exc:
                    if not self._next(provider, exc, failed):
                        raise
                    continue
                if not is_later(result):
                    return result  # type: ignore[no-any-return]

                answer = functools.partial(self._first_answer, ask, self.providers[place:], failed)
                return stand_in(result, answer, fn)  # type: ignore[no-any-return]
            raise AssertionError("unreachable")

        return covered

    def _async(self, fn: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T]]:
        call = self._passing(fn)

        async def covered(*args: Any, **kwargs: Any) -> T:
            def ask(provider: str) -> Any:
                return call(provider, args, kwargs)

            return await self._first_answer(ask, self.providers, [])  # type: ignore[no-any-return]

        return covered

    async def _first_answer(
        self, ask: Callable[[str], Any], providers: Sequence[str], failed: list[str], *first: Any
    ) -> Any:
        ask = awaiting(ask, *first)
        for provider in providers:
            try:
                return await ask(provider)
            except Exception as exc:
                if not self._next(provider, exc, failed):
                    raise
        raise AssertionError("unreachable")

    def _passing(self, fn: Callable[..., Any]) -> Callable[[str, Any, Any], Any]:
        """Return a function that calls `fn` with a provider, its arguments and keyword arguments."""
        place = self._place(fn)
        if place is None:
            name = self.argument or _PROVIDER
            return lambda provider, args, kwargs: fn(*args, **{**kwargs, name: provider})

        def call(provider: str, args: Any, kwargs: Any) -> Any:
            return fn(*args[:place], provider, *args[place:], **kwargs)

        return call

    def _place(self, fn: Callable[..., Any]) -> int | None:
        """Return the position of the provider among the arguments; `None` if it has a keyword."""
        try:
            parameters = inspect.signature(fn).parameters
        except (TypeError, ValueError):
            return None  # built in: its arguments are unknown
        wanted = self.argument or _PROVIDER
        positional = [p.name for p in parameters.values() if p.kind in _POSITIONAL]
        # Of a function in the body of a class the first argument is the object.
        own = 1 if positional[:1] in (["self"], ["cls"]) and not inspect.ismethod(fn) else 0
        if wanted in parameters:
            return own if positional[own : own + 1] == [wanted] else None
        if self.argument is None and len(positional) > own:
            return own
        if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            return None
        if self.argument is None and any(p.kind is p.VAR_POSITIONAL for p in parameters.values()):
            return own
        raise TypeError(f"{describe(fn)} does not accept the argument {wanted!r}")


def with_fallback(
    primary: str,
    fallbacks: Sequence[str] = (),
    *,
    exceptions: Exceptions | None = None,
    argument: str | None = None,
    on: Exceptions | None = None,
) -> Callable[[F], F]:
    """Decorate: the function is called with one provider's name after another, until it answers.

    The name is the function's argument `provider`; its first argument if it has none of that name.

    Args:
        primary: The provider to try first.
        fallbacks: The others, in their order.
        exceptions: The failures after which the next one is tried.
        argument: The name of the argument, if it is another.
        on: Another name for `exceptions`.

    Raises:
        TypeError: On decorating: the function does not accept such an argument.

    Example:
        >>> @with_fallback("primary", ["backup"])
        ... def price(symbol, provider=""):
        ...     return f"{symbol} from {provider}"
        >>> price("ACME")
        'ACME from primary'
    """
    return ProviderFallback(primary, fallbacks, exceptions=exceptions, argument=argument, on=on)


def _resumed(inner: Generator[Any, Any, Any], first: Any) -> Generator[Any, Any, Any]:
    """Continue a generator whose first item was taken already."""
    try:
        sent = yield first
        while True:
            sent = yield inner.send(sent)
    except StopIteration as stop:
        return stop.value
    finally:
        inner.close()


def _own(value: Any) -> Any:
    """Return a copy of a container: what one caller does to it must not reach the next one."""
    if not isinstance(value, _COPIED):
        return value
    import copy

    try:
        return copy.deepcopy(value)
    except Exception:  # noqa: BLE001 - something in it cannot be copied: then it is shared
        return copy.copy(value)


def _text_of(exc: Exception) -> str:
    from shared.core.redaction import one_line

    try:
        return one_line(str(exc))
    except Exception:  # noqa: BLE001 - the failure must not be replaced by that of its text
        return "<unprintable>"


def _takes_nothing(fn: Callable[..., Any]) -> bool:
    while isinstance(fn, functools.partial) and not fn.args and not fn.keywords:
        fn = fn.func
    try:
        return not inspect.signature(fn).parameters
    except (TypeError, ValueError):
        return False
