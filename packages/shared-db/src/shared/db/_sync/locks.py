# Generated from _async/locks.py by generate_sync.py: change that file, not this one.
# fmt: off
"""Locks across processes, with fencing tokens.

A lock alone cannot keep two writers apart: a holder that was stopped past its time believes that
it still holds the lock. The token does: it rises with every holder, and what is written to refuses
a token lower than one that it has seen.
"""

from __future__ import annotations

import math
import os
import time
from typing import TYPE_CHECKING, Self

from shared.core.checks import seconds

from .._base.errors import DatabaseError, LockLost, LockTimeout
from .runtime import Background, Interrupter, Waiter, finished, sleep

if TYPE_CHECKING:
    from types import TracebackType


class Lock:
    """A lock of one name, held for the time of a `with` block and renewed meanwhile.

    When it is lost (it ran out, or its server is gone) the block is cancelled and `LockLost` is
    raised; between the loss and the cancellation only the token protects.

    Attributes:
        name: What is locked.
        token: A number that rises with every holder; pass it to everything the block writes to.
    """

    def __init__(self, name: str, ttl: float, *, timeout: float | None) -> None:
        self.name = name
        self.ttl: float = seconds("ttl", ttl, above=0)
        self.token = 0
        if timeout is not None:
            timeout = seconds("timeout", timeout, unlimited=True)
        self._timeout = None if timeout == math.inf else timeout
        self._held_until = 0.0
        self._lost: str | None = None
        self._stop: Waiter[None] | None = None
        self._keeper: Background | None = None
        self._interrupter: Interrupter | None = None
        self._process = 0

    @property
    def lost(self) -> bool:
        """Whether it is no longer held: a look at the clock, without a call to the server."""
        return self._lost is not None or time.monotonic() >= self._held_until

    def check(self) -> None:
        """Raise if the lock is lost; for long loops that are not easily cancelled.

        Raises:
            LockLost: It is.
        """
        if self.lost:
            raise LockLost(f"lock {self.name!r} was lost: {self._lost or 'its time ran out'}")

    def __enter__(self) -> Self:
        try:
            self._wait()
        except BaseException:
            finished(self._release)  # it may be ours: the answer was lost
            raise
        self._lost = None
        self._process = os.getpid()
        self._stop = Waiter()
        self._interrupter = Interrupter(LockLost)
        self._keeper = Background(f"shared.db lock {self.name}", self._keep)
        return self

    def _wait(self) -> None:
        deadline = None if self._timeout is None else time.monotonic() + self._timeout
        delay = 0.005
        while not self._acquire():
            if deadline is not None and time.monotonic() + delay > deadline:
                raise LockTimeout(f"lock {self.name!r} did not come free in {self._timeout:g} s")
            sleep(delay)
            delay = min(delay * 1.5, 0.1)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._stop is not None
        assert self._interrupter is not None
        assert self._keeper is not None
        if self._process != os.getpid():
            return  # a forked child: the parent goes on holding the lock
        interrupted = self._interrupter.end(exc)
        self._stop.give(None)
        lost: str | None = None
        try:
            self._keeper.join(self.ttl)
            late = time.monotonic() >= self._held_until
            lost = self._lost or ("its time ran out" if late else None)
        finally:
            finished(self._release)
        if lost is not None and (exc is None or interrupted):
            raise LockLost(f"lock {self.name!r} was lost: {lost}") from (
                None if interrupted else exc
            )

    def _keep(self) -> None:
        """Renew the lock; end the block if that fails until its time is up."""
        assert self._stop is not None
        assert self._interrupter is not None
        while not self._stop.wait(self.ttl / 3):
            asked = time.monotonic()
            if asked >= self._held_until:
                self._lost = "its time ran out"
            else:
                try:
                    if self._renew():
                        self._held_until = asked + self.ttl
                        continue
                    self._lost = "it was taken away"
                except DatabaseError as error:
                    if time.monotonic() < self._held_until - self.ttl / 3:
                        continue
                    self._lost = str(error)
            self._interrupter.interrupt()
            while not self._stop.wait(self.ttl):
                self._interrupter.interrupt()
            return

    def _acquire(self) -> bool:
        raise NotImplementedError

    def _renew(self) -> bool:
        raise NotImplementedError

    def _release(self) -> None:
        raise NotImplementedError
