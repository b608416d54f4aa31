"""The work that a shutdown waits for."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from .times import limit

if TYPE_CHECKING:
    from types import TracebackType


class Work:
    """How many pieces of work are in progress."""

    def __init__(self) -> None:
        self.count = 0
        self.lock: threading.Lock = threading.Lock()
        self.idle: threading.Condition = threading.Condition(self.lock)

    def wait(self, timeout: float) -> None:
        """Wait until there is none, for `timeout` seconds at most; inf: no limit."""
        with self.lock:
            self.idle.wait_for(lambda: not self.count, limit(timeout))


class Tracked:
    """One piece of work, in progress inside the block; `with` or `async with`."""

    __slots__ = ("_work",)

    def __init__(self, work: Work) -> None:
        self._work = work

    def __enter__(self) -> None:
        work = self._work
        with work.lock:
            work.count += 1

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        work = self._work
        with work.lock:
            work.count -= 1
            if not work.count:
                work.idle.notify_all()

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(exc_type, exc, traceback)
