"""What JSON can show of an object: arrays, frames, records and models as plain data.

By their attributes: no library is imported, and a class of the same shape is served too.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence, ValuesView
from collections.abc import Set as AbstractSet
from datetime import date, time
from typing import Any, Final

from shared.core.redaction import MARKER

MAX_ITEMS: Final = 1_000  # entries of one container
MAX_NODES: Final = 10_000  # values in one record
_LISTS: Final = (Sequence, AbstractSet, ValuesView)


def plain(value: Any) -> Any:
    """Return a dict, list or scalar that stands for the value, or the value itself.

    Never more than the first entries of an array or a frame, with a marker for the rest.
    """
    kind = type(value)
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, (date, time)):
        return None if kind.__name__ == "NaTType" else value.isoformat()
    if isinstance(value, (str, BaseException, type)):
        return value
    if hasattr(kind, "get_secret_value"):  # pydantic's: its own text is another marker
        return MARKER
    if kind.__name__ == "NAType":
        return None
    if hasattr(kind, "dtype"):
        return _array(value)
    if hasattr(kind, "to_pylist") or hasattr(kind, "to_pydict"):  # Arrow's arrays and tables
        count = len(value)
        first = value.slice(0, _limit(count))
        return first.to_pydict() if hasattr(kind, "to_pydict") else _cut(first.to_pylist(), count)
    if hasattr(kind, "as_py"):
        return value.as_py()
    if hasattr(kind, "columns") and hasattr(kind, "head"):
        return _frame(value)
    if isinstance(value, _LISTS):
        return value if isinstance(value, Sequence) else list(value)
    return _record(value, kind)


def _array(value: Any) -> Any:
    """Return the entries of an array or a column, or the number that it is."""
    dimensions = getattr(value, "ndim", 1)
    if getattr(getattr(value, "dtype", None), "kind", "") in ("M", "m") and hasattr(
        value, "astype"
    ):
        if dimensions == 0:
            return _moment(str(value))
        if not hasattr(value, "head"):  # NumPy's: as numbers, nanoseconds would look like counts
            value = value.astype(str)
    if dimensions == 0:
        number = value.item()
        return float(number) if type(number) is type(value) else number
    count = len(value)
    size = getattr(value, "size", count)
    limit = _limit(count, size // count if isinstance(size, int) and count else 1)
    first = value.head(limit) if hasattr(value, "head") else value[:limit]
    if dimensions > 1:
        entries = list(first)
    elif hasattr(first, "tolist"):
        entries = first.tolist()
    else:
        entries = first.to_list()
    if getattr(getattr(value, "dtype", None), "kind", "") == "U":
        entries = [None if entry == "NaT" else entry for entry in entries]
    return _cut(entries, count)


def _frame(value: Any) -> dict[str, Any]:
    """Return the columns of a frame by name."""
    columns = len(value.columns)
    first = value.head(_limit(len(value), columns))
    if hasattr(first, "get_columns"):
        found = {column.name: column.to_list() for column in first.get_columns()}
    else:
        found = {str(name): column.tolist() for name, column in first.items()}
    return {name: _cut(entries, len(value)) for name, entries in found.items()}


def _record(value: Any, kind: type) -> Any:
    """Return the fields that the generated text of a data class or model would show.

    A class with a text of its own keeps it: it may hide something.
    """
    said: Any = kind.__str__
    if said is not object.__str__ and not hasattr(kind, "__repr_args__"):
        return value
    shows: Any = kind.__repr__
    if hasattr(kind, "__dataclass_fields__") and hasattr(shows, "__wrapped__"):
        fields = kind.__dataclass_fields__
        return {n: getattr(value, n, None) for n in fields if fields[n].repr and hasattr(value, n)}
    if hasattr(kind, "__attrs_attrs__") and "<attrs" in shows.__code__.co_filename:
        return {f.name: getattr(value, f.name, None) for f in kind.__attrs_attrs__ if f.repr}
    if hasattr(kind, "__repr_args__") and str(shows.__module__).startswith("pydantic"):
        return {str(name): item for name, item in value.__repr_args__()}
    return value


def fields_of(value: object) -> Mapping[str, Any] | None:
    """Return a named tuple as a mapping, and None for anything else."""
    names = getattr(type(value), "_fields", None)
    if not isinstance(value, tuple) or not isinstance(names, tuple) or len(names) != len(value):
        return None
    return dict(zip(names, value, strict=True))


def _limit(count: int, each: int = 1) -> int:
    room = MAX_NODES // max(each, 1)
    return count if count <= min(MAX_ITEMS, room) else max(1, min(MAX_ITEMS - 1, room))


def _cut(entries: list[Any], count: int) -> list[Any]:
    missing = count - len(entries)
    return [*entries, f"[cut {missing} entries]"] if missing > 0 else entries


def _moment(text: str) -> str | None:
    return None if text == "NaT" else text
