"""Batches of rows on their way to ClickHouse."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# What the server may answer today and not tomorrow: too busy, too full, too slow, read-only.
PASSING_CODES = frozenset({159, 164, 202, 209, 210, 241, 242, 252, 285, 319, 425, 999})


@dataclass(frozen=True)
class WriterReport:
    """What a writer has done.

    Attributes:
        delivered: Rows that the server has acknowledged.
        undelivered: Rows that were accepted and not delivered; with ``spill`` they wait on disk.
        error: Why, when it is known.
    """

    delivered: int
    undelivered: int
    error: str | None = None


@dataclass
class Batch:
    """Rows that go together, under one token."""

    rows: list[Mapping[str, Any]] = field(default_factory=list)
    size: int = 0
    token: str = field(default_factory=lambda: uuid.uuid4().hex)
    path: Path | None = None

    def parts(self) -> Iterator[tuple[str, list[str], list[list[Any]]]]:
        """The batch as (token, column names, columns), one for each set of column names.

        A column that a row does not name gets the table's default.
        """
        first = self.rows[0].keys()
        if all(row.keys() == first for row in self.rows):
            groups = {tuple(first): self.rows}
        else:
            groups = {}
            for row in self.rows:
                groups.setdefault(tuple(sorted(row)), []).append(row)
        for number, (names, rows) in enumerate(groups.items()):
            yield (
                f"{self.token}-{number}",
                list(names),
                [[row[name] for row in rows] for name in names],
            )


def size_of(row: Mapping[str, Any]) -> int:
    """About how many bytes a row's values are."""
    total = 8 * len(row)
    for value in row.values():
        if isinstance(value, (str, bytes)):
            total += len(value)
        elif isinstance(value, (list, tuple, dict)):
            total += 16 * len(value)
    return total


def check_row(row: object) -> None:
    """Refuses what is no row.

    Raises:
        TypeError: It is no mapping.
        ValueError: It is empty.
    """
    if not isinstance(row, Mapping):
        raise TypeError(f"a row is a mapping of column names to values, not {type(row).__name__}")
    if not row:
        raise ValueError("a row names at least one column, this one is empty")
