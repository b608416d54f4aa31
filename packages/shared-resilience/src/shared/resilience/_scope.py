"""What ends a block or a coroutine when its time is over."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from ._telemetry import emit

if TYPE_CHECKING:
    import asyncio

    from ._timeout import Timeout

_SAME_CLOCK = 0.1  # seconds; a loop may round its time


class Scope:
    """Cancels a task when the time is over, and owns up to it.

    The rules are those of ``asyncio.timeout``: our cancellation becomes ``TimeoutError``,
    anybody else's stays what it is, also when both come at once.

    Args:
        loop: The task's event loop.
        task: Whom to cancel.
        seconds: How long from ``started``.
        started: On ``time.monotonic``.
        cancelling: The task's count of cancellations at that time.
        outer: The scope of the same object and task around this one.
    """

    __slots__ = ("_cancelled", "_cancelling", "_handle", "_task", "outer", "seconds")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        task: asyncio.Task[Any],
        seconds: float,
        started: float,
        cancelling: int,
        outer: Scope | None = None,
    ) -> None:
        self._task = task
        self._cancelling = cancelling
        self._cancelled = False
        self.seconds = seconds
        self.outer = outer
        now, real = loop.time(), monotonic()
        # A loop on virtual time has another clock, on which none has passed since; and which
        # may show the real time by chance.
        same = abs(now - real) < _SAME_CLOCK and not hasattr(loop, "virtual_clock")
        passed = real - started if same else 0.0
        self._handle: asyncio.Handle | None = loop.call_at(now + seconds - passed, self._expire)

    def _expire(self) -> None:
        self._handle = None
        self._cancelled = True
        self._task.cancel()

    def ended_it(self, exc: BaseException | None) -> bool:
        """Remove the timer; tell whether it was this that ended the block with ``exc``."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        if not self._cancelled:
            return False
        import asyncio

        foreign = self._task.uncancel() > self._cancelling
        return not foreign and isinstance(exc, asyncio.CancelledError)


class Armer:
    """The blocks of one event loop that were entered since it came round last.

    They get their timers when it comes round again. A block that never suspends is over by
    then: it costs no timer, only an entry here.
    """

    __slots__ = ("_loop", "entered", "scheduled")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.scheduled = False
        # task -> (whose block, seconds, when entered, the task's cancellations by then, the
        # entry of the block around it), innermost block of the task first
        self.entered: dict[asyncio.Task[Any], Any] = {}

    def schedule(self) -> None:
        """Have the timers set when the loop comes round."""
        self.scheduled = True
        self._loop.call_soon(self.arm)

    def arm(self) -> None:
        """Set the timers of the blocks that are still open."""
        self.scheduled = False
        entered, self.entered = self.entered, {}
        for task, entry in entered.items():
            if not task.done():
                self._arm_from_outside(task, entry)

    def _arm_from_outside(self, task: asyncio.Task[Any], entry: Any) -> None:
        owner, seconds, started, cancelling, around = entry
        if around is not None:
            self._arm_from_outside(task, around)
        scopes = owner.scopes
        scopes[task] = Scope(self._loop, task, seconds, started, cancelling, scopes.get(task))

    def remove(self, task: asyncio.Task[Any], owner: Timeout) -> bool:
        """Forget the innermost block of ``owner`` in ``task``; tell whether there was one."""
        inner = []
        entry = self.entered.get(task)
        while entry is not None and entry[0] is not owner:
            inner.append(entry)
            entry = entry[4]
        if entry is None:
            return False
        rest = entry[4]
        for other in reversed(inner):
            rest = (*other[:4], rest)
        if rest is None:
            del self.entered[task]
        else:
            self.entered[task] = rest
        return True


_of_loops_without_attributes: WeakKeyDictionary[Any, Armer] = WeakKeyDictionary()


def armer_of(loop: Any) -> Armer:
    """Return the one of this loop, made when first asked for."""
    try:
        return loop._shared_resilience_armer  # type: ignore[no-any-return]  # noqa: SLF001  ours
    except AttributeError:
        armer = _of_loops_without_attributes.get(loop) or Armer(loop)
    try:
        loop._shared_resilience_armer = armer  # noqa: SLF001  ours
    except AttributeError:
        _of_loops_without_attributes[loop] = armer
    return armer


def too_late(seconds: float) -> TimeoutError:
    """Tell of a timeout, and return what is to be raised."""
    emit("timeout", "timeout", "timed_out", seconds=seconds)
    return TimeoutError(f"timed out after {seconds:g} s")
