"""Several policies as one, in the order that works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from shared.core.checks import refuse, seconds, text, whole

from ._base.callables import named_like
from ._breaker.breaker import CircuitBreaker
from ._breaker.config import CircuitBreakerConfig
from ._limits.bulkhead import Bulkhead
from ._policy.policy import Admission, Guard, Policy, end_async, wrapped
from ._repeat.budget import RetryBudget
from ._repeat.retry import Retry
from ._time.timeout import with_timeout

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from shared.core.callables import Kind

    from ._limits.limiter import Limiter
    from ._time.block import Timeout


class Pipeline(Guard):
    """Several policies around a call, from the outside to the inside as listed here.

    A pipeline of admissions only (bulkhead, breaker, rate limit) can guard a block too.

    Args:
        fallback: Answers when everything inside failed.
        bulkhead: How many calls may be under way; holds its slot through all retries.
        total_timeout: Seconds for everything inside, pauses included.
        retry: Repeats everything inside it.
        breaker: Sees every attempt.
        rate_limit: Counts every attempt.
        attempt_timeout: Seconds for one attempt; the wait for the rate limiter is not included.
        thread: Allow the timeouts on plain functions, by leaving them behind in a thread:
            see `with_timeout`.
        name: For telemetry.

    Raises:
        TypeError: An argument is not a policy; or, on decorating, a plain function meets
            a timeout without `thread=True`.
        ValueError: A number is out of range.

    Example:
        >>> pipeline = Pipeline(retry=Retry(3, delay=0.1), breaker=CircuitBreaker("search"))
        >>> pipeline.call(len, "abc")
        3
    """

    def __init__(
        self,
        *,
        fallback: Policy | None = None,
        bulkhead: Policy | None = None,
        total_timeout: float | timedelta | None = None,
        retry: Policy | None = None,
        breaker: Policy | None = None,
        rate_limit: Policy | None = None,
        attempt_timeout: float | timedelta | None = None,
        thread: bool = False,
        name: str = "pipeline",
    ) -> None:
        given = {
            "fallback": fallback,
            "bulkhead": bulkhead,
            "total_timeout": _timeout("total_timeout", total_timeout, thread=thread),
            "retry": retry,
            "breaker": breaker,
            "rate_limit": rate_limit,
            "attempt_timeout": _timeout("attempt_timeout", attempt_timeout, thread=thread),
        }
        for argument, policy in given.items():
            if policy is not None and not isinstance(policy, Policy):
                raise refuse(argument, "a policy or None", policy, TypeError)
        self.name: str = text("name", name)
        self.policies: tuple[Policy, ...] = tuple(p for p in given.values() if p is not None)
        self._inward = self.policies[::-1]

    def __repr__(self) -> str:
        return f"<Pipeline {self.name!r} {' > '.join(type(p).__name__ for p in self.policies)}>"

    @classmethod
    def standard(
        cls,
        name: str,
        *,
        fallback: Policy | None = None,
        max_concurrent: int = 100,
        total_timeout: float | timedelta | None = 30.0,
        attempts: int = 3,
        delay: float | timedelta = 0.2,
        exceptions: Any = Exception,
        failure_threshold: int = 5,
        recovery_timeout: float | timedelta = 30.0,
        rate_limit: Limiter | None = None,
        attempt_timeout: float | timedelta | None = 10.0,
        thread: bool = False,
    ) -> Self:
        """Return a pipeline for calls to one remote service, with defaults that do no harm.

        At most 100 calls at once, 30 s for a whole call, 3 attempts of 10 s with full
        jitter and a retry budget of a tenth of the traffic, a breaker that opens after 5
        failures in a row.

        Args:
            name: The service, for errors and telemetry.
            fallback: Answers when everything failed.
            max_concurrent: Calls under way at once; as many again may wait for a slot.
            total_timeout: Seconds for everything.
            attempts: All attempts together.
            delay: Seconds before the first retry, at most.
            exceptions: What to retry on, and what counts as a failure.
            failure_threshold: Failures in a row that open the circuit.
            recovery_timeout: Seconds until an open circuit tries again.
            rate_limit: A rate limiter for the attempts.
            attempt_timeout: Seconds for one attempt.
            thread: Allow plain functions under these timeouts: see `with_timeout`.

        Example:
            >>> Pipeline.standard("search", thread=True).call(len, "abc")
            3
        """
        whole("attempts", attempts)
        recovery_timeout = seconds("recovery_timeout", recovery_timeout, above=0)
        retry = Retry(attempts, delay, exceptions=exceptions, budget=RetryBudget(), name=name)
        config = CircuitBreakerConfig(failure_threshold, recovery_timeout, exceptions=exceptions)
        return cls(
            fallback=fallback,
            bulkhead=Bulkhead(max_concurrent, max_queue=max_concurrent, name=name),
            total_timeout=total_timeout,
            retry=retry,
            breaker=CircuitBreaker(name, config),
            rate_limit=rate_limit,
            attempt_timeout=attempt_timeout,
            thread=thread,
            name=name,
        )

    def _guards(self) -> list[Guard]:
        guards = [policy for policy in self.policies if isinstance(policy, Guard)]
        if len(guards) < len(self.policies):
            raise TypeError(
                f"{self!r} cannot guard a block, only calls: a block can be neither repeated"
                " nor replaced nor given its own timer"
            )
        return guards

    def _begin(self) -> Admission:
        held = _All()
        try:
            for guard in self._guards():
                held.permits.append(guard._begin())  # noqa: SLF001 - what only policies may call
        except BaseException as exc:
            held.end(exc)
            raise
        return held

    async def _abegin(self) -> Admission:
        held = _All()
        try:
            for guard in self._guards():
                held.permits.append(await guard._abegin())  # noqa: SLF001 - the same
        except BaseException as exc:
            await held.aend(exc)
            raise
        return held

    def _wrap(self, fn: Callable[..., Any], kind: Kind) -> Callable[..., Any]:
        outer = fn
        for policy in self._inward:
            outer = named_like(wrapped(policy, outer, kind), fn)
        return outer


class _All:
    """The permits of several guards, ended from the inside out."""

    __slots__ = ("permits",)

    def __init__(self) -> None:
        self.permits: list[Admission] = []

    def end(self, exc: BaseException | None, /) -> None:
        for permit in reversed(self.permits):
            permit.end(exc)

    async def aend(self, exc: BaseException | None) -> None:
        for permit in reversed(self.permits):
            await end_async(permit, exc)


def _timeout(argument: str, limit: float | timedelta | None, *, thread: bool) -> Timeout | None:
    if limit is None:
        return None
    return with_timeout(seconds(argument, limit, above=0), thread=thread)
