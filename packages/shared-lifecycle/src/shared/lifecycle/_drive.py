"""One algorithm, two ways to run it: with threads and with an event loop.

A pool's operations are generators. They yield `Call` (a function of the user, sync or
async) and `Wait` (until someone hands something over), and are sent the outcome.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Generator

    R = TypeVar("R")
    Steps = Generator["Call | Wait", Any, R]

PENDING: Any = object()


class Call:
    """Call the user's function.

    A sync function that a task waits for runs in a thread, which goes on when the task is
    cancelled: then `orphaned` is set, and `orphan` gets what the function returns
    (`PENDING` where it raised).
    """

    __slots__ = ("args", "fn", "orphan", "orphaned")

    def __init__(
        self, fn: Callable[..., Any], args: tuple[Any, ...], orphan: Callable[[Any], None]
    ) -> None:
        self.fn = fn
        self.args = args
        self.orphan = orphan
        self.orphaned = False


class Waiter:
    """Someone in the queue; `give` wakes it, from any thread."""

    value: Any = PENDING

    def give(self, value: Any) -> None:
        """Hand something over. The pool's lock is held, so this happens once.

        Raises:
            RuntimeError: it is gone and took nothing.
        """
        raise NotImplementedError


class ThreadWaiter(Waiter):
    """Waits with a thread."""

    def __init__(self) -> None:
        self.event = threading.Event()

    def give(self, value: Any) -> None:
        """Wake the thread."""
        self.value = value
        self.event.set()


class TaskWaiter(Waiter):
    """Waits with a task."""

    def __init__(self) -> None:
        import asyncio

        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[None] = self.loop.create_future()

    def give(self, value: Any) -> None:
        """Wake the task; fails where its loop is closed, for the task went with it."""
        self.loop.call_soon_threadsafe(self._wake)
        self.value = value

    def _wake(self) -> None:
        if not self.future.done():
            self.future.set_result(None)


class Wait(NamedTuple):
    """Wait until the waiter is given something, or for so many seconds."""

    waiter: Waiter
    timeout: float


def run_sync(steps: Steps[R]) -> R:
    """Run an operation in this thread."""
    try:
        step = next(steps)
        while True:
            try:
                outcome = _step_sync(step)
            except BaseException as error:  # noqa: BLE001  the operation decides
                step = steps.throw(error)
            else:
                step = steps.send(outcome)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


def _step_sync(step: Call | Wait) -> Any:
    if isinstance(step, Wait):
        assert isinstance(step.waiter, ThreadWaiter)
        step.waiter.event.wait(max(0.0, step.timeout))
        return None
    result = step.fn(*step.args)
    if hasattr(result, "__await__"):
        if hasattr(result, "close"):
            result.close()  # a coroutine that will never run
        name = getattr(step.fn, "__qualname__", repr(step.fn))
        raise TypeError(f"{name} is async: use 'async with', or await the async method")
    return result


async def run_async(steps: Steps[R]) -> R:
    """Run an operation as a task; sync functions run in a thread, the loop is never blocked."""
    try:
        step = next(steps)
        while True:
            try:
                outcome = await _step_async(step)
            except BaseException as error:  # noqa: BLE001  the operation decides
                step = steps.throw(error)
            else:
                step = steps.send(outcome)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


async def _step_async(step: Call | Wait) -> Any:
    import asyncio

    if isinstance(step, Wait):
        assert isinstance(step.waiter, TaskWaiter)
        await asyncio.wait([step.waiter.future], timeout=max(0.0, step.timeout))
        return None
    import inspect

    if inspect.iscoroutinefunction(step.fn):
        return await step.fn(*step.args)
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
    orphan(PENDING if failed else done.result())
