"""Inject faults and delays, for tests and drills."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from shared.core.checks import function, number, seconds, text

from .._events.telemetry import emit
from .._policy.policy import NOTHING_TO_END, Admission, Guard

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta


class Chaos(Guard):
    """Make some calls fail or wait before they reach the real service.

    Args:
        fault_rate: The share of calls that fail, in [0, 1].
        latency: Seconds added to a call; `(low, high)` for a random time between.
        latency_rate: The share of calls that are delayed, in [0, 1].
        fault: The exception class to raise, or a function that makes an exception.
        enabled: Whether it does anything; can be switched at any time.
        seed: Makes every drill the same.
        name: For telemetry.
        sleep: Waits in plain code.

    Raises:
        ValueError: A number is out of range.

    Example:
        >>> Chaos(fault_rate=1.0).call(len, "abc")
        Traceback (most recent call last):
        ConnectionError: injected by chaos
    """

    def __init__(
        self,
        fault_rate: float = 0.0,
        latency: float | timedelta | tuple[float | timedelta, float | timedelta] = 0.0,
        *,
        latency_rate: float = 1.0,
        fault: type[Exception] | Callable[[], Exception] = ConnectionError,
        enabled: bool = True,
        seed: int | None = None,
        name: str = "chaos",
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.fault_rate: float = number("fault_rate", fault_rate, least=0, most=1)
        low, high = latency if isinstance(latency, tuple) else (latency, latency)
        low = seconds("latency", low)
        self.latency: tuple[float, float] = (
            low,
            number("latency", seconds("latency", high), least=low),
        )
        self.latency_rate: float = number("latency_rate", latency_rate, least=0, most=1)
        self.fault: type[Exception] | Callable[[], Exception] = function("fault", fault)
        self.enabled = enabled
        self.name: str = text("name", name)
        self._sleep = function("sleep", sleep)
        from random import Random

        self._random = Random(seed)  # noqa: S311 - no secret

    def _delay(self) -> float:
        if not self.enabled or self.latency[1] <= 0 or self._random.random() >= self.latency_rate:
            return 0.0
        return self._random.uniform(*self.latency)

    def _strike(self) -> None:
        if self.enabled and self._random.random() < self.fault_rate:
            emit("chaos", self.name, "injected")
            if isinstance(self.fault, type):
                raise self.fault("injected by chaos")
            raise self.fault()

    def _begin(self) -> Admission:
        if delay := self._delay():
            self._sleep(delay)
        self._strike()
        return NOTHING_TO_END

    async def _abegin(self) -> Admission:
        if delay := self._delay():
            import asyncio

            await asyncio.sleep(delay)
        self._strike()
        return NOTHING_TO_END
