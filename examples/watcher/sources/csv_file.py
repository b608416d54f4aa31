"""Any CSV file of the user's, in chunks: bad rows are counted and named, never fatal."""

from __future__ import annotations

import csv
import io
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from _csv import Reader
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

NAMED = 10  # bad rows that are named; all are counted
EPOCHS = ((1e17, 1), (1e14, 1_000), (1e11, 1_000_000), (0.0, 1_000_000_000))  # ns, us, ms, s


class CsvError(ValueError):
    """The file cannot be used at all: missing, unreadable, without the columns, or empty."""


@dataclass
class BadRows:
    """How many rows were not usable, and the first of them by line and reason."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, line: int, reason: str) -> None:
        """Count one; keep its line and reason while there is room."""
        self.count += 1
        if len(self.first) < NAMED:
            self.first.append(f"line {line}: {reason}")


@dataclass
class CsvSeries:
    """Two columns of a file: a time and a value.

    Times are ISO 8601 text (naive ones are taken as UTC) or numbers since the epoch,
    in s, ms, us or ns by their size.
    """

    path: Path
    time_column: str
    value_column: str
    chunk_rows: int = 100_000
    bad: BadRows = field(default_factory=BadRows)

    def check(self) -> None:
        """Raise CsvError when the file cannot be read or lacks a column."""
        with self._open() as reader:
            self._columns(reader)

    def chunks(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
        """Yield times (ns UTC) and finite values, some `chunk_rows` rows at a time."""
        with self._open() as reader:
            time_at, value_at = self._columns(reader)
            need = max(time_at, value_at) + 1
            lines: list[int] = []
            times: list[str] = []
            values: list[str] = []
            while True:
                try:
                    row = next(reader, None)
                except csv.Error as error:
                    self.bad.add(reader.line_num, str(error))
                    continue
                if row is None:
                    break
                if len(row) < need:
                    if row:  # a blank line is no row
                        self.bad.add(reader.line_num, f"{len(row)} fields, {need} needed")
                    continue
                lines.append(reader.line_num)
                times.append(row[time_at])
                values.append(row[value_at])
                if len(lines) == self.chunk_rows:
                    yield self._convert(lines, times, values)
                    lines, times, values = [], [], []
            if lines:
                yield self._convert(lines, times, values)

    @contextmanager
    def _open(self) -> Iterator[Reader]:
        try:
            with self.path.open("rb") as raw:
                # Bytes that are no UTF-8 spoil their own field only; utf-8-sig drops Excel's mark.
                text = io.TextIOWrapper(raw, encoding="utf-8-sig", errors="replace", newline="")
                sample = text.read(65_536)
                text.seek(0)
                yield csv.reader(_without_nul(text), dialect=_dialect(sample))
        except OSError as error:
            raise CsvError(f"--csv {self.path}: {error.strerror or error}.") from None

    def _columns(self, reader: Reader) -> tuple[int, int]:
        header = [name.strip() for name in next(reader, [])]
        if not header:
            raise CsvError(f"--csv {self.path}: the file is empty.")
        for option, name in (("--time", self.time_column), ("--value", self.value_column)):
            if name not in header:
                raise CsvError(
                    f"{option} {name}: {self.path} has no such column; it has {', '.join(header)}."
                )
        return header.index(self.time_column), header.index(self.value_column)

    def _convert(
        self, lines: list[int], times: list[str], values: list[str]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        number = _numbers(values)
        stamp, known = _times(times)
        good = known & np.isfinite(number)
        for at in np.flatnonzero(~good):
            if not known[at]:
                self.bad.add(lines[at], f"{self.time_column} {times[at][:40]!r} is no time")
            else:
                self.bad.add(lines[at], f"{self.value_column} {values[at][:40]!r} is no number")
        return stamp[good], number[good]


def _without_nul(text: io.TextIOWrapper) -> Iterator[str]:
    """Yield lines with NUL characters made visible, for the csv module stops at them."""
    for line in text:
        yield line.replace("\0", "\ufffd") if "\0" in line else line


def _dialect(sample: str) -> type[csv.Dialect] | str:
    try:
        return csv.Sniffer().sniff(sample.split("\n", 1)[0], delimiters=",;\t|")
    except csv.Error:
        return "excel"


def _numbers(texts: list[str]) -> NDArray[np.float64]:
    """Return the texts as numbers, NaN where a text is none."""
    try:
        return np.array(texts, dtype=np.float64)
    except ValueError:
        return np.array([_number(text) for text in texts], dtype=np.float64)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _times(texts: list[str]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return nanoseconds since the epoch, and where they are known."""
    import pandas as pd

    number = _numbers(texts)
    if np.isfinite(number).mean() > 0.5:  # a column of numbers, some of them spoiled
        known = np.isfinite(number)
        size = float(np.median(np.abs(number[known])))
        unit = next(unit for least, unit in EPOCHS if size >= least)
        known &= np.abs(number) * unit < 2**63
        if unit == 1:  # a float holds 53 bits; a time in nanoseconds needs 61
            return np.array([_nanoseconds(text) for text in texts], dtype=np.int64), known
        number = np.where(known, number, 0.0)
        whole = np.floor(number)
        rest = np.rint((number - whole) * unit)
        return whole.astype(np.int64) * unit + rest.astype(np.int64), known
    column = pd.Series(texts)
    parsed = pd.to_datetime(column, utc=True, errors="coerce", format="ISO8601")
    if parsed.isna().any():  # other spellings are slower to read: only for what is left
        others = column.where(parsed.isna())
        parsed = parsed.fillna(pd.to_datetime(others, utc=True, errors="coerce", format="mixed"))
    known = parsed.notna().to_numpy()
    stamp = parsed.dt.as_unit("ns").astype("int64").to_numpy()
    return np.where(known, stamp, 0), known


def _nanoseconds(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        number = _number(text)
        return int(number) if abs(number) < 2**63 else 0
