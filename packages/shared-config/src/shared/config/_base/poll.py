"""Notice new content of a file or a folder."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from typing import TYPE_CHECKING

from shared.core import checks
from shared.core.forks import renew

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType
    from typing import Self

__all__ = ["Poller", "fingerprint"]


class Poller:
    """Calls `changed` when the fingerprint of a path differs from the last look.

    Polling reads the content: modification times miss two writes within one tick, and inotify
    misses network file systems and the links that Kubernetes swaps.

    Args:
        path: A file or a folder.
        changed: Called in the polling thread.
        interval: Seconds between two looks.
    """

    def __init__(self, path: Path, changed: Callable[[], object], interval: float) -> None:
        self.path = path
        self.interval: float = checks.seconds("interval", interval, above=0)
        self._changed = changed
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._seen = fingerprint(path)
        self._thread: threading.Thread | None = None
        renew(self)

    def renew_after_fork(self) -> None:
        """In a child: look there too; the parent's thread is not here."""
        self._lock = threading.RLock()
        running, self._thread = self._thread is not None, None
        self._stop = threading.Event()
        if running:
            self.start()

    def start(self) -> Self:
        """Start looking; does nothing if started before."""
        with self._lock:
            if self._thread is None:
                self._stop.clear()
                self._thread = threading.Thread(
                    target=self._run, name=f"shared.config watch {self.path.name}", daemon=True
                )
                self._thread.start()
        return self

    def stop(self) -> None:
        """Stop looking and wait for a call in progress."""
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def check(self) -> bool:
        """Look now.

        Returns:
            Whether there was something new.
        """
        with self._lock:
            now = fingerprint(self.path)
            if now == self._seen:
                return False
            # Remembered first: a change during the call is new again at the next look.
            self._seen = now
            self._changed()
            return True

    def _run(self) -> None:
        stop = self._stop
        while not stop.wait(min(self.interval, threading.TIMEOUT_MAX)):
            try:
                self.check()
            except Exception:
                logging.getLogger("shared.config").exception("watching %s failed", self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def fingerprint(path: Path) -> bytes:
    """Return a digest of a file's content, or of all files directly in a folder; empty if missing."""
    digest = hashlib.blake2b(digest_size=16)
    try:
        if not path.is_dir():
            return digest.copy().digest() + hashlib.blake2b(path.read_bytes()).digest()
        for entry in sorted(path.iterdir()):
            if not entry.name.startswith(".") and entry.is_file():
                content = hashlib.blake2b(entry.read_bytes()).digest()
                digest.update(os.fsencode(entry.name) + b"\0" + content)
    except OSError:
        return b""
    return digest.digest()
