"""What a person sees: progress, the summary, and the last line. Silent but for that with --json."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .result import Result


class Screen:
    """Writes to standard output; rich on a terminal, plain text elsewhere."""

    def __init__(self, *, quiet: bool) -> None:
        from rich.console import Console

        self._quiet = quiet
        self._console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())

    def say(self, text: str, style: str = "") -> None:
        """Tell one thing as it happens."""
        if not self._quiet:
            self._console.print(text, style=style or None, markup=False)

    def summary(self, result: Result) -> None:
        """Show what the run did."""
        if self._quiet:
            return
        from rich import box
        from rich.table import Table

        terminal = self._console.is_terminal
        table = Table(
            title="watcher: what happened",
            box=box.SIMPLE_HEAD if terminal else box.ASCII,
            title_justify="left",
        )
        table.add_column("what")
        table.add_column("count", justify="right")
        table.add_column("where to look")
        kept = ", ".join(f"{name} {count}" for name, count in result.stores.items())
        rows = [
            ("points produced", result.produced, "machine, prices, mock cloud, file"),
            ("points stored", result.stored, kept),
            ("points lost", result.lost, "; ".join(result.mismatches) or "none"),
            ("points from earlier runs", result.recovered, "still there, checked at the start"),
            ("windows", result.windows, "aggregates and rates by window"),
            ("anomalies", result.anomalies, f"red in {result.plot}"),
            ("signals", result.signals, "RSI, MACD and Bollinger on the prices, in PostgreSQL"),
            (
                "incidents",
                result.incidents,
                f"in PostgreSQL; {result.duplicates} repeats held back by Redis",
            ),
            ("similar incidents found", result.similar, "in Qdrant, by the shape of the window"),
            ("calls to the mock cloud", result.calls, f"{result.calls_failed} failed for good"),
            ("retries", result.retries, ""),
            (
                "breaker opened / closed",
                result.breaker_opened,
                f"closed again {result.breaker_closed} times",
            ),
        ]
        if result.bad_rows:
            rows.append(
                ("bad rows in the file", result.bad_rows, "; ".join(result.bad_rows_first[:3]))
            )
        for what, count, where in rows:
            table.add_row(what, f"{count:,}", where)
        self._console.print(table)

    def last(self, result: Result) -> None:
        """Print the figures as the very last line."""
        sys.stdout.write(result.line() + "\n")
        sys.stdout.flush()
