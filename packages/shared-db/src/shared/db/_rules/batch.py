"""Batches of rows on their way to ClickHouse."""

from __future__ import annotations

import operator
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from shared.core.checks import refuse

from .clickhouse_values import Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

# What a server answers for a while only: too busy, too full, too slow, read-only.
PASSING_CODES = frozenset({159, 164, 202, 209, 210, 241, 242, 252, 285, 319, 425, 999})


@dataclass(frozen=True)
class WriterReport:
    """What a writer has done.

    Attributes:
        delivered: Rows acknowledged by the server.
        undelivered: Rows accepted and not delivered; with `spill` they wait on disk.
        error: Why, when it is known.
        refused: Rows that no column takes, handed to `on_bad_row` or `dead_letters`.
        undelivered_rows: The undelivered rows themselves, to be written again.
    """

    delivered: int
    undelivered: int
    error: str | None = None
    refused: int = 0
    undelivered_rows: list[Mapping[str, Any]] = field(default_factory=list, repr=False)


@dataclass
class Batch:
    """Rows that go together, under one token.

    Attributes:
        rows: The rows.
        size: About how many bytes they are.
        token: Tells the server whether it has seen the batch.
        path: The file that keeps the rows, if any.
        sent: Whether a writer that has died may have sent it.
        first: The number of its first row, of those that its writer accepted.
        lost: The positions of the rows that no column takes.
    """

    rows: list[Mapping[str, Any]] = field(default_factory=list)
    size: int = 0
    token: str = field(default_factory=lambda: uuid.uuid4().hex)
    path: Path | None = None
    sent: bool = False
    first: int = 1
    lost: set[int] = field(default_factory=set)

    def left(self) -> list[Mapping[str, Any]]:
        """Return the rows that are still to be delivered."""
        return [row for place, row in enumerate(self.rows) if place not in self.lost]

    def parts(self) -> Iterator[Part]:
        """Yield the batch in parts, one for each set of column names.

        A column that a row leaves out gets the table's default.
        """
        columns = _columns(list(self.rows[0]), self.rows)
        if columns is not None:
            yield Part(f"{self.token}-0", list(self.rows[0]), columns, range(len(self.rows)))
            return
        groups: dict[tuple[str, ...], list[int]] = {}
        for place, row in enumerate(self.rows):
            groups.setdefault(tuple(sorted(row)), []).append(place)
        for number, (names, places) in enumerate(groups.items()):
            rows = [self.rows[place] for place in places]
            values: list[Any] = [[row[name] for row in rows] for name in names]
            yield Part(f"{self.token}-{number}", list(names), values, places)


def _columns(names: list[str], rows: list[Mapping[str, Any]]) -> list[Any] | None:
    """Return the rows as columns, at the speed of C; None if some have other names."""
    if set(map(len, rows)) != {len(names)}:
        return None
    try:
        return [list(map(operator.itemgetter(name), rows)) for name in names]
    except KeyError:
        return None


def size_of(row: Mapping[str, Any]) -> int:
    """Return about how many bytes a row's values are."""
    total = 8 * len(row)
    for value in row.values():
        if isinstance(value, (str, bytes)):
            total += len(value)
        elif isinstance(value, (list, tuple, dict)):
            total += 16 * len(value)
    return total


def size_of_rows(rows: list[dict[str, Any]]) -> int:
    """Return about how many bytes the values of some rows are, from a sample."""
    sample = rows[:: max(1, len(rows) // 16)]
    return sum(map(size_of, sample)) * len(rows) // len(sample)


def checked(rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the rows as dictionaries.

    Raises:
        TypeError: One is not a mapping.
        ValueError: One is empty.
    """
    for row in rows:
        if type(row) is dict and row:
            yield row
        else:
            check_row(row)
            yield dict(row)


def check_row(row: object) -> None:
    """Refuse what is not a row.

    Raises:
        TypeError: It is not a mapping.
        ValueError: It is empty.
    """
    if not isinstance(row, Mapping):
        raise refuse("row", "a mapping of column names to values", type(row), TypeError)
    if not row:
        raise refuse("row", "a mapping with at least one column", row)
