"""A check of a provider of models that costs little and does not cry wolf."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from shared.core import checks

from .._base.callables import plain
from .._base.status import CheckResult, HealthStatus
from .._base.text import describe

if TYPE_CHECKING:
    from collections.abc import Callable


def ai_provider(
    fn: Callable[[], Any],
    *,
    min_interval: float = 60.0,
    slow_after: float | None = 5.0,
    clock: Callable[[], float] = time.monotonic,
) -> Callable[[], Any]:
    """Check a provider of models (or any other API that is paid per call).

    An outage, a rate limit (429) or slowness is DEGRADED: the service can still
    answer, queue or use another provider. A refused key (401 or 403) is UNHEALTHY, because
    that does not pass on its own. The status is read from the error (`status_code`, or
    that of its `response`), where the providers' clients put it.

    Args:
        fn: A cheap call of the provider, such as for its list of models; sync or async.
        min_interval: The provider is called at most once in this many seconds; the answer is kept.
        slow_after: Seconds after which an answer is DEGRADED; None: never.
        clock: Seconds that never jump.

    Example:
        >>> def refused():
        ...     error = ConnectionError("too many requests")
        ...     error.status_code = 429
        ...     raise error
        >>> ai_provider(refused)()
        CheckResult(status=<HealthStatus.DEGRADED: 'degraded'>, message='rate limited (429)')
    """
    plain("fn", fn)
    min_interval = checks.seconds("min_interval", min_interval, unlimited=True)
    if slow_after is not None:
        slow_after = checks.seconds("slow_after", slow_after, unlimited=True)
    kept: tuple[float, CheckResult] | None = None

    def check() -> Any:
        nonlocal kept
        start = clock()
        if kept is not None and start - kept[0] < min_interval:
            return kept[1]
        try:
            answer = fn()
        except Exception as error:  # noqa: BLE001 - judged by its status
            return keep(start, judge(error))
        if hasattr(answer, "__await__"):
            return later(start, answer)
        return keep(start, timed(start, answer))

    async def later(start: float, awaitable: Any) -> CheckResult:
        try:
            answer = await awaitable
        except Exception as error:  # noqa: BLE001 - judged by its status
            return keep(start, judge(error))
        return keep(start, timed(start, answer))

    def keep(start: float, result: CheckResult) -> CheckResult:
        nonlocal kept
        kept = (start, result)
        return result

    def timed(start: float, answer: Any) -> CheckResult:
        took = clock() - start
        if answer is False:
            return CheckResult(HealthStatus.DEGRADED, "provider reports a failure")
        if isinstance(answer, (CheckResult, HealthStatus)):
            return CheckResult.of(answer)
        if slow_after is not None and took > slow_after:
            return CheckResult(HealthStatus.DEGRADED, f"slow: {took:.1f} s")
        return CheckResult(HealthStatus.HEALTHY)

    return check


def judge(error: Exception) -> CheckResult:
    """Return what an error of a provider means."""
    status = getattr(error, "status_code", None)
    if status is None:
        status = getattr(getattr(error, "response", None), "status_code", None)
    if status in {401, 403}:
        return CheckResult(HealthStatus.UNHEALTHY, f"key refused ({status})")
    if status == 429:
        return CheckResult(HealthStatus.DEGRADED, "rate limited (429)")
    return CheckResult(HealthStatus.DEGRADED, describe(error))
