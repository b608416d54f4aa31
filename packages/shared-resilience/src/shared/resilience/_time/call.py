"""Await something for a limited time, without a timer for what never suspends."""

from __future__ import annotations

import types
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from shared.core.checks import number, refuse

from .alarm import NO_TASK, Block, current_alarm, too_late
from .deadline import LONGEST, current, limit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine, Generator

T = TypeVar("T")
MISSING: Any = object()


class Owner:
    """Closes a coroutine that was never started, even if its task is gone."""

    __slots__ = ("coroutine",)

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self.coroutine = coroutine

    def __del__(self) -> None:
        self.coroutine.close()


def wait_for(awaitable: Any, seconds: Any, default: Any) -> Coroutine[Any, Any, Any]:
    """Return a coroutine that awaits any awaitable for `seconds`; see `limited`."""
    try:
        coroutine = coroutine_of(awaitable)
        if hasattr(seconds, "total_seconds"):
            seconds = seconds.total_seconds()
        number("timeout", seconds, most=LONGEST)
    except BaseException:
        if isinstance(awaitable, types.CoroutineType):
            awaitable.close()
        raise
    return limited(coroutine, seconds, default, Owner(coroutine))


def coroutine_of(awaitable: Any) -> Any:
    """Return the awaitable if it is a coroutine, else a coroutine that awaits it."""
    if type(awaitable) is types.CoroutineType:
        return awaitable
    if not hasattr(awaitable, "__await__"):
        raise refuse("awaitable", "awaitable", awaitable, TypeError)
    return _awaiting(awaitable)


async def _awaiting(awaitable: Awaitable[T]) -> T:
    return await awaitable


async def limited(
    coroutine: Any, seconds: float, default: Any = MISSING, _owner: Owner | None = None
) -> Any:
    """Await a coroutine for `seconds`; then the default is returned, or `TimeoutError` raised.

    The first step is made by hand: if it ends the coroutine, the loop was not involved at all.
    """
    left = seconds if current.get() is None else limit(seconds)
    if left <= 0:
        coroutine.close()
        return _at_the_end(seconds, default, None)
    started = monotonic()
    try:
        suspended = coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    return await _drive(coroutine, suspended, left, started, default)


@types.coroutine
def _drive(
    coroutine: Any, suspended: Any, seconds: float, started: float, default: Any
) -> Generator[Any, Any, Any]:
    """Continue a coroutine that suspended; its time counts from its first step.

    The callee's own timeout goes through unchanged, whatever the default.
    """
    alarm = current_alarm()
    task = alarm.task_of(alarm.loop)
    if task is None:
        raise RuntimeError(NO_TASK)
    block = Block()
    # A loop's own clock stood still during the first step.
    block.enter(alarm, task, seconds, started if alarm.clock is monotonic else alarm.clock())
    result = None
    try:
        while True:
            try:
                yield suspended
            except BaseException as thrown:  # noqa: BLE001 - what comes in is the coroutine's
                try:
                    suspended = coroutine.throw(thrown)
                except StopIteration as stop:
                    result = stop.value
                    break
            else:
                result = yield from coroutine
                break
    except BaseException as exc:
        if not block.leave(exc):
            raise
        return _at_the_end(seconds, default, exc)
    block.leave(None)
    return result


def _at_the_end(seconds: float, default: Any, exc: BaseException | None) -> Any:
    late = too_late(seconds)
    if default is MISSING:
        raise late from exc
    return default
