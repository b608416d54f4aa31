"""Await something for a limited time, without a timer for what never suspends."""

from __future__ import annotations

import types
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from ._alarm import Block, present_alarm, too_late
from ._deadline import limit, present

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine, Generator

T = TypeVar("T")
MISSING: Any = object()
NO_TASK = "a timeout works in a task only"


class Owner:
    """Closes a coroutine that nobody got to start, whatever became of its task."""

    __slots__ = ("coroutine",)

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self.coroutine = coroutine

    def __del__(self) -> None:
        self.coroutine.close()


# The first step of a coroutine is made by hand, here and in the decorator: if it ends the
# coroutine, that was all: no loop was asked for anything.


async def limited(owner: Owner, seconds: float, default: Any) -> Any:
    """Await what ``owner`` holds for so long; too late gives the default, if there is one."""
    left = seconds if present.get() is None else limit(seconds)
    if left <= 0:
        return no_time(owner.coroutine, seconds, default)
    started = monotonic()
    try:
        suspended = owner.coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    return await drive(owner.coroutine, suspended, left, started, default)


def no_time(coroutine: Any, seconds: float, default: Any) -> Any:
    """End a coroutine that has no time to begin."""
    coroutine.close()
    if default is MISSING:
        raise too_late(seconds)
    return default


@types.coroutine
def drive(
    coroutine: Any, suspended: Any, seconds: float, started: float, default: Any
) -> Generator[Any, Any, Any]:
    """Go on with a coroutine that suspended; its time counts from its first step.

    A timeout of the callee's own goes through unchanged, whatever the default.
    """
    alarm = present_alarm()
    task = alarm.task_of(alarm.loop)
    if task is None:
        raise RuntimeError(NO_TASK)
    block = Block()
    # A clock of the loop's own stood still during the first step.
    block.enter(alarm, task, seconds, started if alarm.clock is monotonic else alarm.clock())
    result = None
    try:
        while True:
            try:
                yield suspended
            except BaseException as thrown:  # noqa: BLE001  what comes in is the coroutine's
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
        late = too_late(seconds)
        if default is MISSING:
            raise late from exc
        return default
    block.leave(None)
    return result


async def as_coroutine(awaitable: Awaitable[T]) -> T:
    """Await it."""
    return await awaitable
