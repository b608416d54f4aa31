"""Time-ordered numbers: one sequence per process.

The last number rules, not the clock: within one millisecond, and while the clock is behind, a
counter goes on (RFC 9562, section 6.2, method 1). In each millisecond it starts at a random number
of 73 bits, so that no two processes meet: not even 1,000 of them with 1,000 ids per millisecond
each would within the age of the universe.
"""

from __future__ import annotations

import os
import random
import threading
import time
from typing import TYPE_CHECKING

from shared.core.forks import renew

if TYPE_CHECKING:
    from collections.abc import Callable

HIGH = 64
"""Bits of the counter above the 10 that `Ticks.next` returns apart."""

Block = tuple[int, int]
"""A millisecond since 1970, and the high bits of its counter."""


class Ticks:
    """Makes pairs of a block and the low bits of the counter; each is greater than the one before.

    The block is the same object for up to 1,024 pairs, so that what is made of it can be kept.

    Args:
        clock: Nanoseconds since 1970.
    """

    __slots__ = ("__weakref__", "_block", "_clock", "_lock", "_low", "_random")

    def __init__(self, clock: Callable[[], int] = time.time_ns) -> None:
        self._clock = clock
        self._block: Block = (0, 0)
        self.renew_after_fork()
        renew(self)

    def renew_after_fork(self) -> None:
        """Start another random sequence: the parent goes on with its own."""
        self._lock = threading.Lock()
        # Unpredictable to other processes, not to a reader of its ids: they are not secrets.
        self._random = random.Random(os.urandom(32)).getrandbits  # noqa: S311 - said above
        self._start(self._block[0])

    def next(self) -> tuple[Block, int]:
        """Return the block and the low 10 bits."""
        now = self._clock() // 1_000_000
        with self._lock:
            if now > self._block[0]:
                self._start(now)
            else:
                self._low += 1
                if self._low == 1024:
                    self._turn()
            return self._block, self._low

    def _start(self, millisecond: int) -> None:
        self._block = (millisecond, self._random(HIGH - 1))  # the other half is for counting
        self._low = self._random(10)

    def _turn(self) -> None:
        millisecond, high = self._block
        if high + 1 >> HIGH:
            self._start(millisecond + 1)
        else:
            self._block = (millisecond, high + 1)
            self._low = 0
