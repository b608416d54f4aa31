"""What the generated code cannot derive: waiting, sleeping and background work, for threads."""

from __future__ import annotations

import ctypes
import math
import select
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

from shared.core.waiting import ThreadWaiter as Waiter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")

IS_ASYNC = False
current_task = threading.current_thread

__all__ = [
    "IS_ASYNC",
    "Background",
    "Home",
    "Interrupter",
    "Waiter",
    "Watchful",
    "call",
    "current_task",
    "finished",
    "gather",
    "patiently",
    "readable",
    "redis_connections",
    "settled",
    "sleep",
]


class Home:
    """Connections of threads belong to no event loop."""

    def moved(self) -> bool:
        """Report False."""
        return False


class Background:
    """A function that runs in the background."""

    def __init__(self, name: str, function: Callable[[], Any]) -> None:
        self._thread = threading.Thread(target=function, name=name, daemon=True)
        self._thread.start()

    def done(self) -> bool:
        """Report whether it has ended."""
        return not self._thread.is_alive()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for its end; report whether it came in time."""
        if self._thread is not threading.current_thread():
            self._thread.join(timeout)
        return not self._thread.is_alive()


def sleep(seconds: float) -> None:
    """Wait."""
    time.sleep(seconds)


def finished(function: Callable[[], Any]) -> None:
    """Run a function."""
    function()


def settled(result: Any) -> Any:
    """Return what a function of the user gave."""
    return result


def gather(calls: Iterable[Callable[[], T]]) -> list[T | BaseException]:
    """Make all calls at once, each in a thread; an error is a result."""
    calls = list(calls)
    results: list[Any] = [None] * len(calls)

    def run(place: int, function: Callable[[], T]) -> None:
        try:
            results[place] = function()
        except BaseException as error:  # noqa: BLE001 - handed to the caller
            results[place] = error

    threads = [threading.Thread(target=run, args=item, daemon=True) for item in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def call(function: Callable[..., T], *arguments: Any) -> T:
    """Call a function."""
    return function(*arguments)


class Watchful:
    """A connection of redis-py, which looks at its socket by itself here."""

    def hung_up(self) -> bool:
        """Report whether the server ended the connection and redis-py would not notice."""
        return False


class Interrupter:
    """Ends the block of another thread from outside: raises in the thread that made this.

    The exception comes between two steps of Python code; a thread inside one long call of a
    library sees it when that call returns.
    """

    def __init__(self, kind: type[BaseException]) -> None:
        self._kind = kind
        self._thread = threading.get_ident()
        self._mutex = threading.Lock()
        self._done = False
        self._interrupted = False

    def interrupt(self) -> None:
        """Raise in the block, once and unless it has ended."""
        with self._mutex:
            if not self._done and not self._interrupted:
                self._interrupted = True
                self._raise(ctypes.py_object(self._kind))

    def end(self, error: BaseException | None) -> bool:
        """Note that the block has ended; report whether this ended it."""
        with self._mutex:
            self._done = True
            if self._interrupted and not isinstance(error, self._kind):
                self._raise(None)  # on its way and no longer needed
        return self._interrupted and isinstance(error, self._kind)

    def _raise(self, kind: Any) -> None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread), kind)


def readable(descriptor: int, timeout: float) -> bool:
    """Wait until there is something to read; report whether there is."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(timeout * 1000))


def patiently(
    connection: Any, read: Callable[..., Any], wait: float, arguments: Any, options: Any
) -> Any:
    """Read the answer of a command of Redis that waits, beyond the usual time for answers."""
    usual = connection.socket_timeout
    limit = None if usual is None or wait == math.inf else wait + usual
    return read(*arguments, **options, timeout=limit)


def redis_connections(pool: Any) -> tuple[int, int]:
    """Return how many connections of redis-py's blocking pool are idle and in use."""
    waiting = list(pool.pool.queue)  # None: one that is not made yet
    return sum(one is not None for one in waiting), pool.max_connections - len(waiting)
