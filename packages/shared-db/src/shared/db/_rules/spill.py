"""Rows on disk until they are delivered: a folder that survives the process.

A folder holds one subfolder per writer, locked while the writer lives. Each batch is one file of
pickled chunks of rows; its name is the batch's deduplication token, so a batch that was sent
before a crash and is sent again after it counts once.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import uuid
from pathlib import Path
from typing import Any

_LENGTH = 8


class Spill:
    """The files of one writer.

    Args:
        folder: Where they are; created if missing, for its owner only.
        table: The rows' table: writers of different tables may share a folder.
    """

    def __init__(self, folder: str | os.PathLike[str], table: str) -> None:
        self._base = Path(folder).expanduser() / table.replace("/", "_")
        self._base.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.refused: Path = self._base / "refused.jsonl"
        self._own: Path | None = None
        self._locks: list[int] = []
        self._count = 0
        self._file: int | None = None

    def recover(self) -> list[tuple[Path, list[dict[str, Any]]]]:
        """Return the batches that dead writers left, oldest first; they are this writer's now."""
        found: list[tuple[Path, list[dict[str, Any]]]] = []
        folders = [
            folder
            for folder in self._base.iterdir()
            if not folder.name.startswith(".") and folder.is_dir()
        ]
        for folder in sorted(folders, key=_age):
            lock = _locked(folder)
            if lock is None:
                continue
            self._locks.append(lock)
            for path in sorted(folder.glob("*.rows")):
                rows = _read(path)
                if rows:
                    found.append((path, rows))
                else:
                    path.unlink()
            self._sweep(folder)
        return found

    def open(self) -> Path:
        """Start a new batch; return its file."""
        if self._own is None:
            self._own = self._settle()
        self._count += 1
        path = self._own / f"{self._count:012d}-{uuid.uuid4().hex}.rows"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        return path

    def _settle(self) -> Path:
        """Return this writer's folder, locked before another can take it for that of a dead one."""
        name = f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
        fresh = self._base / f".{name}"
        fresh.mkdir(mode=0o700)
        lock = _locked(fresh)
        assert lock is not None
        self._locks.append(lock)
        return fresh.rename(self._base / name)

    def append(self, rows: list[dict[str, Any]]) -> None:
        """Add rows to the batch; they survive this process once this returns."""
        data = pickle.dumps(rows, pickle.HIGHEST_PROTOCOL)
        assert self._file is not None
        start = os.fstat(self._file).st_size
        view = memoryview(len(data).to_bytes(_LENGTH, "little") + data)
        try:
            while view:
                view = view[os.write(self._file, view) :]
        except OSError:
            # The disk is full: the part of these rows that was written does not count.
            os.ftruncate(self._file, start)
            raise

    def seal(self) -> None:
        """End the batch."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def delivered(self, path: Path) -> None:
        """Remove a batch that was delivered."""
        path.unlink(missing_ok=True)
        if path.parent != self._own:
            self._sweep(path.parent)

    def close(self) -> None:
        """Release the folder; what is undelivered waits there for the next writer."""
        if self._own is not None:
            self._sweep(self._own)
        self.forget()

    def forget(self) -> None:
        """Leave all files alone; in a forked child they are the parent's."""
        self.seal()
        for lock in self._locks:
            os.close(lock)
        self._own, self._locks = None, []

    @staticmethod
    def _sweep(folder: Path) -> None:
        if not any(folder.glob("*.rows")):
            (folder / "lock").unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                folder.rmdir()


def _age(folder: Path) -> float:
    """Return when the folder was last changed; another writer may have removed it meanwhile."""
    try:
        return folder.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _locked(folder: Path) -> int | None:
    """Return a lock on the folder, or None if its writer lives."""
    import fcntl

    try:
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock


def _read(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a file; a chunk that was cut off was never acknowledged."""
    rows: list[dict[str, Any]] = []
    with path.open("rb") as file:
        while head := file.read(_LENGTH):
            size = int.from_bytes(head, "little")
            data = file.read(size)
            if len(head) < _LENGTH or len(data) < size:
                break
            rows += pickle.loads(data)  # noqa: S301 - a writer's own bytes, in a folder of its user
    return rows
