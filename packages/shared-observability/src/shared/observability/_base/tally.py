"""Counting without a lock."""

from __future__ import annotations

import itertools


class Tally:
    """Counts steps of one: `tally.one()` from any thread, without a lock.

    `next` on an `itertools.count` is a single step for the interpreter, so no count is lost (a
    plain `+= 1` would lose some). Its text is what shows the number without taking a step.
    """

    __slots__ = ("_steps", "one")

    def __init__(self) -> None:
        self._steps = itertools.count()
        self.one = self._steps.__next__

    def read(self) -> int:
        """Return the number of steps so far."""
        return int(repr(self._steps).removeprefix("count(").removesuffix(")"))
