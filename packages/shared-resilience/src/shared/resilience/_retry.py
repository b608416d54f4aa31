# ruff: noqa: SLF001  the modules of one package know each other's inside
"""Retry: a plain first attempt, and stamina for all that follow."""

from __future__ import annotations

import functools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ._attempts import Attempt, Run, Unwanted
from ._breaker_config import Exceptions, matcher
from ._breaker_config import exceptions as check_exceptions
from ._callables import describe, named_like
from ._check import choice, function, number, text, whole
from ._deadline import deadline
from ._errors import ResilienceError
from ._policy import NOTHING_TO_END, Pass, Policy, nothing_to_begin, relaying
from ._retry_after import seconds_of
from ._retry_budget import RetryBudget, checked_budget
from ._timeout import with_timeout

if TYPE_CHECKING:
    import datetime as dt

T = TypeVar("T")
RetryAfter = Callable[[Exception], "float | dt.timedelta | str | None"]


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
        attempt_timeout: Seconds for each attempt (async callables only, and no blocks).
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
        self.retry_if_result: Callable[[Any], bool] | None = function(
            "retry_if_result", retry_if_result, needed=False
        )
        self.on_retry: Callable[[int, Exception | None], object] | None = function(
            "on_retry", on_retry, needed=False
        )
        self.retry_after: RetryAfter | None = function("retry_after", retry_after, needed=False)
        self.budget: RetryBudget | None = checked_budget(budget)
        self.timeout: float | None = (
            None if timeout is None else number("timeout", timeout, above=0)
        )
        if attempt_timeout is not None:
            attempt_timeout = number("attempt_timeout", attempt_timeout, above=0)
        self.attempt_timeout = attempt_timeout
        self._limit = None if attempt_timeout is None else with_timeout(attempt_timeout)
        self.name: str = text("name", name)
        self._clock = function("clock", clock)
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
        if self._limit is not None:
            fn = self._limit._sync(fn)
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
                failure = Unwanted(result)
            try:
                return run(fn, args, kwargs, failure)
            finally:
                del failure

        return (
            counted if self.timeout is None else deadline(self.timeout, clock=self._clock)(counted)
        )

    def _async(self, fn: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T]]:
        if self._limit is not None:
            fn = named_like(self._limit._async(fn), fn)
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
                failure = Unwanted(result)
            try:
                return await run(fn, args, kwargs, failure)
            finally:
                del failure

        return (
            counted if self.timeout is None else deadline(self.timeout, clock=self._clock)(counted)
        )

    def _generator(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        if self._limit is not None:
            fn = self._limit._generator(fn)

        def retried(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            run = Run(self, describe(fn))

            def again() -> Generator[Any, Any, Any]:
                run.begin()
                return (yield from fn(*args, **kwargs))

            while True:
                with run:
                    return (yield from run.engine(again, fn)())
                time.sleep(run.pause or 0.0)

        return retried

    def _async_generator(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        if self._limit is not None:
            fn = named_like(self._limit._async_generator(fn), fn)

        def make(*args: Any, **kwargs: Any) -> Any:
            run = Run(self, describe(fn), awaits=True)

            async def begin() -> Pass:
                run.begin()
                return NOTHING_TO_END

            return run.engine(relaying(functools.partial(fn, *args, **kwargs), begin), fn)()

        retried = relaying(make, nothing_to_begin)
        if self.timeout is None:
            return retried
        return with_timeout(self.timeout)._async_generator(retried)

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
                raise Unwanted(result)
            return result

        try:
            while True:
                with run:
                    return run.engine(again, fn)()  # type: ignore[no-any-return]
                time.sleep(run.pause or 0.0)
        except Unwanted as exc:
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
                raise Unwanted(result)
            return result

        try:
            while True:
                with run:
                    return await run.engine(again, fn)()  # type: ignore[no-any-return]
                await _sleep(run.pause or 0.0)
        except Unwanted as exc:
            return exc.result  # type: ignore[no-any-return]
        finally:
            del failure

    # ------------------------------------------------------------------ blocks

    def _block(self, *, awaits: bool = False) -> Run:
        if self._limit is not None:
            raise TypeError(
                "attempt_timeout cannot limit a block: use `async with with_timeout(...)` in it"
            )
        return Run(self, self.name, awaits=awaits)

    def __iter__(self) -> Iterator[Attempt]:
        """Yield attempts until one succeeds; then the last failure is raised."""
        run = self._block()
        attempt = Attempt(run, 1)
        yield attempt
        if attempt.failure is None:
            return
        first = [attempt.failure]

        def again() -> Iterator[Attempt]:
            number = run.begin()
            if first:
                raise first.pop()
            attempt = Attempt(run, number)
            yield attempt
            if attempt.failure is not None:
                raise attempt.failure

        if not self._goes_on(first[0]):
            raise first.pop()
        while True:
            with run:
                yield from run.engine(again, self)()
                return
            time.sleep(run.pause or 0.0)

    async def __aiter__(self) -> AsyncIterator[Attempt]:
        """Do as ``__iter__`` does, for ``async for``."""
        run = self._block(awaits=True)
        attempt = Attempt(run, 1)
        yield attempt
        if attempt.failure is None:
            return
        first = [attempt.failure]

        async def again() -> AsyncIterator[Attempt]:
            number = run.begin()
            if first:
                raise first.pop()
            attempt = Attempt(run, number)
            yield attempt
            if attempt.failure is not None:
                raise attempt.failure

        if not self._goes_on(first[0]):
            raise first.pop()
        while True:
            with run:
                async for attempt in run.engine(again, self)():
                    yield attempt
                return
            await _sleep(run.pause or 0.0)

    # ------------------------------------------------------------------ decisions

    def _retryable(self, exc: BaseException) -> bool:
        if isinstance(exc, Unwanted):
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


def _give(failure: Exception) -> Any:
    """Return an unwanted result, or raise the failure."""
    if isinstance(failure, Unwanted):
        return failure.result
    try:
        raise failure
    finally:
        del failure


async def _sleep(seconds: float) -> None:
    import asyncio

    await asyncio.sleep(seconds)
