"""Ids that fit into a 64-bit integer column."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from shared.core.checks import whole
from shared.core.forks import renew

from .._base.errors import ClockMovedBack, IdsError

if TYPE_CHECKING:
    from collections.abc import Callable

EPOCH = 1_577_836_800_000
"""2020-01-01 in milliseconds since 1970: 41 bits last until 2089."""
BRIDGE = 5_000
"""Milliseconds that the clock may be behind the last id."""


class Snowflake:
    """Makes integers of 63 bits: 41 of the time, 10 of the node, 12 that count.

    Each process needs its own node id. A clock that steps back by up to 5 s is bridged: the ids go
    on from the last millisecond. After a larger step it raises, since waiting could take hours.

    Args:
        node_id: 0 to 1023; no two processes that run at once may have the same.
        clock: Nanoseconds since 1970.

    Raises:
        ValueError: The node id is out of its range.

    Example:
        >>> ids = Snowflake(7)
        >>> ids.next_id() < ids.next_id()
        True
    """

    def __init__(self, node_id: int, *, clock: Callable[[], int] = time.time_ns) -> None:
        self.node_id: int = whole("node_id", node_id, least=0, most=1023)
        self._clock = clock
        self._lock = threading.Lock()
        self._millisecond = 0
        self._count = 0
        self._forked = False
        renew(self)

    def renew_after_fork(self) -> None:
        """Refuse in a forked child: its parent has the node id."""
        self._lock = threading.Lock()
        self._forked = True

    def next_id(self) -> int:
        """Return the next id, greater than the one before.

        Raises:
            ClockMovedBack: The clock is more than 5 s behind the last id.
            IdsError: This is a forked child of the process that made the Snowflake.
        """
        now = self._clock() // 1_000_000 - EPOCH
        with self._lock:
            if self._forked:
                raise IdsError(
                    "a Snowflake belongs to one process: make another in the forked child"
                    " with its own node_id"
                )
            if now > self._millisecond:
                self._millisecond, self._count = now, 0
            else:
                behind = self._millisecond - now
                if behind > BRIDGE:
                    raise ClockMovedBack(
                        f"the clock is {behind / 1000:.3g} s behind the last id; at most"
                        f" {BRIDGE / 1000:g} s are bridged",
                        seconds=behind / 1000,
                    )
                self._count += 1
                if self._count >> 12:
                    self._millisecond += 1
                    self._count = 0
            return self._millisecond << 22 | self.node_id << 12 | self._count

    def __repr__(self) -> str:
        return f"Snowflake({self.node_id})"
