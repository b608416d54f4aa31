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
        ValueError: Wrong shape, unequal lengths or indexes, a column that is missing or there twice.
    """
    if len(values) == 1 and not named and is_frame(values[0]):
        frame = values[0]
        level = _level(frame, names)
        if level is None and len(names) == 1 and not _holds(names[0], frame):
            _refuse_bars(names[0], frame)
            return _frames(names, values, axis)
        values = [_column(frame, name, level) for name in names]
        if level is None:
            return _gather(names, values, axis, of_frame=True)
        return _frames(names, values, axis)
    values = _by_name(names, values, named)
    if any(map(is_frame, values)):
        return _frames(names, values, axis)
    return _gather(names, values, axis, of_frame=False)


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


def _holds(name: str, frame: Any) -> bool:
    return any(str(column).lower() == name for column in frame.columns)


def _level(frame: Any, names: Sequence[str]) -> int | None:
    """Return which level of the columns holds the inputs: a download of several symbols has two levels."""
    levels = getattr(frame.columns, "nlevels", 1)
    for level in range(levels if levels > 1 else 0):
        found = {str(label).lower() for label in frame.columns.get_level_values(level)}
        if found.issuperset(names):
            return level
    return None


def _column(frame: Any, name: str, level: int | None) -> Any:
    """Return the one column of an input, whatever the case of its name; an exact name wins.

    Of columns with levels it is a frame with one column per symbol.
    """
    labels = list(frame.columns if level is None else frame.columns.get_level_values(level))
    kinds = labels if level is None else list(dict.fromkeys(labels))
    fitting = [label for label in kinds if str(label).lower() == name]
    fitting = [label for label in fitting if label == name] or fitting
    if not fitting:
        raise ValueError(
            f"the frame has no column {name!r}; its columns are {list(frame.columns)!r}"
        )
    if len(fitting) > 1:
        raise ValueError(f"the frame must have one column {name!r}, not {len(fitting)}: {fitting}")
    if level is None:
        return frame[fitting[0]]
    return frame.xs(fitting[0], axis=1, level=level)


# The columns of bars, in whatever case. LOW and OPEN are symbols, too.
_BARS = {"open", "high", "low", "close", "volume", "adj close", "adj_close", "adjclose"}
_BARS |= {"date", "datetime", "time", "timestamp", "symbol", "ticker"}
_SYMBOLS = {"LOW", "OPEN"}


def _refuse_bars(name: str, frame: Any) -> None:
    """Refuse a frame of bars without the column of a one-input indicator: its others are no symbols."""
    labels = [
        str(part)
        for column in frame.columns
        for part in (column if isinstance(column, tuple) else (column,))
    ]
    words = [label for label in labels if label.strip().lower() in _BARS]
    if words and (len(words) == len(labels) or not set(words) <= _SYMBOLS):
        raise ValueError(
            f"the frame has no column {name!r}; its columns are {list(frame.columns)!r}"
        )


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
    _same_index(names, values)
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


def _same_index(names: Sequence[str], values: Sequence[Any]) -> None:
    """Refuse pandas objects that do not stand on the same index: bar i of one is not bar i of the other."""
    indexed = [(n, v.index) for n, v in zip(names, values, strict=True) if hasattr(v, "iloc")]
    for name, index in indexed[1:]:
        first, other = indexed[0]
        if index is not other and not (len(index) == len(other) and index.equals(other)):
            raise ValueError(
                f"{name} must have the index of {first}; align them first, "
                "such as by `pandas.concat(..., axis=1, join='inner')`"
            )


def _frames(names: Sequence[str], values: Sequence[Any], axis: int) -> Given:
    """Read a panel from frames: one column per symbol, one row per bar, the same in every frame."""
    first = next(value for value in values if is_frame(value))
    symbols = list(first.columns)
    if axis not in {0, -1, -2}:
        raise refuse("axis", "0 or omitted for frames, whose rows are bars", axis)
    arrays = []
    for name, value in zip(names, values, strict=True):
        frame = value
        if not is_frame(value):
            if axis == -1:
                raise TypeError(f"{name} must be a frame as the others are, or axis=0 be given")
        elif list(value.columns) != symbols:
            if len(set(symbols)) < len(symbols) or sorted(map(str, value.columns)) != sorted(
                map(str, symbols)
            ):
                raise ValueError(
                    f"{name} must have the columns {symbols!r}, not {list(value.columns)!r}"
                )
            frame = value[symbols]
        array = numeric(name, frame)
        if array.shape != (len(first), len(symbols)):
            raise ValueError(
                f"{name} must be of shape {(len(first), len(symbols))}, not {array.shape}"
            )
        arrays.append(np.ascontiguousarray(array.T))
    _same_index(names, values)
    kind = type(first)
    if hasattr(first, "iloc"):
        return Given(
            arrays,
            lambda out, _name: kind(out.T, index=first.index, columns=first.columns),
            single=False,
        )
    return Given(
        arrays, lambda out, _name: kind(dict(zip(symbols, out, strict=True))), single=False
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
        return _of_pandas(name, value)
    try:
        # An Arrow array with missing values has no `to_numpy` without a copy, but numpy reads it.
        as_numpy = hasattr(value, "to_numpy") and not kind.__module__.startswith("pyarrow")
        array = np.asarray(value.to_numpy() if as_numpy else value)
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


def _of_pandas(name: str, value: Any) -> FloatArray:
    """Read a pandas object; left to itself, pandas makes numbers of dates, truths and text."""
    dtypes = [value.dtype] if hasattr(value, "dtype") else list(value.dtypes)
    kinds = {dtype.kind for dtype in dtypes}
    if kinds <= set("iuf"):
        # Nullable columns have their own missing value.
        return np.asarray(value.to_numpy(dtype=np.float64, na_value=np.nan))
    if kinds <= set("iufO"):
        return _of_objects(name, np.asarray(value.to_numpy(dtype=object)))
    raise TypeError(f"{name} must hold numbers, not {_kind(value)}")


def _of_objects(name: str, array: Any) -> FloatArray:
    """Read decimals, fractions and missing values (None, NA): what becomes a float, but not text or dates."""
    found = np.empty(array.shape)
    for i, item in np.ndenumerate(array):
        if item is None or type(item).__name__ == "NAType":
            found[i] = np.nan
            continue
        if isinstance(item, (str, bytes, bool, np.bool_, np.datetime64, np.timedelta64)) or not (
            hasattr(item, "__float__")
        ):
            raise TypeError(f"{name} must hold numbers, not {shown(item)}")
        try:
            found[i] = float(item)
        except (TypeError, ValueError, OverflowError) as error:
            raise TypeError(f"{name} must hold numbers, not {shown(item)}") from error
    return found


def _kind(value: Any) -> str:
    dtypes = [value.dtype] if hasattr(value, "dtype") else value.dtypes
    return ", ".join(dict.fromkeys(map(str, dtypes)))
