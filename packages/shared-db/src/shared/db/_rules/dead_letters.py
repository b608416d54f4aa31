"""Rows that no column takes, in a file: one line of JSON per row."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .copy import BadRow


class DeadLetters:
    """A file of refused rows, readable for its owner only.

    Args:
        path: Where it is; it is made with the first row.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path).expanduser()
        self._mutex = threading.Lock()

    def add(self, row: Mapping[str, Any], error: BadRow) -> None:
        """Append a row with its number, its column and why it was refused."""
        entry = {"row": error.row, "column": error.column, "error": str(error), "values": row}
        line = json.dumps(entry, default=repr, skipkeys=True) + "\n"
        with self._mutex:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            with open(os.open(self._path, flags, 0o600), "ab") as file:  # noqa: PTH123 - its mode
                file.write(line.encode())
