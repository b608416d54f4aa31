"""The kinds of values that inputs and outputs may be."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

FloatArray = np.ndarray[Any, np.dtype[np.float64]]


class SeriesLike(Protocol):
    """A pandas or polars series."""

    @property
    def name(self) -> Any:
        """Its name."""

    def to_numpy(self) -> Any:
        """Return its values."""


class FrameLike(Protocol):
    """A pandas or polars frame."""

    @property
    def columns(self) -> Any:
        """The names of its columns."""

    def to_numpy(self) -> Any:
        """Return its values."""
