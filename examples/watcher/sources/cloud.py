"""The mock cloud's prices and utilisation, called the way a paid API must be called."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx

from shared.observability import counter, get_logger, trace_span
from shared.resilience import (
    CircuitBreaker,
    CircuitBreakerConfig,
    CircuitOpenError,
    CircuitState,
    Pipeline,
    RateLimiter,
    Retry,
)

from ..points import Point

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from ..result import Result

log = get_logger("watcher.cloud")
CALLS = counter("watcher_cloud_calls_total", "Calls to the mock cloud", ["outcome"])
FAILURES = (httpx.HTTPError, TimeoutError, ValueError)  # ValueError: a body that is no JSON


class CloudClient:
    """Calls the mock cloud through retry, breaker, timeout and rate limit."""

    def __init__(self, url: str, rate: int, result: Result) -> None:
        self._url = url + "/v1/instances"
        self._result = result
        self.breaker = CircuitBreaker(
            "mock-cloud",
            CircuitBreakerConfig(failure_threshold=6, timeout=0.5, record=FAILURES),
        )
        self.breaker.on_transition(self._told)
        self._pipeline = Pipeline(
            retry=Retry(
                max_attempts=3,
                delay=0.05,
                max_delay=0.4,
                exceptions=FAILURES,
                on_retry=self._retried,
                retry_after=retry_after,
            ),
            breaker=self.breaker,
            rate_limit=RateLimiter(rate, 1.0),
            attempt_timeout=0.5,
        )

    async def watch(self, put: Callable[[list[Point]], None], stop: threading.Event) -> None:
        """Ask again and again until `stop` is set; the rate limit sets the pace."""
        async with httpx.AsyncClient(timeout=2.0, trust_env=False) as client:
            while not stop.is_set():
                self._result.calls += 1
                try:
                    report = await self._pipeline.acall(self._ask, client)
                except CircuitOpenError as error:
                    self._result.calls_failed += 1
                    CALLS.labels("rejected").inc()
                    await asyncio.sleep(min(0.1, error.retry_after or 0.1))
                except FAILURES as error:
                    self._result.calls_failed += 1
                    CALLS.labels("failed").inc()
                    log.info("cloud_call_failed", error=type(error).__name__)
                else:
                    CALLS.labels("answered").inc()
                    put(points(report))

    @trace_span("cloud_call")
    async def _ask(self, client: httpx.AsyncClient) -> dict[str, Any]:
        response = await client.get(self._url)
        response.raise_for_status()
        report: dict[str, Any] = response.json()
        return report

    def _retried(self, attempt: int, error: BaseException | None) -> None:
        self._result.retries += 1
        log.debug("cloud_call_retried", attempt=attempt, error=type(error).__name__)

    def _told(self, _breaker: CircuitBreaker, _old: CircuitState, new: CircuitState) -> None:
        # The log line is resilience's own: it finds structlog by itself.
        self._result.breaker_opened += new is CircuitState.OPEN
        self._result.breaker_closed += new is CircuitState.CLOSED


def retry_after(error: BaseException) -> float | None:
    """Return the seconds that a refusing server asks for, None where it asks for none."""
    if not isinstance(error, httpx.HTTPStatusError):
        return None
    try:
        return float(error.response.headers.get("Retry-After", ""))
    except ValueError:
        return None


def points(report: dict[str, Any]) -> list[Point]:
    """Return a report's prices and utilisation as points."""
    return [
        Point(f"cloud.{name}.{what}", int(report["time"]), float(value))
        for name, figures in report["instances"].items()
        for what, value in figures.items()
    ]
