# ruff: noqa: SLF001  the modules of one package know each other's inside
"""Retry: a plain first attempt, and stamina for all that follow."""

from __future__ import annotations

import functools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast, overload

from ._breaker_config import Exceptions, matcher
from ._breaker_config import exceptions as check_exceptions
from ._check import choice, number, whole
from ._deadline import deadline, remaining
from ._errors import ResilienceError
from ._policy import NOTHING_TO_END, F, Pass, Policy, describe, kind_of, nothing_to_begin, relaying
from ._retry_after import seconds_of
from ._retry_budget import RetryBudget
from ._telemetry import emit, safely
from ._timeout import Timeout

if TYPE_CHECKING:
    import datetime as dt
    from types import TracebackType

T = TypeVar("T")
RetryAfter = Callable[[Exception], "float | dt.timedelta | str | None"]


class _Unwanted(Exception):  # noqa: N818  the name says it
    """Carries a result that ``retry_if_result`` wants to see again."""

    def __init__(self, result: Any) -> None:
        super().__init__("unwanted result")
        self.result = result


class Retry(Policy):
    """Try again when a call fails, with growing pauses, within limits.

    Use it as ``retry.call(fn, *args)``, ``await retry.acall(fn, *args)`` or ``@retry``. A
    block cannot be run again by a ``with`` statement; a loop can::

        for attempt in retry:
            with attempt:
                ...

    (``async for`` in async code). The last attempt's own exception is what the caller
    gets. Only subclasses of ``Exception`` are retried: never a cancellation or an exit. A
    refusal by another policy (:class:`ResilienceError`) is retried only if ``exceptions``
    names it. Generators start again from the beginning.

    Retries run on stamina: its hooks, ``stamina.set_active`` and ``stamina.set_testing``
    work. The arguments of calls are not given to it, so no log can show them.

    Args:
        max_attempts: All attempts together, the first included; ``None`` for no limit.
        delay: Seconds before the first retry.
        backoff: Each further pause is so many times the one before.
        max_delay: No pause of its own choice is longer.
        jitter: ``"full"`` takes a random part of each pause, so that many clients do not
            come back at once; ``"none"`` takes all of it.
        exceptions: What to retry on: a class, a tuple, or a predicate.
        retry_if_result: A predicate on the result: true means try again. The last attempt's
            result is returned as it is.
        on_retry: Called as ``on_retry(attempt, exception)`` when attempt number ``attempt``
            failed and will be repeated (``exception`` is ``None`` for an unwanted result).
        budget: Limits retries to a share of all calls; share it among policies.
        timeout: Seconds for everything together. No pause goes beyond it: the failure is
            raised at once instead. Async attempts are interrupted by it.
        attempt_timeout: Seconds for each attempt (async callables only).
        retry_after: Called with the exception: returns the seconds that the service asked
            to wait (or a ``timedelta``, or the text of a ``Retry-After`` header), or
            ``None``. It replaces the pause, even above ``max_delay``.
        name: For telemetry and blocks.
        clock: Returns seconds that never go back.

    Raises:
        ValueError: A number is out of range.

    Example:
        >>> retry = Retry(max_attempts=3, delay=0.2, exceptions=ConnectionError)
        >>> retry.call(len, "abc")
        3
    """

    def __init__(
        self,
        max_attempts: int | None = 3,
        delay: float = 1.0,
        backoff: float = 2.0,
        max_delay: float = 60.0,
        jitter: str = "full",
        exceptions: Exceptions = Exception,
        retry_if_result: Callable[[Any], bool] | None = None,
        on_retry: Callable[[int, Exception | None], object] | None = None,
        budget: RetryBudget | None = None,
        timeout: float | None = None,
        attempt_timeout: float | None = None,
        retry_after: RetryAfter | None = None,
        *,
        name: str = "retry",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.max_attempts: int | None = (
            None if max_attempts is None else whole("max_attempts", max_attempts)
        )
        self.delay: float = number("delay", delay, least=0)
        self.backoff: float = number("backoff", backoff, above=0)
        self.max_delay: float = number("max_delay", max_delay, least=0)
        self.jitter: str = choice("jitter", jitter, ("full", "none"))
        self.exceptions: Exceptions = check_exceptions("exceptions", exceptions)
        self.retry_if_result: Callable[[Any], bool] | None = _function(
            "retry_if_result", retry_if_result
        )
        self.on_retry: Callable[[int, Exception | None], object] | None = _function(
            "on_retry", on_retry
        )
        self.retry_after: RetryAfter | None = _function("retry_after", retry_after)
        if budget is not None and not isinstance(budget, RetryBudget):
            raise TypeError(f"budget must be a RetryBudget or None, not {budget!r}")
        self.budget = budget
        self.timeout: float | None = (
            None if timeout is None else number("timeout", timeout, above=0)
        )
        if attempt_timeout is not None:
            attempt_timeout = number("attempt_timeout", attempt_timeout, above=0)
        self.attempt_timeout = attempt_timeout
        self.name = name
        self._clock = clock
        self._matches = matcher(self.exceptions)
        # Refusals of other policies are retried only by those who name them.
        self._refusals = not isinstance(self.exceptions, tuple) or any(
            issubclass(kind, ResilienceError) for kind in self.exceptions
        )
        self._simple = budget is None and timeout is None and retry_if_result is None

    def __repr__(self) -> str:
        return f"<Retry {self.name!r} max_attempts={self.max_attempts}>"

    # ------------------------------------------------------------------ calls

    def _sync(self, fn: Callable[..., T]) -> Callable[..., T]:
        if self.attempt_timeout is not None:
            fn = Timeout(self.attempt_timeout)._sync(fn)
        run, budget, unwanted = self._run, self.budget, self.retry_if_result

        if self._simple:

            def plain(*args: Any, **kwargs: Any) -> T:
                try:
                    return fn(*args, **kwargs)
                except Exception as exc:  # noqa: BLE001  handed on, or decided on, not swallowed
                    failure = exc
                try:
                    return run(fn, args, kwargs, failure)
                finally:
                    del failure  # its traceback holds this frame

            return plain

        def counted(*args: Any, **kwargs: Any) -> T:
            if budget is not None:
                budget.request()
            failure: Exception
            try:
                result = fn(*args, **kwargs)
            except Exception as exc:  # noqa: BLE001  handed on, or decided on, not swallowed
                failure = exc
            else:
                if unwanted is None or not unwanted(result):
                    return result
                failure = _Unwanted(result)
            try:
                return run(fn, args, kwargs, failure)
            finally:
                del failure

        return (
            counted if self.timeout is None else deadline(self.timeout, clock=self._clock)(counted)
        )

    def _async(self, fn: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T]]:
        if self.attempt_timeout is not None:
            fn = Timeout(self.attempt_timeout)._async(fn)
        run, budget, unwanted = self._arun, self.budget, self.retry_if_result

        if self._simple:

            async def plain(*args: Any, **kwargs: Any) -> T:
                try:
                    return await fn(*args, **kwargs)
                except Exception as exc:  # noqa: BLE001  handed on, or decided on, not swallowed
                    failure = exc
                try:
                    return await run(fn, args, kwargs, failure)
                finally:
                    del failure

            return plain

        async def counted(*args: Any, **kwargs: Any) -> T:
            if budget is not None:
                budget.request()
            failure: Exception
            try:
                result = await fn(*args, **kwargs)
            except Exception as exc:  # noqa: BLE001  handed on, or decided on, not swallowed
                failure = exc
            else:
                if unwanted is None or not unwanted(result):
                    return result
                failure = _Unwanted(result)
            try:
                return await run(fn, args, kwargs, failure)
            finally:
                del failure

        return (
            counted if self.timeout is None else deadline(self.timeout, clock=self._clock)(counted)
        )

    def _generator(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        def retried(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            run = Run(self, describe(fn))

            def again() -> Generator[Any, Any, Any]:
                run.begin()
                return (yield from fn(*args, **kwargs))

            return (yield from run.engine(again, fn)())

        return retried

    def _async_generator(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        def make(*args: Any, **kwargs: Any) -> Any:
            run = Run(self, describe(fn), awaits=True)

            async def begin() -> Pass:
                run.begin()
                return NOTHING_TO_END

            return run.engine(relaying(functools.partial(fn, *args, **kwargs), begin), fn)()

        return relaying(make, nothing_to_begin)

    def _run(self, fn: Callable[..., T], args: Any, kwargs: Any, failure: Exception) -> T:
        """Go on after a failed first attempt, if that may be repeated."""
        if not self._goes_on(failure):
            return cast("T", _give(failure))
        run = Run(self, describe(fn), count=False)
        first = [failure]

        def again() -> T:
            run.begin()
            if first:
                raise first.pop()
            result = fn(*args, **kwargs)
            if self.retry_if_result is not None and self.retry_if_result(result):
                raise _Unwanted(result)
            return result

        try:
            return run.engine(again, fn)()  # type: ignore[no-any-return]
        except _Unwanted as exc:
            return exc.result  # type: ignore[no-any-return]
        finally:
            del failure

    async def _arun(
        self, fn: Callable[..., Awaitable[T]], args: Any, kwargs: Any, failure: Exception
    ) -> T:
        """Do as :meth:`_run` does, awaiting."""
        if not self._goes_on(failure):
            return cast("T", _give(failure))
        run = Run(self, describe(fn), count=False, awaits=True)
        first = [failure]

        async def again() -> T:
            run.begin()
            if first:
                raise first.pop()
            result = await fn(*args, **kwargs)
            if self.retry_if_result is not None and self.retry_if_result(result):
                raise _Unwanted(result)
            return result

        try:
            return await run.engine(again, fn)()  # type: ignore[no-any-return]
        except _Unwanted as exc:
            return exc.result  # type: ignore[no-any-return]
        finally:
            del failure

    # ------------------------------------------------------------------ blocks

    def __iter__(self) -> Iterator[Attempt]:
        """Yield attempts until one succeeds; then the last failure is raised."""
        run = Run(self, self.name)
        attempt = Attempt(self, 1)
        yield attempt
        if attempt.failure is None:
            return
        first = [attempt.failure]

        def again() -> Iterator[Attempt]:
            number = run.begin()
            if first:
                raise first.pop()
            attempt = Attempt(self, number)
            yield attempt
            if attempt.failure is not None:
                raise attempt.failure

        if not self._goes_on(first[0]):
            raise first.pop()
        yield from run.engine(again, self)()

    async def __aiter__(self) -> AsyncIterator[Attempt]:
        """Do as ``__iter__`` does, for ``async for``."""
        run = Run(self, self.name, awaits=True)
        attempt = Attempt(self, 1)
        yield attempt
        if attempt.failure is None:
            return
        first = [attempt.failure]

        async def again() -> AsyncIterator[Attempt]:
            number = run.begin()
            if first:
                raise first.pop()
            attempt = Attempt(self, number)
            yield attempt
            if attempt.failure is not None:
                raise attempt.failure

        if not self._goes_on(first[0]):
            raise first.pop()
        async for attempt in run.engine(again, self)():
            yield attempt

    # ------------------------------------------------------------------ decisions

    def _retryable(self, exc: BaseException) -> bool:
        if isinstance(exc, _Unwanted):
            return True
        if not isinstance(exc, Exception):
            return False
        if isinstance(exc, ResilienceError) and not self._refusals:
            return False
        return self._matches(exc)

    def _goes_on(self, failure: Exception) -> bool:
        """Tell, before stamina is built, whether a first failure can be repeated at all."""
        import stamina

        if not stamina.is_active() or not self._retryable(failure):
            return False
        return self.max_attempts != 1 or stamina.is_testing()

    def _pause(self, attempt: int, exc: BaseException) -> float:
        """Return the seconds to wait after a failed attempt (counted from 1)."""
        if self.retry_after is not None and isinstance(exc, Exception):
            asked = seconds_of(self.retry_after(exc))
            if asked is not None:
                return asked
        try:
            pause = min(self.max_delay, self.delay * self.backoff ** (attempt - 1))
        except OverflowError:
            pause = self.max_delay
        # Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
        if self.jitter == "none":
            return pause
        from random import uniform

        return uniform(0.0, pause)  # noqa: S311  no secret


class Run:
    """The attempts of one call. stamina makes them; this decides about each."""

    __slots__ = ("_attempts", "_end", "_last", "_name", "_retry", "_sleep")

    def __init__(
        self, retry: Retry, name: str, *, count: bool = True, awaits: bool = False
    ) -> None:
        self._retry = retry
        # A virtual clock moves by its own sleep; in async code the loop's time is virtual.
        self._sleep = None if awaits else getattr(retry._clock, "sleep", None)
        self._name = name
        self._attempts = 0
        self._last: BaseException | None = None
        self._end = None if retry.timeout is None else retry._clock() + retry.timeout
        if count and retry.budget is not None:
            retry.budget.request()

    def begin(self) -> int:
        """Count an attempt and return its number."""
        self._attempts += 1
        if self._last is not None:  # left by `_decide` in stamina's testing mode
            self._tell(self._attempts - 1, 0.0, self._last)
            self._last = None
        return self._attempts

    def engine(self, again: Callable[..., Any], fn: object) -> Callable[..., Any]:
        """Return stamina's wrapper of ``again``, which has the name of ``fn`` but no arguments."""
        import stamina

        again.__module__ = getattr(fn, "__module__", None) or type(fn).__module__
        again.__qualname__ = self._name
        testing = stamina.is_testing()
        attempts = self._retry.max_attempts if testing else None
        return stamina.retry(on=self._decide, attempts=attempts, timeout=None)(again)

    def _decide(self, exc: Exception) -> bool | float:
        """Tell stamina whether to try again (``False``: no), after how many seconds."""
        import stamina

        retry, attempt = self._retry, self._attempts
        if not retry._retryable(exc):
            return False
        if stamina.is_testing():
            self._last = exc  # stamina counts; whether it goes on shows in `begin`
            return True
        if retry.max_attempts is not None and attempt >= retry.max_attempts:
            emit("retry", retry.name, "exhausted", callee=self._name, attempts=attempt)
            return False
        pause = retry._pause(attempt, exc)
        if (left := self._left()) is not None and pause >= left:
            emit("retry", retry.name, "out_of_time", callee=self._name, attempts=attempt)
            return False
        if retry.budget is not None and not retry.budget.spend():
            exc.add_note(f"RetryBudgetExhausted: retry {retry.name!r} has used up {retry.budget!r}")
            emit("retry", retry.name, "budget_exhausted", callee=self._name, attempts=attempt)
            return False
        self._tell(attempt, pause, exc)
        if self._sleep is not None:
            self._sleep(pause)
            return 0.0
        return pause

    def _left(self) -> float | None:
        left = remaining()
        if self._end is None:
            return left
        own = self._end - self._retry._clock()
        return own if left is None or own < left else left

    def _tell(self, attempt: int, pause: float, exc: BaseException) -> None:
        retry = self._retry
        emit("retry", retry.name, "retried", callee=self._name, attempt=attempt, pause=pause)
        if retry.on_retry is not None:
            safely(retry.on_retry, attempt, None if isinstance(exc, _Unwanted) else exc)


class Attempt:
    """One pass of a retried block: a context manager that holds back a failure to repeat.

    Attributes:
        number: Counted from 1.
        failure: What the block raised, if it may be repeated.
    """

    __slots__ = ("_retry", "failure", "number")

    def __init__(self, retry: Retry, number: int) -> None:
        self._retry = retry
        self.number: int = number
        self.failure: Exception | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if isinstance(exc, Exception) and self._retry._retryable(exc):
            self.failure = exc
            return True
        return False


@overload
def retry(fn: F, /) -> F: ...
@overload
def retry(max_attempts: int | None = 3, delay: float = 1.0, **options: Any) -> Callable[[F], F]: ...
def retry(max_attempts: Any = 3, delay: float = 1.0, **options: Any) -> Any:
    """Decorate with a :class:`Retry`; ``@retry`` alone uses its defaults.

    Args:
        max_attempts: All attempts together, the first included.
        delay: Seconds before the first retry.
        **options: The other arguments of :class:`Retry`.

    Example:
        >>> @retry(max_attempts=5, delay=0.1, exceptions=ConnectionError)
        ... def fetch():
        ...     return "page"
        >>> fetch()
        'page'
    """
    if callable(max_attempts):
        return Retry(name=describe(max_attempts))(max_attempts)

    policy = Retry(max_attempts, delay, **options)

    def decorate(fn: F) -> F:
        return policy(fn)

    return decorate


@overload
def async_retry(fn: F, /) -> F: ...
@overload
def async_retry(
    max_attempts: int | None = 3, delay: float = 1.0, **options: Any
) -> Callable[[F], F]: ...
def async_retry(max_attempts: Any = 3, delay: float = 1.0, **options: Any) -> Any:
    """Decorate as :func:`retry` does, and insist on an async callable.

    Raises:
        TypeError: A plain function is decorated.

    Example:
        >>> @async_retry(max_attempts=2)
        ... async def fetch():
        ...     return "page"
        >>> import asyncio
        >>> asyncio.run(fetch())
        'page'
    """
    policy = Retry() if callable(max_attempts) else Retry(max_attempts, delay, **options)

    def decorate(fn: F) -> F:
        if kind_of(fn) not in {"async", "async_generator"}:
            raise TypeError(f"async_retry decorates async functions; {describe(fn)} is not one")
        return policy(fn)

    return decorate(max_attempts) if callable(max_attempts) else decorate


def retry_with_backoff(
    max_retries: int = 3, backoff_factor: float = 2.0, **options: Any
) -> Callable[[F], F]:
    """Decorate: after the first attempt, up to ``max_retries`` more with growing pauses.

    Args:
        max_retries: Attempts after the first.
        backoff_factor: Each pause is so many times the one before.
        **options: The other arguments of :class:`Retry`.

    Example:
        >>> @retry_with_backoff(max_retries=2, backoff_factor=3.0, delay=0.01)
        ... def fetch():
        ...     return "page"
        >>> fetch()
        'page'
    """
    attempts = whole("max_retries", max_retries, least=0) + 1
    return Retry(attempts, backoff=number("backoff_factor", backoff_factor, above=0), **options)


def _give(failure: Exception) -> Any:
    """Return an unwanted result, or raise the failure."""
    if isinstance(failure, _Unwanted):
        return failure.result
    try:
        raise failure
    finally:
        del failure


def _function(name: str, value: Any) -> Any:
    if value is not None and not callable(value):
        raise TypeError(f"{name} must be callable or None, not {value!r}")
    return value
