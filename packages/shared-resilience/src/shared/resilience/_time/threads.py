"""Time limits of plain functions, which go on in threads."""

from __future__ import annotations

import contextvars
import threading
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from shared.core import forks
from shared.core.callables import describe

from .._base.later import is_later, stand_in
from .alarm import too_late
from .block import Timeout
from .call import coroutine_of, limited
from .deadline import limit

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class InThread(Timeout):
    """Frees the callers of plain functions at the deadline; the functions go on in threads."""

    __slots__ = ("__weakref__", "_max_threads", "_slots")

    def __init__(self, max_threads: int) -> None:
        self._max_threads = max_threads
        self.renew_after_fork()
        forks.renew(self)

    def renew_after_fork(self) -> None:
        """Start again in a child, which has none of the threads."""
        self._slots = threading.BoundedSemaphore(self._max_threads)

    def _sync(self, fn: Callable[..., T]) -> Callable[..., T]:
        def timed(*args: Any, **kwargs: Any) -> T:
            until = monotonic() + self.seconds
            result = self._run(fn, args, kwargs)
            if is_later(result):

                def in_time(awaitable: Any) -> Any:
                    return limited(coroutine_of(awaitable), until - monotonic())

                return stand_in(result, in_time, fn)  # type: ignore[no-any-return]
            return result

        return timed

    def _run(self, fn: Callable[..., T], args: Any, kwargs: Any) -> T:
        left = limit(self.seconds)
        until = monotonic() + left
        slots = self._slots
        if left <= 0 or not slots.acquire(timeout=min(left, threading.TIMEOUT_MAX)):
            raise too_late(self.seconds)
        context = contextvars.copy_context()
        done = threading.Event()
        outcome: list[Any] = []

        def work() -> None:
            try:
                outcome.extend((True, context.run(fn, *args, **kwargs)))
            except BaseException as exc:  # noqa: BLE001 - the caller gets it
                outcome.extend((False, exc))
            finally:
                slots.release()  # only now: a stuck call keeps its slot
                done.set()

        try:
            # A daemon: a call that never ends must not keep the process from ending.
            threading.Thread(target=work, name=f"with_timeout {describe(fn)}", daemon=True).start()
        except BaseException:
            slots.release()
            raise
        if not done.wait(min(until - monotonic(), threading.TIMEOUT_MAX)):
            raise too_late(left)
        went_well, value = outcome
        if went_well:
            return value  # type: ignore[no-any-return]
        outcome.clear()
        try:
            raise value
        finally:
            del value  # the traceback holds this frame: break the circle
