"""What COPY needs to know: the columns' types, and values made ready for them."""

from __future__ import annotations

import enum
import functools
import itertools
import math
import operator
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ._errors import DatabaseError
from ._postgres import driver

if TYPE_CHECKING:
    from collections.abc import Callable

COLUMNS = """
SELECT a.attname, b.oid::int8 AS type, b.typtype, a.attgenerated <> '' OR a.attidentity = 'a' AS made
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""
_TEXT, _REAL, _NUMERIC = 25, 700, 1700
_BITS = {21: 16, 23: 32}
_REAL_MAX = 3.4028235677973366e38  # what rounds to the largest float of 32 bits
_JSON = {114, 3802}
_SEQUENCES = {tuple, list}
_CHUNK = 250
_NOT_NONE = functools.partial(operator.is_not, None)


# What a dumper raises for a value that does not fit its column.
UNFIT = (TypeError, ValueError, AttributeError, ArithmeticError, struct.error)


class BadRow(DatabaseError):  # noqa: N818 - as its siblings in _errors.py
    """A row that PostgreSQL, or its column's type, refuses. No row was written.

    Attributes:
        row: Its number, counted from 1.
    """

    def __init__(self, row: int, reason: str) -> None:
        super().__init__(f"row {row}: {reason}")
        self.row = row


class Plan:
    """How to copy into a table: its columns, their types, in binary if possible."""

    def __init__(
        self,
        columns: Sequence[str],
        types: Sequence[int] | None,
        converters: dict[int, Callable[[Any], Any]],
    ) -> None:
        self.columns = columns
        self.types = types
        self.converters = converters
        self._narrow: list[tuple[int, Any, float]] = []
        for place, oid in enumerate(types or ()):
            if oid in _BITS:
                self._narrow.append((place, int.bit_length, _BITS[oid] - 1))
                converters[place] = _limited(_BITS[oid])
            elif oid == _REAL:
                self._narrow.append((place, abs, _REAL_MAX))
                converters[place] = _real
        self._hard = len(converters) > len(self._narrow)

    def statement(self, table: str) -> Any:
        """The COPY statement; names are quoted."""
        sql = driver().sql
        return sql.SQL("COPY {} ({}) FROM STDIN (FORMAT {})").format(
            identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, self.columns)),
            sql.SQL("TEXT" if self.types is None else "BINARY"),
        )

    def chunks(self, rows: Iterable[Any]) -> Iterator[tuple[list[Any], int, Exception | None]]:
        """The rows in chunks, as sequences in the columns' order, with values that the types take.

        Yields:
            Rows, how many came before them, and the error of the row after them, if any.
        """
        before = 0
        for chunk in _sliced(rows):
            error: Exception | None = None
            if self._hard or not self._plain(chunk):
                chunk, error = self._prepared(chunk)
            yield chunk, before, error
            before += len(chunk)

    def _plain(self, chunk: list[Any]) -> bool:
        """Whether psycopg can take the rows as they are (checked at the speed of C)."""
        kind = type(chunk[0])
        if kind not in _SEQUENCES or operator.countOf(map(type, chunk), kind) != len(chunk):
            return False
        try:
            for place, size, limit in self._narrow:
                # psycopg would cut a number that is too wide down to its last bytes.
                column = operator.itemgetter(place)
                try:
                    widest = max(map(size, map(column, chunk)))
                except TypeError:
                    values = filter(_NOT_NONE, map(column, chunk))
                    widest = max(map(size, values), default=0)
                if not widest <= limit:
                    return False
        except (TypeError, IndexError):
            return False
        return True

    def _prepared(self, chunk: list[Any]) -> tuple[list[Any], Exception | None]:
        done: list[Any] = []
        try:
            for row in chunk:
                done.append(self._row(row))  # noqa: PERF401 - what is done is kept on an error
        except (TypeError, ValueError, ArithmeticError) as error:
            return done, error
        return done, None

    def _row(self, row: Any) -> Any:
        columns = self.columns
        if isinstance(row, Mapping):
            try:
                row = [row[name] for name in columns]
            except KeyError as error:
                raise ValueError(f"column {error.args[0]!r} is missing") from None
        elif isinstance(row, (str, bytes)) or not hasattr(row, "__len__"):
            raise TypeError(f"a row is a sequence or a mapping, not {type(row).__name__}")
        elif len(row) != len(columns):
            raise ValueError(
                f"it has {len(row)} values for {len(columns)} columns ({', '.join(columns)})"
            )
        row = list(row)
        for place, convert in self.converters.items():
            if row[place] is not None:
                row[place] = convert(row[place])
        return row


def make_plan(
    found: Sequence[tuple[str, int, str, bool]], wanted: Sequence[str] | None, table: str
) -> Plan:
    """Chooses binary or text and the conversions.

    Raises:
        ValueError: The table or a column does not exist.
    """
    psycopg = driver()
    by_name = {name: (oid, kind) for name, oid, kind, _made in found}
    columns = (
        list(wanted) if wanted is not None else [name for name, _o, _k, made in found if not made]
    )
    if unknown := [name for name in columns if name not in by_name]:
        raise ValueError(
            f"table {table} has no column {', '.join(unknown)}; it has {', '.join(by_name)}"
        )
    types: list[int] | None = []
    converters: dict[int, Callable[[Any], Any]] = {}
    for place, name in enumerate(columns):
        oid, kind = by_name[name]
        if kind == "e":
            oid = _TEXT  # an enum's binary form is its label
            converters[place] = _label
        elif oid == _NUMERIC:
            converters[place] = _decimal
        elif oid in _JSON:
            converters[place] = psycopg.types.json.Json if oid == 114 else psycopg.types.json.Jsonb
        elif psycopg.adapters.types.get(oid) is None:
            types = None
        if types is not None:
            types.append(oid)
    return Plan(columns, types, converters)


def _sliced(rows: Iterable[Any]) -> Iterator[list[Any]]:
    if isinstance(rows, list):
        for start in range(0, len(rows), _CHUNK):
            yield rows[start : start + _CHUNK]
        return
    iterator = iter(rows)
    while chunk := list(itertools.islice(iterator, _CHUNK)):
        yield chunk


def _limited(bits: int) -> Callable[[Any], int]:
    limit = 1 << (bits - 1)

    def check(value: Any) -> int:
        number = operator.index(value)
        if not -limit <= number < limit:
            raise OverflowError(f"{number} is out of range for an integer of {bits} bits")
        return number

    return check


def _real(value: Any) -> float:
    number = float(value)
    if abs(number) > _REAL_MAX and not math.isinf(number):
        raise OverflowError(f"{number} is out of range for type real")
    return number


def _label(value: Any) -> str:
    if isinstance(value, enum.Enum):
        return value.value if isinstance(value.value, str) else value.name
    return str(value)


def _decimal(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    return Decimal(repr(float(value))) if isinstance(value, float) else Decimal(int(value))


def identifier(table: str) -> Any:
    """A table's name as identifiers; ``schema.table`` is two."""
    return driver().sql.Identifier(*table.split("."))


