"""The one shape that all chart patterns have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from .._base.inputs import gather

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from .._base.types import FloatArray, FrameLike

INPUTS = ("open", "high", "low", "close")


class PatternResult(NamedTuple):
    """The patterns that were found, one element each, in the order in which they became known.

    Attributes:
        start: The first bar of each pattern.
        position: The bar where it is marked.
        known: The bar at whose close it first became known; never before `position`.
        direction: 1 rising, -1 falling, 0 undecided.
        confidence: How clearly it has its shape, 0 to 1.
    """

    start: np.ndarray[Any, np.dtype[np.int64]]
    position: np.ndarray[Any, np.dtype[np.int64]]
    known: np.ndarray[Any, np.dtype[np.int64]]
    direction: np.ndarray[Any, np.dtype[np.int64]]
    confidence: FloatArray


class Found(NamedTuple):
    """One pattern."""

    start: int
    position: int
    known: int
    direction: int
    confidence: float


class Pattern:
    """What all patterns share. Nothing that is found depends on bars after its `known`."""

    name: ClassVar[str] = ""

    def find(self, *inputs: ArrayLike | FrameLike, **named: ArrayLike) -> PatternResult:
        """Find the pattern in bars.

        Args:
            *inputs: open, high, low and close, or one frame with these columns.
            **named: The inputs by name.

        Returns:
            Where it is, when it became known, its direction and how clear it is. A bar that is not
            finite is part of no pattern.

        Raises:
            TypeError: An input is missing or not numeric.
            ValueError: Unequal lengths, or not one dimension.
        """
        given = gather(INPUTS, inputs, named, -1)
        if not given.single:
            raise ValueError("open must have one dimension (bars), not 2")
        bars = np.array([x[0] for x in given.arrays])
        bars[:, ~np.isfinite(bars).all(axis=0)] = np.nan
        with np.errstate(all="ignore"):
            found = sorted(self._search(*bars), key=lambda one: (one.known, one.position))
        columns = list(zip(*found, strict=True)) or [()] * 5
        start, position, known, direction = (
            np.array(column, dtype=np.int64) for column in columns[:4]
        )
        confidence = np.array(columns[4], dtype=np.float64)
        return PatternResult(start, position, known, direction, confidence)

    def _search(
        self, first: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray
    ) -> list[Found]:
        raise NotImplementedError

    def __repr__(self) -> str:
        parameters = ", ".join(f"{k}={v!r}" for k, v in vars(self).items())
        return f"{type(self).__name__}({parameters})"
