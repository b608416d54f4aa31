"""The command line."""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from .sources.csv_file import CsvSeries


class Refusal(Exception):  # noqa: N818 - an answer to the user, not a fault of the program
    """The run cannot start; the text is the one sentence that the user reads."""


@dataclass(frozen=True)
class Options:
    """What the user asked for."""

    duration: float
    serve: bool
    real: bool
    json: bool
    port: int
    data: Path | None
    plot: Path
    csv: CsvSeries | None


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Refusal(f"{message}.")


def parse(arguments: list[str]) -> Options:
    """Read the arguments.

    Raises:
        Refusal: one of them is wrong; the text names it, its value and what is allowed.
    """
    parser = _Parser(
        prog="demo", description="Watch real series, store them and report what is wrong."
    )
    parser.add_argument(
        "--duration", type=_seconds, default=25.0, metavar="S", help="seconds to watch (25)"
    )
    parser.add_argument("--serve", action="store_true", help="run until SIGTERM or Ctrl-C")
    parser.add_argument(
        "--real", action="store_true", help="use the servers that the environment names"
    )
    parser.add_argument("--json", action="store_true", help="print nothing but the last line")
    parser.add_argument(
        "--port", type=_port, default=0, help="port of the pages; 0 takes a free one"
    )
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="keep the embedded stores' data here"
    )
    parser.add_argument(
        "--plot", type=Path, default=Path("watcher.png"), metavar="FILE", help="the picture"
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="a file of yours to watch too")
    parser.add_argument("--time", metavar="COLUMN", help="its column of times")
    parser.add_argument("--value", metavar="COLUMN", help="its column of values")
    given = parser.parse_args(arguments)
    if given.real and given.data:
        raise Refusal(
            "--data is for the embedded stores; with --real the data is where the servers keep it."
        )
    if given.csv is None and (given.time or given.value):
        raise Refusal("--time and --value name columns of a file; --csv FILE is missing.")
    if given.csv is not None and not (given.time and given.value):
        raise Refusal("--csv needs --time COLUMN and --value COLUMN.")
    csv = CsvSeries(given.csv, given.time, given.value) if given.csv else None
    folder = given.plot.parent
    if not folder.is_dir() or given.plot.is_dir():
        raise Refusal(f"--plot {given.plot}: there is no folder {folder}, or it is one itself.")
    return Options(
        given.duration, given.serve, given.real, given.json, given.port, given.data, given.plot, csv
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= 86_400:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number of seconds from above 0 to 86400"
        )
    return seconds


def _port(text: str) -> int:
    if not text.isdecimal() or not int(text) <= 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 0 to 65535")
    return int(text)


def refuse(reason: object) -> int:
    """Print the one sentence; return the exit status that goes with it."""
    print(f"watcher: {' '.join(str(reason).split())}", file=sys.stderr)
    return 2
