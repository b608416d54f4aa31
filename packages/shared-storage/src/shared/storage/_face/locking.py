"""Waiting for a lock, in a thread or in a task: written once, over one attempt of a store."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any, Protocol

from shared.core.checks import seconds, shown

from .._base.errors import LockTimeout

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from datetime import timedelta
    from types import TracebackType
    from typing import Self


class Held(Protocol):
    """A lock in our hands."""

    def release(self) -> None:
        """Give it back."""


class Lock:
    """The lock of a key: `with` in threads, `async with` in tasks. It is not reentrant.

    Example:
        >>> from shared.storage import MemoryStore
        >>> with MemoryStore().lock("report", timeout=5):
        ...     print("alone")
        alone
    """

    def __init__(
        self,
        key: str,
        attempt: Callable[[str], Held | None],
        call: Callable[..., Awaitable[Any]],
        timeout: float | timedelta | None,
        longest: float,
    ) -> None:
        self._key = key
        self._attempt = attempt
        self._call = call
        self._timeout = math.inf if timeout is None else seconds("timeout", timeout, unlimited=True)
        self._longest = longest  # seconds between two attempts
        self._held: Held | None = None

    def acquire(self) -> None:
        """Wait for it.

        Raises:
            LockTimeout: It was not free within the timeout.
        """
        self._refuse_twice()
        for pause in self._pauses():
            self._held = self._attempt(self._key)
            if self._held is not None:
                return
            time.sleep(pause)

    async def aacquire(self) -> None:
        """Wait for it in a task; as `acquire`."""
        import asyncio

        self._refuse_twice()
        for pause in self._pauses():
            attempt = asyncio.ensure_future(self._call(self._attempt, self._key))
            try:
                self._held = await asyncio.shield(attempt)
            except asyncio.CancelledError:
                attempt.add_done_callback(_give_back)  # a thread may get it yet
                raise
            if self._held is not None:
                return
            await asyncio.sleep(pause)

    def release(self) -> None:
        """Give it back.

        Raises:
            LockLost: Somebody else took it over, since this process did not renew it in time.
            RuntimeError: It is not held.
        """
        if self._held is None:
            raise RuntimeError(f"the lock {shown(self._key)} is not held")
        held, self._held = self._held, None
        held.release()

    async def arelease(self) -> None:
        """Give it back in a task; as `release`."""
        if self._held is None:
            raise RuntimeError(f"the lock {shown(self._key)} is not held")
        held, self._held = self._held, None
        await self._call(held.release)

    def _refuse_twice(self) -> None:
        if self._held is not None:
            raise RuntimeError(f"the lock {shown(self._key)} is held already")

    def _pauses(self) -> Iterator[float]:
        end = time.monotonic() + self._timeout
        pause = 0.0005
        while True:
            left = end - time.monotonic()
            yield max(0.0, min(pause, left))
            if left <= 0:
                raise LockTimeout(
                    f"the lock {shown(self._key)} was not free in {self._timeout:g} s"
                )
            pause = min(pause * 1.5, self._longest)

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    async def __aenter__(self) -> Self:
        await self.aacquire()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.arelease()


def _give_back(attempt: Any) -> None:
    if not attempt.cancelled() and attempt.exception() is None:
        held = attempt.result()
        if held is not None:
            held.release()
