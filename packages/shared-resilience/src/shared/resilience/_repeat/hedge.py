"""Send a second request when the first is slow, and use the first answer."""

from __future__ import annotations

import contextvars
import math
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, TypeVar

from shared.core.callables import describe
from shared.core.checks import function, number, seconds, text, whole

from .._base.later import awaiting, is_later, stand_in
from .._events.telemetry import emit
from .._policy.policy import Policy
from .rules import checked_budget

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable
    from datetime import timedelta

    from .budget import RetryBudget

T = TypeVar("T")
_LEAST_SAMPLES = 10


class Hedge(Policy):
    """Cut the tail of latencies: when a call is slow, make it again next to the first.

    The first **success** wins and the others are cancelled. A failure never wins over a
    success that comes later: it only brings the next copy forward; when all copies have
    failed, the caller gets the failure of the first. Only for calls that may be made twice.

    Args:
        delay: Seconds without an answer before the next copy is sent.
        percentile: Instead: the percentile of recent latencies to wait for, in (0, 100),
            such as 95. Until there are ten, `delay` is used; without it no call is hedged.
        max_hedges: Copies besides the first.
        budget: Limits copies to a share of calls: hedges add load when load is the problem.
        thread: Allow plain functions: copies run in threads, with a copy of the context.
            **A losing copy goes on until it ends by itself.**
        name: For telemetry.
        clock: Returns seconds that never go back.

    Raises:
        ValueError: A number is out of range, or both `delay` and `percentile` are omitted.

    Described in https://research.google/pubs/the-tail-at-scale/.

    Example:
        >>> import asyncio
        >>> async def fetch():
        ...     return "page"
        >>> asyncio.run(Hedge(delay=0.1).acall(fetch))
        'page'
    """

    def __init__(
        self,
        delay: float | timedelta | None = None,
        percentile: float | None = None,
        *,
        max_hedges: int = 1,
        budget: RetryBudget | None = None,
        thread: bool = False,
        name: str = "hedge",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if delay is None and percentile is None:
            raise ValueError("delay or percentile must be passed")
        self.delay: float | None = None if delay is None else seconds("delay", delay)
        if percentile is not None:
            percentile = number("percentile", percentile, above=0, most=100)
        self.percentile = percentile
        self.max_hedges: int = whole("max_hedges", max_hedges)
        self.budget: RetryBudget | None = checked_budget(budget)
        self.name: str = text("name", name)
        self._thread = thread
        self._clock = function("clock", clock)
        self._latencies: deque[float] = deque(maxlen=200)
        self._losers: set[asyncio.Task[Any]] = set()  # keeps them alive until they are done

    def __repr__(self) -> str:
        return f"<Hedge {self.name!r} max_hedges={self.max_hedges}>"

    @property
    def present_delay(self) -> float | None:
        """Seconds without an answer before the next copy is sent; `None`: no hedging yet."""
        if self.percentile is None or len(self._latencies) < _LEAST_SAMPLES:
            return self.delay
        latencies = sorted(self._latencies)
        return latencies[max(0, math.ceil(len(latencies) * self.percentile / 100) - 1)]

    def _may_send(self, copies: int) -> bool:
        if copies > self.max_hedges:
            return False
        if self.budget is not None and not self.budget.spend():
            emit("hedge", self.name, "budget_exhausted")
            return False
        emit("hedge", self.name, "sent", copy=copies)
        return True

    def _async(self, fn: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T]]:
        async def hedged(*args: Any, **kwargs: Any) -> T:
            import asyncio

            if self.budget is not None:
                self.budget.request()
            started = self._clock()
            delay = self.present_delay
            running: list[asyncio.Task[T]] = []  # in the order they were sent
            copies = 0
            more = delay is not None
            first: asyncio.Task[T] | None = None

            async def copy() -> T:
                return await fn(*args, **kwargs)

            try:
                while True:
                    if copies == 0 or (more and (more := self._may_send(copies))):
                        task = asyncio.create_task(copy())
                        first = first or task
                        running.append(task)
                        copies += 1
                        more = more and copies <= self.max_hedges
                    if not running:
                        assert first is not None
                        return first.result()  # all failed: raises what the first raised
                    await asyncio.wait(
                        running,
                        timeout=delay if more else None,
                        return_when=asyncio.FIRST_COMPLETED,
                    )
                    ended = [task for task in running if task.done()]
                    running = [task for task in running if not task.done()]
                    if good := [task for task in ended if _failure_of(task) is None]:
                        self._latencies.append(self._clock() - started)
                        return good[0].result()
            finally:
                await self._abandon(running)

        return hedged

    async def _abandon(self, losers: list[asyncio.Task[Any]]) -> None:
        """Cancel the losers. They get a moment to end; one that needs longer ends by itself."""
        import asyncio

        for task in losers:
            self._losers.add(task)
            task.add_done_callback(self._forget)
            task.cancel()
        for _ in range(3):
            if all(task.done() for task in losers):
                break
            await asyncio.sleep(0)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._losers.discard(task)
        _failure_of(task)  # retrieved: asyncio does not complain

    def _sync(self, fn: Callable[..., T]) -> Callable[..., T]:
        if not self._thread:
            raise TypeError(
                f"{describe(fn)} is a plain function, whose losing copies cannot be"
                " cancelled: make it async, or pass thread=True to let them run on in threads"
            )

        def hedged(*args: Any, **kwargs: Any) -> T:
            import queue

            def hedged_later(awaitable: Any) -> Any:
                return self._async(awaiting(fn, awaitable))(*args, **kwargs)

            if self.budget is not None:
                self.budget.request()
            started = self._clock()
            delay = self.present_delay
            answers: queue.SimpleQueue[tuple[int, T | None, BaseException | None]]
            answers = queue.SimpleQueue()
            wait = None if delay is None else min(delay, threading.TIMEOUT_MAX)
            copies = ended = 0
            more = delay is not None
            first_failure: BaseException | None = None
            try:
                while True:
                    if copies == 0 or (more and (more := self._may_send(copies))):
                        _start(fn, args, kwargs, answers, copies)
                        copies += 1
                        more = more and copies <= self.max_hedges
                    if ended == copies:
                        assert first_failure is not None
                        raise first_failure
                    try:
                        copy, result, failure = answers.get(timeout=wait if more else None)
                    except queue.Empty:
                        continue
                    ended += 1
                    if failure is None and is_later(result):
                        return stand_in(result, hedged_later, fn)  # type: ignore[no-any-return]
                    if failure is None:
                        self._latencies.append(self._clock() - started)
                        return result  # type: ignore[return-value]
                    if not isinstance(failure, Exception):
                        raise failure
                    if copy == 0:
                        first_failure = failure
            finally:
                del first_failure

        return hedged


def _failure_of(task: asyncio.Task[Any]) -> BaseException | None:
    if task.cancelled():
        from asyncio import CancelledError

        return CancelledError()
    return task.exception()


def _start(fn: Callable[..., Any], args: Any, kwargs: Any, answers: Any, copy: int) -> None:
    context = contextvars.copy_context()

    def work() -> None:
        try:
            answers.put((copy, context.run(fn, *args, **kwargs), None))
        except BaseException as exc:  # noqa: BLE001 - the caller gets it
            answers.put((copy, None, exc))

    threading.Thread(target=work, name=f"hedge {describe(fn)}", daemon=True).start()
