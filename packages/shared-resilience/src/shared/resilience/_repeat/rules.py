"""What a retry repeats, how often, and after which pauses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from shared.core.checks import refuse

from .._base.complaints import complain
from .._base.errors import ResilienceError
from .._base.exceptions import Exceptions, matcher
from .._base.retry_after import seconds_of
from .budget import RetryBudget

if TYPE_CHECKING:
    import datetime as dt

RetryAfter = Callable[[Exception], "float | dt.timedelta | str | None"]


LONGEST = 1e9  # seconds: 30 years; the system's own limits lie beyond


class Unwanted(Exception):  # noqa: N818 - the name says it
    """Carries a result that `retry_if_result` rejects."""

    def __init__(self, result: Any) -> None:
        super().__init__("unwanted result")
        self.result = result


@dataclass(frozen=True)
class RetryRules:
    """The arguments of a `Retry`, and the decisions that follow from them alone."""

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
    name: str
    clock: Callable[[], float]
    _matches: Callable[[Exception], bool] = field(init=False)
    _refusals: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_matches", matcher(self.exceptions))
        # Refusals of other policies are retried only if the exceptions name them.
        refusals = not isinstance(self.exceptions, tuple) or any(
            issubclass(kind, ResilienceError) for kind in self.exceptions
        )
        object.__setattr__(self, "_refusals", refusals)

    def retryable(self, exc: BaseException | None) -> bool:
        """Return whether such a failure may be repeated."""
        if isinstance(exc, Unwanted):
            return True
        if not isinstance(exc, Exception):
            return False
        if isinstance(exc, ResilienceError) and not self._refusals:
            return False
        return self._matches(exc)

    def repeatable(self, failure: BaseException | None) -> bool:
        """Return, before stamina is built, whether a first failure can be repeated at all."""
        if not self.retryable(failure):
            return False
        import stamina

        return stamina.is_active() and (self.max_attempts != 1 or stamina.is_testing())

    def wanted(self, result: Any) -> Any:
        """Return a result, or raise it as `Unwanted`."""
        if self.retry_if_result is not None and self.retry_if_result(result):
            raise Unwanted(result)
        return result

    def pause(self, attempt: int, exc: BaseException) -> float:
        """Return the seconds to wait after a failed attempt (counted from 1); `inf`: give up."""
        if self.retry_after is not None and isinstance(exc, Exception):
            asked = _asked(self.retry_after, exc)
            if asked is not None:
                return asked
        longest = min(self.max_delay, LONGEST)
        try:
            pause = min(longest, self.delay * self.backoff ** (attempt - 1))
        except OverflowError:
            pause = longest
        # Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
        if self.jitter == "none":
            return pause
        from random import uniform

        return uniform(0.0, pause)  # noqa: S311 - no secret


def _asked(ask: RetryAfter, exc: Exception) -> float | None:
    try:
        return seconds_of(ask(exc))
    except Exception as problem:  # noqa: BLE001 - the caller wants its own failure
        complain("retry_after", ask, problem)
        return None


def checked_budget(budget: RetryBudget | None) -> RetryBudget | None:
    """Return what an argument `budget` means, or raise."""
    if budget is not None and not isinstance(budget, RetryBudget):
        raise refuse("budget", "a RetryBudget or None", budget, TypeError)
    return budget
