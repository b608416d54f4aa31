"""What COPY needs: the columns' types, and rows made ready for them."""

from __future__ import annotations

import functools
import itertools
import operator
import struct
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from shared.core.checks import refuse

from .._base.errors import DatabaseError
from .copy_values import BITS, REAL, REAL_MAX, array_of, converter
from .postgres import driver

if TYPE_CHECKING:
    from .copy_values import Convert

COLUMNS = """
SELECT a.attname, b.oid::int8, b.typtype, coalesce(e.oid::int8, 0), coalesce(e.typtype, ' '),
    a.attgenerated <> '' OR a.attidentity = 'a'
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
LEFT JOIN pg_type e ON e.oid = b.typelem AND b.typcategory = 'A'
WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""
_TEXT, _CHAR, _UUID = 25, 1042, 2950
_INTEGERS = {20, 21, 23}
_SEQUENCES = {tuple, list}
_IDENTITIES = {uuid.UUID, type(None)}
_CHUNK = 250
_NOT_NONE = functools.partial(operator.is_not, None)


# What a dumper raises for a value that does not fit its column.
UNFIT = (TypeError, ValueError, AttributeError, ArithmeticError, struct.error)


class BadRow(DatabaseError):  # noqa: N818 - the name that users catch
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
        self, columns: Sequence[str], types: Sequence[int] | None, converters: dict[int, Convert]
    ) -> None:
        self.columns = columns
        self.types = types
        self.converters = converters
        self.integers: set[str] = {
            name for name, oid in zip(columns, types or (), strict=False) if oid in _INTEGERS
        }
        # Columns whose values are mostly ready: checked at the speed of C, a chunk at a time.
        self._narrow: list[tuple[int, Any, float]] = []
        self._identities: list[int] = []
        for place, oid in enumerate(types or ()):
            if oid in BITS:
                self._narrow.append((place, int.bit_length, BITS[oid] - 1))
            elif oid == REAL:
                self._narrow.append((place, abs, REAL_MAX))
            elif oid == _UUID:
                self._identities.append(place)
        self._hard = len(converters) > len(self._narrow) + len(self._identities)

    def statement(self, table: str) -> Any:
        """Return the COPY statement; names are quoted."""
        sql = driver().sql
        return sql.SQL("COPY {} ({}) FROM STDIN (FORMAT {})").format(
            identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, self.columns)),
            sql.SQL("TEXT" if self.types is None else "BINARY"),
        )

    def chunks(self, rows: Iterable[Any]) -> Iterator[tuple[list[Any], int, Exception | None]]:
        """Yield the rows in chunks, as sequences in the columns' order, with values that fit.

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
        """Report whether psycopg can take the rows as they are (checked at the speed of C)."""
        kind = type(chunk[0])
        if kind not in _SEQUENCES or operator.countOf(map(type, chunk), kind) != len(chunk):
            return False
        try:
            for place, size, limit in self._narrow:
                # psycopg would truncate a number that is too wide to its last bytes.
                column = operator.itemgetter(place)
                try:
                    widest = max(map(size, map(column, chunk)))
                except TypeError:
                    values = filter(_NOT_NONE, map(column, chunk))
                    widest = max(map(size, values), default=0)
                if not widest <= limit:
                    return False
            for place in self._identities:
                if not set(map(type, map(operator.itemgetter(place), chunk))) <= _IDENTITIES:
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
            raise refuse("it", "a sequence or a mapping", type(row), TypeError)
        elif len(row) != len(columns):
            raise ValueError(
                f"it has {len(row)} values for {len(columns)} columns ({', '.join(columns)})"
            )
        row = list(row)
        for place, convert in self.converters.items():
            if row[place] is not None:
                try:
                    row[place] = convert(row[place])
                except (TypeError, ValueError, ArithmeticError) as error:
                    raise ValueError(unfit(columns[place], row[place], error)) from error
        return row

    def blame(self, row: Sequence[Any], error: Exception) -> str:
        """Return which value of a row the driver could not write."""
        adapt = driver().adapt
        binary = adapt.PyFormat.BINARY
        for name, oid, value in zip(self.columns, self.types or (), row, strict=False):
            transformer = adapt.Transformer()
            transformer.set_dumper_types([oid], driver().pq.Format.BINARY)
            try:
                transformer.dump_sequence([value], [binary])
            except UNFIT as why:
                return unfit(name, value, why)
        return str(error)


def unfit(column: str, value: Any, error: Exception) -> str:
    """Return the message that a value does not fit its column."""
    return f"column {column} cannot hold this {type(value).__name__}: {error}"


def make_plan(
    found: Sequence[tuple[str, int, str, int, str, bool]], wanted: Sequence[str] | None, table: str
) -> Plan:
    """Choose binary or text and the conversions.

    Args:
        found: For each column its name, type and kind of type, both for an array's elements,
            and whether the table generates it.
        wanted: The columns to write, or None.
        table: The table's name.

    Raises:
        ValueError: The table or a column does not exist.
    """
    known: dict[str, tuple[int, str, int, str]] = {column[0]: column[1:5] for column in found}
    columns = list(wanted) if wanted is not None else [name for name, *_, made in found if not made]
    if unknown := [name for name in columns if name not in known]:
        raise ValueError(
            f"table {table} has no column {', '.join(unknown)}; it has {', '.join(known)}"
        )
    types: list[int] = []
    converters: dict[int, Convert] = {}
    for place, name in enumerate(columns):
        oid, kind, element, element_kind = known[name]
        convert = converter(oid, kind)
        if element:
            convert = array_of(converter(element, element_kind))
        if convert is not None:
            converters[place] = convert
        # The binary form of an enum is its label, that of char(n) its text.
        types.append(_TEXT if kind == "e" or oid == _CHAR else oid)
    return Plan(columns, types if all(map(_is_binary, types)) else None, converters)


def _is_binary(oid: int) -> bool:
    """Report whether the driver can write a type in its binary form."""
    psycopg = driver()
    try:
        psycopg.adapters.get_dumper_by_oid(oid, psycopg.pq.Format.BINARY)
    except psycopg.ProgrammingError:
        return False
    return True


def _sliced(rows: Iterable[Any]) -> Iterator[list[Any]]:
    if isinstance(rows, list):
        for start in range(0, len(rows), _CHUNK):
            yield rows[start : start + _CHUNK]
        return
    iterator = iter(rows)
    while chunk := list(itertools.islice(iterator, _CHUNK)):
        yield chunk


def identifier(table: str) -> Any:
    """Return a table's name as identifiers; `schema.table` is two."""
    return driver().sql.Identifier(*table.split("."))


def peeked(rows: Iterable[Any]) -> tuple[Iterable[Any], list[str] | None]:
    """Return the rows and, if they are mappings, the names of the first one's columns."""
    iterator = iter(rows)
    for first in iterator:
        names = [str(name) for name in first] if isinstance(first, Mapping) else None
        return rows if isinstance(rows, list) else itertools.chain((first,), iterator), names
    return (), None


def reason_of(error: Any) -> str:
    """Return why the server refused a row, in its own words or clearer ones."""
    text = str(error.diag.message_primary or error)
    if "0x00" in text or "\\u0000" in str(error.diag.message_detail):
        return "text with a NUL character, which PostgreSQL cannot hold"
    return text


def row_of(error: Any) -> int | None:
    """Return the row that the server names in the context of a COPY error."""
    import re

    found = re.search(r"COPY .*?, line (\d+)", str(getattr(error.diag, "context", "") or ""))
    return int(found[1]) if found else None
