"""Virtual time for tests: hours of pauses and timeouts in milliseconds, and always the same.

Example:
    >>> from shared.resilience import RateLimiter
    >>> clock = VirtualClock()
    >>> limiter = RateLimiter(1, 3600.0, clock=clock)
    >>> for _ in range(3):
    ...     limiter.acquire() and None
    >>> clock()
    7200.0
"""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, Any, TypeVar

from shared.core.testing import VirtualClock

from ._time.alarm import current_alarm

if TYPE_CHECKING:
    from collections.abc import Coroutine

__all__ = ["VirtualClock", "run_virtual"]

T = TypeVar("T")


class _Selector(selectors.DefaultSelector):
    """Move the clock to the next timer at once, where a loop would sleep until then."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._virtual = clock

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        ready = super().select(0)
        # The timer of the time limits may be left over from one that is over.
        if not ready and not current_alarm().settle():
            self._virtual.advance(timeout)
        return ready


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(_Selector(clock))
        self.virtual_clock = clock

    def time(self) -> float:
        return self.virtual_clock()

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109 - asyncio's own
        # Threads end in real time: a limit in virtual time would be over at once.
        await super().shutdown_default_executor()


def run_virtual(main: Coroutine[Any, Any, T], clock: VirtualClock | None = None) -> T:
    """Run a coroutine as `asyncio.run` does, on an event loop whose time is virtual.

    Whenever all tasks wait for timers, the time jumps to the next one. Pass the same clock
    to the policies.

    Args:
        main: The coroutine.
        clock: Shared with the policies under test; a new one if `None`.

    Example:
        >>> clock = VirtualClock()
        >>> run_virtual(asyncio.sleep(3600), clock)
        >>> round(clock())
        3600
    """
    clock = clock if clock is not None else VirtualClock()
    with asyncio.Runner(loop_factory=lambda: _VirtualLoop(clock)) as runner:
        return runner.run(main)
