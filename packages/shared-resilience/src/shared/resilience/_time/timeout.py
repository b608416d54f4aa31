"""`with_timeout`: one name for a limit of blocks, of functions and of one awaitable."""

from __future__ import annotations

from types import CoroutineType
from typing import TYPE_CHECKING, Any, TypeVar, overload

from shared.core.checks import number, whole
from shared.core.checks import seconds as as_seconds

from .block import Timeout
from .call import MISSING, Owner, limited, wait_for
from .deadline import LONGEST
from .threads import InThread

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine
    from datetime import timedelta

T = TypeVar("T")
D = TypeVar("D")
_THREADS = 32


@overload
def with_timeout(
    timeout: float | timedelta, /, *, thread: bool = ..., max_threads: int = ...
) -> Timeout: ...
@overload
def with_timeout(
    awaitable: Awaitable[T], timeout: float | timedelta, /
) -> Coroutine[Any, Any, T]: ...
@overload
def with_timeout(
    awaitable: Awaitable[T], timeout: float | timedelta, default: D
) -> Coroutine[Any, Any, T | D]: ...
def with_timeout(
    awaitable: Any = MISSING,
    timeout: Any = MISSING,
    default: Any = MISSING,
    thread: bool = False,
    max_threads: int = _THREADS,
) -> Any:
    """Limit the time of a call: as a decorator, as a context, or around one awaitable.

    `@with_timeout(5.0)` and `async with with_timeout(5.0):` limit each call or block to 5 seconds;
    `await with_timeout(coroutine, 5.0)` limits one awaitable. None runs longer than what is left
    of the current `deadline`. A cancellation from outside stays one; the callee's own
    `TimeoutError` is never replaced by `default`.

    Args:
        awaitable: What to await; or only the seconds, for a decorator or a context.
        timeout: Seconds.
        default: Returned when the time is over. Without it `TimeoutError` is raised.
        thread: Allow a plain function: it runs in a thread, with a copy of the context.
            At the deadline the caller is freed, **but the function goes on**, and holds
            its slot until it really ends.
        max_threads: How many such threads one decorator may have, stuck ones included.

    Raises:
        TimeoutError: The time is over and there is no default.
        TypeError: A plain function is decorated without `thread=True`.
        ValueError: `timeout` is not above 0. (For an awaitable that is not an error: its time
            is over at once.)

    Example:
        >>> import asyncio
        >>> asyncio.run(with_timeout(asyncio.sleep(1), 0.01, "too slow"))
        'too slow'
    """
    # The two common forms come first, and no argument is keyword-only, which would cost 40 ns: a
    # new block takes 0.96 us in place of 1.45; `asyncio.timeout` takes 3.9, the bar is a quarter.
    if (
        timeout is MISSING
        and type(awaitable) is float
        and 0.0 < awaitable < LONGEST
        and not thread
        and max_threads == _THREADS
    ):
        block = Timeout()
        block.seconds = awaitable
        block.task = block._others = None  # noqa: SLF001 - made here only
        return block
    if type(awaitable) is CoroutineType and type(timeout) is float and timeout < LONGEST:
        return limited(awaitable, timeout, default, Owner(awaitable))
    if timeout is MISSING or awaitable is MISSING:
        seconds: Any = timeout if awaitable is MISSING else awaitable
        whole("max_threads", max_threads)
        block = InThread(max_threads) if thread else Timeout()
        block.seconds = number("timeout", as_seconds("timeout", seconds, above=0), most=LONGEST)
        block.task = block._others = None  # noqa: SLF001 - made here only
        return block
    return wait_for(awaitable, timeout, default)
