"""Virtual time for tests."""

from __future__ import annotations

import threading

from .checks import number


class VirtualClock:
    """A clock that moves only when told to. Pass it as `clock=`.

    Not for several threads that sleep at once: each would move the time.

    Args:
        start: The seconds that it shows first.

    Attributes:
        now: The seconds that it shows. A test may set it back, as happens to real clocks.

    Example:
        >>> clock = VirtualClock(100.0)
        >>> clock.advance(2.5)
        >>> clock()
        102.5
    """

    def __init__(self, start: float = 0.0) -> None:
        self.now: float = number("start", start)
        self._lock = threading.Lock()

    def __call__(self) -> float:
        """Return the seconds that it shows."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Move on by `seconds`; a ValueError if they are negative."""
        amount = number("seconds", seconds, least=0)
        with self._lock:
            self.now += amount

    def sleep(self, seconds: float) -> None:
        """Do the same: for code that sleeps by its clock."""
        self.advance(seconds)
