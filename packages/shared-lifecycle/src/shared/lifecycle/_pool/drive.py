"""One algorithm, two ways to run it: with threads and with an event loop.

A pool's operations are generators. They yield `Call` (a user's function, sync or async)
and `Wait` (until a waiter is given something), and are sent the outcome.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from shared.core.callables import describe, kind_of
from shared.core.waiting import TaskWaiter, ThreadWaiter

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Generator

    R = TypeVar("R")
    Steps = Generator["Call | Wait", Any, R]

FAILED: Any = object()


class Call:
    """Call the user's function.

    A sync function that a task waits for runs in a thread, which goes on when the task is
    cancelled: then `orphaned` is set, and `orphan` is called with what the function returns
    (`FAILED` if it raised).
    """

    __slots__ = ("args", "fn", "orphan", "orphaned")

    def __init__(
        self, fn: Callable[..., Any], args: tuple[Any, ...], orphan: Callable[[Any], None]
    ) -> None:
        self.fn = fn
        self.args = args
        self.orphan = orphan
        self.orphaned = False


class Wait(NamedTuple):
    """Wait until the waiter is given something, or for `timeout` seconds."""

    waiter: ThreadWaiter[Any] | TaskWaiter[Any]
    timeout: float


def run_sync(steps: Steps[R]) -> R:
    """Run an operation in this thread."""
    try:
        step = next(steps)
        while True:
            try:
                outcome = _step_sync(step)
            except BaseException as error:  # noqa: BLE001 - the operation decides
                step = steps.throw(error)
            else:
                step = steps.send(outcome)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


def _step_sync(step: Call | Wait) -> Any:
    if isinstance(step, Wait):
        assert isinstance(step.waiter, ThreadWaiter)
        return step.waiter.wait(step.timeout)
    result = step.fn(*step.args)
    if hasattr(result, "__await__"):
        getattr(result, "close", bool)()  # a coroutine that will never run
        raise TypeError(f"{describe(step.fn)} is async: use 'async with', or await the async form")
    return result


async def run_async(steps: Steps[R]) -> R:
    """Run an operation as a task; sync functions run in a thread, the loop is never blocked."""
    try:
        step = next(steps)
        while True:
            try:
                outcome = await _step_async(step)
            except BaseException as error:  # noqa: BLE001 - the operation decides
                step = steps.throw(error)
            else:
                step = steps.send(outcome)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


async def _step_async(step: Call | Wait) -> Any:
    if isinstance(step, Wait):
        assert isinstance(step.waiter, TaskWaiter)
        return await step.waiter.wait(step.timeout)
    if kind_of(step.fn) == "async":
        return await step.fn(*step.args)
    import asyncio

    call = asyncio.ensure_future(asyncio.to_thread(step.fn, *step.args))
    try:
        result = await asyncio.shield(call)
    except asyncio.CancelledError:
        step.orphaned = True
        call.add_done_callback(lambda done: _adopt(done, step.orphan))
        raise
    return await result if hasattr(result, "__await__") else result


def _adopt(done: asyncio.Future[Any], orphan: Callable[[Any], None]) -> None:
    failed = done.cancelled() or done.exception() is not None
    orphan(FAILED if failed else done.result())
