"""One timer for all time limits of an event loop."""

from __future__ import annotations

import heapq
import sys
import threading
from contextvars import Context
from itertools import count
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from .._events.telemetry import emit

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

EXPIRED = -inf
NO_TASK = "a timeout works in a task only"


class Block:
    """A piece of a task whose time is limited. It may be entered again after it was left.

    The rules are those of `asyncio.timeout`: our own cancellation becomes `TimeoutError`,
    any other stays what it is, also when both come at once.
    """

    __slots__ = ("alarm", "below", "cancelling", "left", "task", "when")

    alarm: Alarm
    below: Block | None  # entered before it, while both are on the alarm's stack
    task: asyncio.Task[Any] | None  # whose piece it is, while it is entered
    left: float  # the seconds it got
    when: float  # the time of the loop when they are over, or `EXPIRED`
    cancelling: int  # the task's requests for cancellation before it was entered

    def enter(self, alarm: Alarm, task: asyncio.Task[Any], left: float, now: float) -> None:
        """Start at the loop's time `now`."""
        self.alarm = alarm
        self.task = task
        self.left = left
        self.when = when = now + left
        self.cancelling = task.cancelling()
        self.below, alarm.top = alarm.top, self
        if when < alarm.until:
            alarm.ring_at(when)

    def leave(self, exc: BaseException | None) -> bool:
        """End; return whether it was the time that ended the block with `exc`."""
        task, self.task = self.task, None
        alarm = self.alarm
        if alarm.top is self:
            alarm.top, self.below = self.below, None
            return False
        alarm.left_behind()
        if self.when != EXPIRED:
            return False
        import asyncio

        assert task is not None
        foreign = task.uncancel() > self.cancelling
        return not foreign and isinstance(exc, asyncio.CancelledError)


class Alarm:
    """Cancels the tasks whose blocks in one event loop take too long.

    A timer for each block would cost more than most blocks. So the blocks are kept in order of
    their ends, and there is one timer, at or before the first of them: when it rings early,
    it is set again. Most blocks end in the reverse order of their start: they are put on a
    stack, which is sorted when it turns out that one is not.
    """

    __slots__ = (
        "_behind",
        "_handle",
        "_number",
        "_sorted",
        "clock",
        "loop",
        "task_of",
        "top",
        "until",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        import asyncio

        self.loop: asyncio.AbstractEventLoop = loop
        # The loop's time; in C where that is the usual one.
        usual = getattr(loop.time, "__func__", None) is asyncio.BaseEventLoop.time
        self.clock: Callable[[], float] = monotonic if usual else loop.time
        # Before 3.12 `asyncio.current_task` is Python code around this.
        self.task_of: Callable[[asyncio.AbstractEventLoop], asyncio.Task[Any] | None] = (
            asyncio.current_task
            if sys.version_info >= (3, 12)
            else asyncio.tasks._current_tasks.get  # type: ignore[attr-defined] # noqa: SLF001 - see above
        )
        self.top: Block | None = None
        self.until: float = inf  # when the timer rings
        self._handle: asyncio.TimerHandle | None = None
        self._sorted: list[tuple[float, int, Block]] = []  # a heap
        self._number = count()  # of two that end at once the first entered comes first
        self._behind = 0  # how many of `_sorted` have ended

    def ring_at(self, when: float) -> None:
        """Set the timer."""
        if self._handle is not None:
            self._handle.cancel()
        self.until = when
        # Its own context: the timer must not keep that of the first task that came.
        self._handle = self.loop.call_at(when, self._ring, context=Context())

    def left_behind(self) -> None:
        """Count a block that ended out of order; forget such blocks when there are many."""
        self._sort()
        self._behind += 1
        if self._behind > 100 and 2 * self._behind > len(self._sorted):
            self._sorted = [entry for entry in self._sorted if _is_open(entry)]
            heapq.heapify(self._sorted)
            self._behind = 0

    def settle(self) -> bool:
        """Set the timer to the first end; return whether that is another time than before."""
        self._sort()
        while self._sorted and not _is_open(self._sorted[0]):
            heapq.heappop(self._sorted)
        until = self._sorted[0][0] if self._sorted else inf
        if until == self.until:
            return False
        if until < inf:
            self.ring_at(until)
        elif self._handle is not None:
            self._handle.cancel()
            self._handle, self.until = None, inf
        return True

    def _sort(self) -> None:
        entered = []
        while (block := self.top) is not None:
            entered.append(block)
            self.top, block.below = block.below, None
        for block in reversed(entered):
            heapq.heappush(self._sorted, (block.when, next(self._number), block))

    def _ring(self) -> None:
        now = self.clock()
        self._handle, self.until = None, inf
        self._sort()
        while self._sorted and self._sorted[0][0] <= now:
            entry = heapq.heappop(self._sorted)
            block = entry[2]
            if _is_open(entry) and block.task is not None:
                block.when = EXPIRED
                block.task.cancel()
        self.settle()


def _is_open(entry: tuple[float, int, Block]) -> bool:
    when, _, block = entry
    # One that was left and entered again has another end, and another entry.
    return block.task is not None and block.when == when


class _Here(threading.local):
    """The alarm that this thread used last, and the thread's number.

    Before Python 3.12 asyncio makes a system call to find the running loop.
    """

    alarm: tuple[Any, int] = None, 0


here = _Here()
_of_loops_without_attributes: WeakKeyDictionary[Any, Alarm] = WeakKeyDictionary()


def current_alarm() -> Alarm:
    """Return the alarm of the running loop; it is made when first needed."""
    try:
        alarm, thread = here.alarm
        if alarm.loop._thread_id == thread:  # noqa: SLF001 - 60 ns instead of 160
            return alarm  # type: ignore[no-any-return]
    except AttributeError:
        pass
    return find_alarm()


def find_alarm() -> Alarm:
    """Return the alarm of the running loop, and remember it as the one of this thread."""
    import asyncio

    loop: Any = asyncio.get_running_loop()
    try:
        alarm: Alarm = loop._shared_resilience_alarm  # noqa: SLF001 - our own name
    except AttributeError:
        alarm = _of_loops_without_attributes.get(loop) or Alarm(loop)
        try:
            loop._shared_resilience_alarm = alarm  # noqa: SLF001 - our own name
        except AttributeError:
            _of_loops_without_attributes[loop] = alarm
    here.alarm = alarm, threading.get_ident()
    return alarm


def too_late(seconds: float) -> TimeoutError:
    """Emit the event of a timeout, and return what is to be raised."""
    emit("timeout", "timeout", "timed_out", seconds=seconds)
    return TimeoutError(f"timed out after {seconds:g} s")