def frame_rows(frame: Any) -> tuple[list[str], Iterable[Any]]:
    """A frame's column names and rows of Python values, missing ones None.

    Raises:
        TypeError: It is no frame of pandas, polars or pyarrow.
    """
    library = type(frame).__module__.partition(".")[0]
    if library == "polars":
        frame = frame.collect() if hasattr(frame, "collect") else frame
        return list(frame.columns), frame.iter_rows()
    if library == "pandas":
        columns = [_pandas_values(frame.iloc[:, place]) for place in range(frame.shape[1])]
        return [str(name) for name in frame.columns], zip(*columns, strict=True)
    if library == "pyarrow":
        return list(frame.column_names), zip(*(c.to_pylist() for c in frame.columns), strict=True)
    raise TypeError(
        f"frame is {type(frame).__name__}: allowed are frames of pandas, polars and pyarrow"
    )


def _pandas_values(series: Any) -> list[Any]:
    if series.dtype.kind in "iub" and not hasattr(series.dtype, "na_value"):
        return series.tolist()  # type: ignore[no-any-return]
    missing = series.isna()
    values = (series.astype(object) if series.dtype.kind == "M" else series).tolist()
    if not missing.any():
        return values  # type: ignore[no-any-return]
    return [None if gone else value for value, gone in zip(values, missing.tolist(), strict=True)]


def peeked(rows: Iterable[Any]) -> tuple[Iterable[Any], list[str] | None]:
    """The rows and, when they are mappings, the names of the first one's columns."""
    iterator = iter(rows)
    for first in iterator:
        names = [str(name) for name in first] if isinstance(first, Mapping) else None
        return rows if isinstance(rows, list) else itertools.chain((first,), iterator), names
    return (), None


def reason_of(error: Any) -> str:
    """Why the server refused a row, in its own words or clearer ones."""
    text = str(error.diag.message_primary or error)
    if "0x00" in text:
        return "text with a NUL character, which PostgreSQL cannot hold"
    return text


def row_of(error: Any) -> int | None:
    """The row that the server names in the context of a COPY error."""
    import re

    found = re.search(r"COPY .*?, line (\d+)", str(getattr(error.diag, "context", "") or ""))
    return int(found[1]) if found else None
