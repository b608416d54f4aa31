"""Retry: a plain first attempt, and stamina for all that follow."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack, overload

from shared.core.callables import describe
from shared.core.checks import choice, function, number, seconds, text, whole

from .._base.callables import module_of, named_like
from .._base.exceptions import which
from .._base.later import awaiting, is_later, stand_in
from .._policy.policy import Policy, admit_all, relaying, wrapped
from .._time.deadline import deadline
from .._time.timeout import with_timeout
from .attempts import Attempt, Run
from .rules import RetryAfter, RetryRules, Unwanted, checked_budget

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
    from datetime import timedelta

    from shared.core.callables import Kind

    from .._base.exceptions import Exceptions
    from .._policy.policy import F
    from .budget import RetryBudget

T = TypeVar("T")


class Retry(Policy):
    """Try again when a call fails, with growing pauses, within limits.

    Use it as `retry.call(fn, *args)`, `await retry.acall(fn, *args)` or `@retry`. A
    block cannot be run again by a `with` statement; a loop can:

        for attempt in retry:
            with attempt:
                ...

    (`async for` in async code). The caller gets the last attempt's own exception.
    Only subclasses of `Exception` are retried: never a cancellation or an exit. A
    refusal by another policy (`ResilienceError`) is retried only if `exceptions`
    names it. Generators start again from the beginning.

    Retries run on stamina: its hooks, `stamina.set_active` and `stamina.set_testing`
    work. It does not get the arguments of calls, so no log can show them.

    Args:
        max_attempts: All attempts together, the first included; `None` for no limit.
        delay: Seconds before the first retry.
        backoff: Each pause is this many times the one before.
        max_delay: The longest pause that the retry itself chooses.
        jitter: `"full"` waits a random part of each pause, so that many clients do not
            come back at once; `"none"` waits all of it.
        exceptions: What to retry on: a class, a tuple, or a predicate.
        retry_if_result: A predicate on the result: true means try again. The last attempt's
            result is returned as it is.
        on_retry: Called as `on_retry(attempt, exception)` when attempt number `attempt`
            failed and will be repeated (`exception` is `None` for an unwanted result).
        budget: Limits retries to a share of all calls; share it among policies.
        timeout: Seconds for everything together. No pause goes beyond it: the failure is
            raised at once instead. Async attempts are interrupted by it.
        attempt_timeout: Seconds for each attempt (async callables only, and no blocks).
        retry_after: Called with the exception: returns the seconds that the service asked
            for (or a `timedelta`, or the text of a `Retry-After` header), or
            `None`. It replaces the pause, even above `max_delay`; after more than a day no
            attempt follows. If it raises, that is logged, and the pause is the usual one.
        name: For telemetry and blocks.
        clock: Returns seconds that never go back.

    Raises:
        ValueError: A number is out of range.

    Example:
        >>> retry = Retry(max_attempts=3, delay=0.2, exceptions=ConnectionError)
        >>> retry.call(len, "abc")
        3
    """

    max_attempts: int | None
    delay: float
    backoff: float
    max_delay: float
    jitter: str
    exceptions: Exceptions
    retry_if_result: Callable[[Any], bool] | None
    on_retry: Callable[[int, Exception | None], object] | None
    budget: RetryBudget | None
    timeout: float | None
    retry_after: RetryAfter | None

    def __init__(
        self,
        max_attempts: int | None = 3,
        delay: float | timedelta = 1.0,
        *,
        backoff: float = 2.0,
        max_delay: float | timedelta = 60.0,
        jitter: str = "full",
        exceptions: Exceptions = Exception,
        retry_if_result: Callable[[Any], bool] | None = None,
        on_retry: Callable[[int, Exception | None], object] | None = None,
        budget: RetryBudget | None = None,
        timeout: float | timedelta | None = None,
        attempt_timeout: float | timedelta | None = None,
        retry_after: RetryAfter | None = None,
        name: str = "retry",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        rules = self._rules = RetryRules(
            max_attempts=None if max_attempts is None else whole("max_attempts", max_attempts),
            delay=seconds("delay", delay),
            backoff=number("backoff", backoff, above=0),
            max_delay=seconds("max_delay", max_delay),
            jitter=choice("jitter", jitter, ("full", "none")),
            exceptions=which(Exception, exceptions=exceptions),
            retry_if_result=function("retry_if_result", retry_if_result, optional=True),
            on_retry=function("on_retry", on_retry, optional=True),
            budget=checked_budget(budget),
            timeout=None if timeout is None else seconds("timeout", timeout, above=0),
            retry_after=function("retry_after", retry_after, optional=True),
            name=text("name", name),
            clock=function("clock", clock),
        )
        for attribute in (*Retry.__annotations__, "name"):
            setattr(self, attribute, getattr(rules, attribute))
        self.attempt_timeout: float | None = None
        if attempt_timeout is not None:
            self.attempt_timeout = seconds("attempt_timeout", attempt_timeout, above=0)
        limit = self.attempt_timeout
        self._limit = None if limit is None else with_timeout(limit)

    def __repr__(self) -> str:
        return f"<Retry {self.name!r} max_attempts={self.max_attempts}>"

    # The first attempt is plain. All that follows a failed one is `Run`: one shape, six times
    # three lines, for calls, generators and blocks.

    def _sync(self, fn: Callable[..., T]) -> Callable[..., T]:
        fn = self._limited(fn, "sync")
        rules, finish = self._rules, self._finish
        budget, unwanted = rules.budget, rules.retry_if_result
        usual: Any = None

        def retried(*args: Any, **kwargs: Any) -> T:
            nonlocal usual
            if budget is not None:
                budget.request()
            try:
                result = fn(*args, **kwargs)
            except Exception as exc:
                if (run := self._failed(fn, exc)) is None:
                    raise
            else:
                if type(result) is not usual:
                    if is_later(result):
                        return self._later(result, fn, args, kwargs)  # type: ignore[no-any-return]
                    usual = type(result)
                if unwanted is None or not unwanted(result):
                    return result
                if (run := self._failed(fn, Unwanted(result))) is None:
                    return result
            return finish(run, fn, args, kwargs)

        if rules.timeout is not None:
            return deadline(rules.timeout, clock=rules.clock)(retried)
        return retried

    def _async(self, fn: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T]]:
        fn = self._limited(fn, "async")
        rules, finish = self._rules, self._afinish
        budget, unwanted = rules.budget, rules.retry_if_result

        async def retried(*args: Any, **kwargs: Any) -> T:
            if budget is not None:
                budget.request()
            try:
                result = await fn(*args, **kwargs)
            except Exception as exc:
                if (run := self._failed(fn, exc, awaits=True)) is None:
                    raise
            else:
                if unwanted is None or not unwanted(result):
                    return result
                if (run := self._failed(fn, Unwanted(result), awaits=True)) is None:
                    return result
            return await finish(run, fn, args, kwargs)

        if rules.timeout is not None:
            return deadline(rules.timeout, clock=rules.clock)(retried)
        return retried

    def _failed(self, fn: Any, failure: Exception, *, awaits: bool = False) -> Run | None:
        """Return the attempts that follow a failed first one, or `None` if there is none."""
        if not self._rules.repeatable(failure):
            return None
        return Run(self._rules, describe(fn), module_of(fn), failure, awaits=awaits)

    def _finish(self, run: Run, fn: Callable[..., T], args: Any, kwargs: Any) -> T:
        try:
            for attempt in run:
                with attempt:
                    result = fn(*args, **kwargs)
                    if is_later(result):
                        return self._later(result, fn, args, kwargs, run)  # type: ignore[no-any-return]
                    return self._rules.wanted(result)  # type: ignore[no-any-return]
        except Unwanted as exc:
            return exc.result  # type: ignore[no-any-return]
        raise AssertionError("unreachable")

    async def _afinish(
        self, run: Run, fn: Callable[..., Awaitable[T]], args: Any, kwargs: Any
    ) -> T:
        try:
            async for attempt in run:
                with attempt:
                    return self._rules.wanted(await fn(*args, **kwargs))  # type: ignore[no-any-return]
        except Unwanted as exc:
            return exc.result  # type: ignore[no-any-return]
        raise AssertionError("unreachable")

    def _later(self, result: Any, fn: Any, args: Any, kwargs: Any, run: Run | None = None) -> Any:
        """Return what is awaited in place of an awaitable that an attempt returned."""

        async def awaited(awaitable: Any) -> Any:
            failure: Exception
            try:
                value = await awaitable
            except Exception as exc:
                if not self._rules.repeatable(exc):
                    raise
                failure = exc
            else:
                if self._rules.retry_if_result is None or not self._rules.retry_if_result(value):
                    return value
                failure = Unwanted(value)
                if not self._rules.repeatable(failure):
                    return value
            callee = describe(fn), module_of(fn)
            more = (
                Run(self._rules, *callee, failure, awaits=True)
                if run is None
                else run.resumed(self._rules, *callee, failure)
            )
            return await self._afinish(more, awaiting(fn), args, kwargs)

        return stand_in(result, awaited, fn)

    def _generator(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        fn = self._limited(fn, "generator")

        def retried(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            for attempt in Run(self._rules, describe(fn), module_of(fn)):
                with attempt:
                    return (yield from fn(*args, **kwargs))
            raise AssertionError("unreachable")

        return retried

    def _async_generator(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        fn = self._limited(fn, "async_generator")

        def start(*args: Any, **kwargs: Any) -> Any:
            run = Run(self._rules, describe(fn), module_of(fn), awaits=True)
            return relaying(fn, run.__anext__)(*args, **kwargs)

        retried = relaying(start, admit_all)
        if self._rules.timeout is None:
            return retried
        return wrapped(with_timeout(self._rules.timeout), retried, "async_generator")

    def _limited(self, fn: Any, kind: Kind) -> Any:
        return fn if self._limit is None else named_like(wrapped(self._limit, fn, kind), fn)

    def _block(self, *, awaits: bool = False) -> Run:
        if self._limit is not None:
            raise TypeError(
                "attempt_timeout cannot limit a block: use `async with with_timeout(...)` in it"
            )
        return Run(self._rules, self.name, type(self).__module__, awaits=awaits, is_block=True)

    def __iter__(self) -> Iterator[Attempt]:
        """Iterate over attempts until one succeeds; then the last failure is raised."""
        return self._block()

    def __aiter__(self) -> AsyncIterator[Attempt]:
        """Iterate as `__iter__` does, for `async for`."""
        return self._block(awaits=True)


class RetryOptions(TypedDict, total=False):
    """The keyword arguments of `Retry`."""

    backoff: float
    max_delay: float | timedelta
    jitter: str
    exceptions: Exceptions
    retry_if_result: Callable[[Any], bool] | None
    on_retry: Callable[[int, Exception | None], object] | None
    budget: RetryBudget | None
    timeout: float | timedelta | None
    attempt_timeout: float | timedelta | None
    retry_after: RetryAfter | None
    name: str
    clock: Callable[[], float]


@overload
def retry(fn: F, /) -> F: ...
@overload
def retry(
    max_attempts: int | None = 3,
    delay: float | timedelta = 1.0,
    *,
    max_retries: int | None = None,
    **options: Unpack[RetryOptions],
) -> Callable[[F], F]: ...
def retry(
    max_attempts: Any = 3, delay: Any = 1.0, *, max_retries: int | None = None, **options: Any
) -> Any:
    """Decorate with a `Retry`; `@retry` alone uses its defaults.

    Args:
        max_attempts: All attempts together, the first included.
        delay: Seconds before the first retry.
        max_retries: Instead of `max_attempts`: the attempts after the first.
        **options: The other arguments of `Retry`.

    Example:
        >>> @retry(max_attempts=5, delay=0.1, exceptions=ConnectionError)
        ... def fetch():
        ...     return "page"
        >>> fetch()
        'page'
    """
    if callable(max_attempts):
        return Retry(name=describe(max_attempts))(max_attempts)
    return Retry(attempts_of(max_attempts, max_retries), delay, **options)


def attempts_of(max_attempts: int | None, max_retries: int | None) -> int | None:
    """Return the attempts that these arguments, of which one is passed, mean."""
    if max_retries is None:
        return max_attempts
    if max_attempts != 3:
        raise ValueError("max_attempts and max_retries are the same argument: pass one of them")
    return whole("max_retries", max_retries, least=0) + 1
