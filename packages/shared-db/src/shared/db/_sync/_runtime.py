"""What the generated code cannot derive: waiting, sleeping and running beside, for threads."""

from __future__ import annotations

import contextlib
import ctypes
import select
import threading
import time
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")

IS_ASYNC = False
current_task = threading.current_thread
Cancelled: tuple[type[BaseException], ...] = ()


class Waiter(Generic[T]):
    """One who waits for one thing, given at most once."""

    __slots__ = ("_event", "_value")

    def __init__(self) -> None:
        self._event = threading.Event()
        self._value: list[T] = []

    def give(self, value: T) -> None:
        """Ends the wait."""
        if not self._value:
            self._value.append(value)
            self._event.set()

    @property
    def given(self) -> bool:
        """Whether the wait has ended."""
        return bool(self._value)

    def value(self) -> T:
        """What was given."""
        return self._value[0]

    def wait(self, timeout: float | None) -> bool:
        """Waits; tells whether something was given in time."""
        return self._event.wait(timeout)


class Background:
    """A function that runs beside the caller."""

    def __init__(self, name: str, function: Callable[[], Any]) -> None:
        self._thread = threading.Thread(target=function, name=name, daemon=True)
        self._thread.start()

    def done(self) -> bool:
        """Whether it has ended."""
        return not self._thread.is_alive()

    def join(self, timeout: float | None = None) -> bool:
        """Waits for its end; tells whether it came in time."""
        if self._thread is not threading.current_thread():
            self._thread.join(timeout)
        return not self._thread.is_alive()


def sleep(seconds: float) -> None:
    """Waits."""
    time.sleep(seconds)


def gather(calls: Iterable[Callable[[], T]]) -> list[T | BaseException]:
    """Makes all calls at once, each in a thread; an error is a result."""
    calls = list(calls)
    results: list[Any] = [None] * len(calls)

    def run(place: int, function: Callable[[], T]) -> None:
        try:
            results[place] = function()
        except BaseException as error:  # noqa: BLE001  handed to the caller
            results[place] = error

    threads = [threading.Thread(target=run, args=item, daemon=True) for item in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def call(function: Callable[..., T], *arguments: Any) -> T:
    """Calls a function."""
    return function(*arguments)


@contextlib.contextmanager
def deadline(_seconds: float | None) -> Iterator[None]:
    """A thread cannot be interrupted: its calls have timeouts of their own."""
    yield


class Watchful:
    """A connection of redis-py, which looks at its socket by itself here."""

    def hung_up(self) -> bool:
        """Whether the server ended the connection and redis-py would not notice."""
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
        """Raises in the block, once and unless it has ended."""
        with self._mutex:
            if not self._done and not self._interrupted:
                self._interrupted = True
                self._raise(ctypes.py_object(self._kind))

    def end(self, error: BaseException | None) -> bool:
        """The block has ended; tells whether it did because of us."""
        with self._mutex:
            self._done = True
            if self._interrupted and not isinstance(error, self._kind):
                self._raise(None)  # on its way and not needed any more
        return self._interrupted and isinstance(error, self._kind)

    def _raise(self, kind: Any) -> None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread), kind)


def readable(descriptor: int, timeout: float) -> bool:
    """Waits until there is something to read."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(timeout * 1000))


def redis_connections(pool: Any) -> tuple[int, int]:
    """How many connections of redis-py's blocking pool are idle and in use."""
    waiting = list(pool.pool.queue)  # None: one that is not made yet
    return sum(one is not None for one in waiting), pool.max_connections - len(waiting)
