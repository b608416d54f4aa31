"""What callers pass in, as float64 arrays, and results back as the caller's own kind.

pandas and polars objects are recognised by their methods; neither library is imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shared.core.checks import refuse, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .types import FloatArray

_FLOAT64 = np.dtype(np.float64)


class Given:
    """The inputs as rows x bars, and the way back for an output."""

    __slots__ = ("arrays", "single", "wrap")

    def __init__(
        self, arrays: list[FloatArray], wrap: Callable[[FloatArray, str], Any], *, single: bool
    ) -> None:
        self.arrays = arrays
        self.wrap = wrap
        self.single = single


def is_series(value: Any) -> bool:
    """Return whether it is a pandas or polars series."""
    return hasattr(value, "to_numpy") and hasattr(value, "name") and not hasattr(value, "columns")


def is_frame(value: Any) -> bool:
    """Return whether it is a pandas or polars frame."""
    return hasattr(value, "columns") and hasattr(value, "to_numpy")


def gather(names: Sequence[str], values: Sequence[Any], named: dict[str, Any], axis: int) -> Given:
    """Take the inputs of one indicator.

    Raises:
        TypeError: An input is missing, unknown or not numeric.
        ValueError: Wrong shape or unequal lengths.
    """
    if len(values) == 1 and not named and is_frame(values[0]):
        frame = values[0]
        columns = _columns(frame)
        if len(names) == 1 and names[0] not in columns:
            return _panel_frame(names[0], frame)
        missing = [name for name in names if name not in columns]
        if missing:
            raise ValueError(
                f"the frame has no column {missing[0]!r}; its columns are {list(frame.columns)!r}"
            )
        values = [frame[columns[name]] for name in names]
        return _gather(names, values, axis, of_frame=True)
    return _gather(names, _by_name(names, values, named), axis, of_frame=False)


def _by_name(names: Sequence[str], values: Sequence[Any], named: dict[str, Any]) -> list[Any]:
    found = dict(zip(names, values, strict=False))
    wanted = f"the inputs are {', '.join(names)}"
    if len(values) > len(names):
        raise TypeError(f"{len(values)} inputs were given; {wanted}")
    for name, value in named.items():
        if name not in names or name in found:
            what = "given twice" if name in found else "unknown"
            raise TypeError(f"input {name!r} is {what}; {wanted}")
        found[name] = value
    for name in names:
        if name not in found:
            raise TypeError(f"input {name!r} is missing; {wanted}")
    return [found[name] for name in names]


def _columns(frame: Any) -> dict[str, Any]:
    """Return column names by their lower case; an exact name wins."""
    found = {str(column).lower(): column for column in reversed(list(frame.columns))}
    found.update({column: column for column in frame.columns if isinstance(column, str)})
    return found


def _gather(names: Sequence[str], values: Sequence[Any], axis: int, *, of_frame: bool) -> Given:
    arrays = [numeric(name, value) for name, value in zip(names, values, strict=True)]
    for name, array in zip(names, arrays, strict=True):
        if array.ndim not in {1, 2}:
            raise ValueError(
                f"{name} must have one dimension (bars) or two (symbols x bars), not {array.ndim}"
            )
        if array.shape != arrays[0].shape:
            raise ValueError(
                f"{name} must be as long as {names[0]}, not of shape {array.shape} "
                f"beside {arrays[0].shape}"
            )
    dimensions = arrays[0].ndim
    if axis not in range(-dimensions, dimensions):
        raise refuse("axis", f"within the {dimensions} dimension(s) of {names[0]}", axis)
    if dimensions == 1:
        like = next((value for value in values if is_series(value)), None)
        arrays = [np.ascontiguousarray(array)[None, :] for array in arrays]
        return Given(arrays, _series_like(like, of_frame=of_frame), single=True)
    if axis % 2 == 1:
        arrays = [np.ascontiguousarray(array) for array in arrays]
        return Given(arrays, lambda out, _name: out, single=False)
    arrays = [np.ascontiguousarray(array.T) for array in arrays]
    return Given(arrays, lambda out, _name: np.ascontiguousarray(out.T), single=False)


def _series_like(like: Any, *, of_frame: bool) -> Callable[[FloatArray, str], Any]:
    if like is None:
        return lambda out, _name: out[0]
    kind = type(like)
    if hasattr(like, "index") and hasattr(like, "iloc"):
        return lambda out, name: kind(
            out[0], index=like.index, name=name if of_frame else like.name
        )
    return lambda out, name: kind(name if of_frame else like.name, out[0])


def _panel_frame(name: str, frame: Any) -> Given:
    """Read a frame that lacks the column of a one-input indicator: one column per symbol, one row per bar."""
    array = numeric(name, frame)
    arrays = [np.ascontiguousarray(array.T)]
    kind = type(frame)
    if hasattr(frame, "iloc"):
        return Given(
            arrays,
            lambda out, _name: kind(out.T, index=frame.index, columns=frame.columns),
            single=False,
        )
    return Given(
        arrays,
        lambda out, _name: kind(dict(zip(frame.columns, out, strict=True))),
        single=False,
    )


def numeric(name: str, value: Any) -> FloatArray:
    """Return a float64 array of numbers.

    Raises:
        TypeError: It holds something else.
    """
    kind: Any = type(value)
    if kind is np.ndarray and value.dtype is _FLOAT64:
        found: FloatArray = value
        return found
    if hasattr(value, "iloc"):
        # Nullable pandas columns have their own missing value.
        try:
            return np.asarray(value.to_numpy(dtype=np.float64, na_value=np.nan))
        except (TypeError, ValueError) as error:
            raise TypeError(f"{name} must hold numbers, not {_kind(value)}") from error
    try:
        array = np.asarray(value.to_numpy() if hasattr(value, "to_numpy") else value)
    except ValueError as error:
        raise ValueError(f"{name} must be a regular array of numbers: {error}") from error
    if array.dtype.kind in "iuf":
        if isinstance(value, np.ma.MaskedArray):
            return np.asarray(np.ma.filled(value.astype(np.float64), np.nan))
        return array.astype(np.float64, copy=False)
    if array.size == 0 and array.dtype.kind == "O":
        return array.astype(np.float64)
    if array.dtype.kind == "O" and array.ndim > 0:
        return _of_objects(name, array)
    raise TypeError(f"{name} must hold numbers, not {array.dtype}")


def _of_objects(name: str, array: Any) -> FloatArray:
    """Read decimals, fractions and missing values (None): anything that becomes a float, but not text."""
    found = np.empty(array.shape)
    for i, item in np.ndenumerate(array):
        if item is None:
            found[i] = np.nan
            continue
        if isinstance(item, str | bytes | bool) or not hasattr(item, "__float__"):
            raise TypeError(f"{name} must hold numbers, not {shown(item)}")
        found[i] = float(item)
    return found


def _kind(value: Any) -> str:
    return str(getattr(value, "dtype", None) or getattr(value, "dtypes", type(value).__name__))
