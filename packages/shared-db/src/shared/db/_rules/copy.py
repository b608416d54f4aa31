"""What COPY needs: the columns' types, and rows made ready for them."""

from __future__ import annotations

import itertools
import operator
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from shared.core.checks import refuse, shown

from .._base.errors import DatabaseError
from .copy_values import INTEGERS, MISFITS, NUMERIC, ColumnType, Rule, rule_of
from .postgres import driver

COLUMNS = """
SELECT a.attname, b.oid::int8,
    CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END,
    ARRAY(SELECT enumlabel::text FROM pg_enum WHERE enumtypid = b.oid),
    coalesce(e.oid::int8, 0), ARRAY(SELECT enumlabel::text FROM pg_enum WHERE enumtypid = e.oid),
    a.attgenerated <> '' OR a.attidentity = 'a'
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
LEFT JOIN pg_type e ON e.oid = b.typelem AND b.typcategory = 'A'
WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""
_TEXT, _BPCHAR = 25, 1042
_SEQUENCES = {tuple, list}
# The dumpers of these types refuse what does not fit. Rows that can be read twice are written
# without a look at their values; if one is refused, all are written again with one. Measured on
# 200,000 rows of three columns: the processor's time of raw COPY is 33 ms, a look adds 20 to 30.
_STRICT = {20, 701, 25, 1043}
_CHUNK = 250


# What a dumper raises for a value that does not fit its column.
UNFIT = (TypeError, ValueError, AttributeError, ArithmeticError, LookupError, struct.error)


class BadRow(DatabaseError):  # noqa: N818 - the name that users catch
    """A row that PostgreSQL, ClickHouse, or its column's type refuses.

    Attributes:
        row: Its number, counted from 1.
        column: The column that refused it; None if the row as a whole was refused.
        value: The value; None too if the server refused a row that is no longer at hand.
    """

    def __init__(self, row: int, reason: str, column: str | None = None, value: Any = None) -> None:
        super().__init__(f"row {row}: {reason}")
        self.row = row
        self.column = column
        self.value = value


class Misfit(ValueError):  # noqa: N818 - internal
    """A value that does not fit its column."""

    def __init__(self, column: str, value: Any, error: Exception) -> None:
        text, reason = shown(value, column), str(error)
        if text != shown(value):  # the column's name speaks of a secret
            reason = text
        elif text not in reason:
            reason = f"{text}: {reason}"
        super().__init__(f"column {column} cannot hold this {type(value).__name__}: {reason}")
        self.column = column
        self.value = value


class Again(Exception):  # noqa: N818 - not an error
    """A value was refused by a dumper that had not been looked at before."""


class Plan:
    """How to copy into a table: its columns, their types, in binary if possible.

    Attributes:
        trusting: Whether the values need no look: the dumpers refuse what does not fit.
    """

    def __init__(
        self, columns: Sequence[str], types: Sequence[int] | None, kinds: Sequence[tuple[int, Rule]]
    ) -> None:
        self.columns = columns
        self.types = types
        self.rules = [rule for _oid, rule in kinds]
        self.trusting: bool = types is not None and all(
            oid in _STRICT and not rule.limited for oid, rule in kinds
        )
        oids = list(zip(columns, (oid for oid, _rule in kinds), strict=True))
        self.integers: set[str] = {name for name, oid in oids if oid in INTEGERS}
        self.decimals: set[str] = {name for name, oid in oids if oid == NUMERIC}

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
            ready = self._columnwise(chunk)
            error: Exception | None = None
            if ready is None:
                ready, error = self._rowwise(chunk)
            yield ready, before, error
            before += len(chunk)

    def _columnwise(self, chunk: list[Any]) -> list[Any] | None:
        """Return the rows made ready a column at a time; None if any of them does not fit."""
        kind = type(chunk[0])
        if kind not in _SEQUENCES or operator.countOf(map(type, chunk), kind) != len(chunk):
            return None
        if self.trusting:
            return chunk
        changed = False
        try:
            columns: list[Sequence[Any]] = list(zip(*chunk, strict=True))
            for place, (values, rule) in enumerate(zip(columns, self.rules, strict=True)):
                if not rule.fits(values):
                    columns[place] = list(map(rule.ready, values))
                    changed = True
        except MISFITS:
            return None
        return list(zip(*columns, strict=True)) if changed else chunk

    def _rowwise(self, chunk: list[Any]) -> tuple[list[Any], Exception | None]:
        done: list[Any] = []
        try:
            for row in chunk:
                done.append(self._row(row))  # noqa: PERF401 - what is done is kept on an error
        except MISFITS as error:
            return done, error
        return done, None

    def _row(self, row: Any) -> Any:
        columns = self.columns
        if isinstance(row, Mapping):
            for name in columns:
                if name not in row:
                    raise ValueError(f"column {name!r} is missing")
            row = [row[name] for name in columns]
        elif isinstance(row, (str, bytes)) or not hasattr(row, "__len__"):
            raise refuse("it", "a sequence or a mapping", type(row), TypeError)
        elif len(row) != len(columns):
            raise ValueError(
                f"it has {len(row)} values for {len(columns)} columns ({', '.join(columns)})"
            )
        ready = []
        for name, rule, value in zip(columns, self.rules, row, strict=True):
            try:
                fitting = rule.fits((value,))
                ready.append(value if fitting else rule.ready(value))
            except MISFITS as error:
                raise Misfit(name, value, error) from error
        return ready

    def blame(self, row: Sequence[Any], error: Exception) -> Exception:
        """Return the error of the value that the driver could not write."""
        psycopg = driver()
        adapt, binary = psycopg.adapt, self.types is not None
        form = adapt.PyFormat.BINARY if binary else adapt.PyFormat.TEXT
        types: Sequence[int | None] = self.types or [None] * len(self.columns)
        for name, oid, rule, value in zip(self.columns, types, self.rules, row, strict=True):
            transformer = adapt.Transformer()
            try:
                rule.ready(value)
                if oid is not None:
                    transformer.set_dumper_types([oid], psycopg.pq.Format.BINARY)
                transformer.dump_sequence([value], [form])
            except (*UNFIT, psycopg.Error) as why:
                return Misfit(name, value, why)
        return error

    def refused(self, error: Any, rows: Any) -> BadRow | None:
        """Return the error for a row that the server refused; None if it names no row."""
        import re

        context = str(getattr(error.diag, "context", "") or "")
        found = re.search(r"COPY .*?, line (\d+)(?:, column ([^:\n]+))?", context)
        if found is None:
            return None
        number, column = int(found[1]), found[2] or error.diag.column_name
        value = None
        if column in self.columns and isinstance(rows, list) and number <= len(rows):
            row = rows[number - 1]
            value = row[column if isinstance(row, Mapping) else list(self.columns).index(column)]
        reason = reason_of(error)
        return BadRow(number, f"column {column}: {reason}" if column else reason, column, value)


def make_plan(
    found: Sequence[tuple[str, int, int, list[str], int, list[str], bool]],
    wanted: Sequence[str] | None,
    table: str,
) -> Plan:
    """Choose binary or text and the conversions.

    Args:
        found: For each column its name, type, modifier and labels, the type and labels of an
            array's elements, and whether the table generates it.
        wanted: The columns to write, or None.
        table: The table's name.

    Raises:
        ValueError: The table or a column does not exist.
    """
    known = {column[0]: column[1:6] for column in found}
    columns = (
        list(wanted) if wanted is not None else [column[0] for column in found if not column[6]]
    )
    if unknown := [name for name in columns if name not in known]:
        raise ValueError(
            f"table {table} has no column {', '.join(unknown)}; it has {', '.join(known)}"
        )
    types: list[int] = []
    kinds: list[tuple[int, Rule]] = []
    for name in columns:
        oid, modifier, labels, element, element_labels = known[name]
        kind = ColumnType(oid, tuple(labels), modifier)
        inner = ColumnType(element, tuple(element_labels), modifier) if element else None
        kinds.append((oid, rule_of(kind, inner)))
        # The binary form of an enum is its label, that of char(n) its text.
        types.append(_TEXT if labels or oid == _BPCHAR else oid)
    return Plan(columns, types if all(map(_is_binary, types)) else None, kinds)


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
