"""A check of a provider of models, that costs little and does not cry wolf."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from .._sanitise import describe
from .._status import CheckResult, HealthStatus

if TYPE_CHECKING:
    from collections.abc import Callable


def ai_provider(
    fn: Callable[[], Any],
    *,
    min_interval: float = 60.0,
    slow_after: float | None = 5.0,
    clock: Callable[[], float] = time.monotonic,
) -> Callable[[], Any]:
    """Check a provider of models (or any other API that is paid by the call).

    An outage, a rate limit (429) or slowness of it is DEGRADED: the service can still
    answer, queue or use another one. A refused key (401 or 403) is UNHEALTHY, for that
    does not pass by itself. The status is read from the error (``status_code``, or
    that of its ``response``), as the clients of the providers carry it.

    Args:
        fn: asks the provider something cheap, such as its list of models; sync or async.
        min_interval: seconds in which it is asked once at most; the answer is kept.
        slow_after: seconds after which an answer is DEGRADED; None: never.
        clock: seconds that never jump.

    Example:
        >>> def refused():
        ...     error = ConnectionError("too many requests")
        ...     error.status_code = 429
        ...     raise error
        >>> ai_provider(refused)()
        CheckResult(status=<HealthStatus.DEGRADED: 'degraded'>, message='rate limited (429)')
    """
    kept: tuple[float, CheckResult] | None = None

    def check() -> Any:
        nonlocal kept
        begin = clock()
        if kept is not None and begin - kept[0] < min_interval:
            return kept[1]
        try:
            answer = fn()
        except Exception as error:  # noqa: BLE001  judged by its status
            return keep(begin, judge(error))
        if hasattr(answer, "__await__"):
            return later(begin, answer)
        return keep(begin, timed(begin, answer))

    async def later(begin: float, awaitable: Any) -> CheckResult:
        try:
            answer = await awaitable
        except Exception as error:  # noqa: BLE001  judged by its status
            return keep(begin, judge(error))
        return keep(begin, timed(begin, answer))

    def keep(begin: float, result: CheckResult) -> CheckResult:
        nonlocal kept
        kept = (begin, result)
        return result

    def timed(begin: float, answer: Any) -> CheckResult:
        took = clock() - begin
        if answer is False:
            return CheckResult(HealthStatus.DEGRADED, "provider reports a failure")
        if isinstance(answer, (CheckResult, HealthStatus)):
            return CheckResult.of(answer)
        if slow_after is not None and took > slow_after:
            return CheckResult(HealthStatus.DEGRADED, f"slow: {took:.1f} s")
        return CheckResult(HealthStatus.HEALTHY)

    return check


def judge(error: Exception) -> CheckResult:
    """Say what an error of a provider means."""
    status = getattr(error, "status_code", None)
    if status is None:
        status = getattr(getattr(error, "response", None), "status_code", None)
    if status in {401, 403}:
        return CheckResult(HealthStatus.UNHEALTHY, f"key refused ({status})")
    if status == 429:
        return CheckResult(HealthStatus.DEGRADED, "rate limited (429)")
    return CheckResult(HealthStatus.DEGRADED, describe(error))
