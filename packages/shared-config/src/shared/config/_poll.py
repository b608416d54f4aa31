"""Notice that a file or a folder has new content."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType
    from typing import Self

__all__ = ["Poller", "fingerprint"]


class Poller:
    """Calls ``changed`` when the fingerprint of a path is another than at the last look.

    Polling reads the content: modification times miss two writes within one tick, and inotify
    misses network file systems and the links that Kubernetes swaps.

    Args:
        path: A file or a folder.
        changed: What to call, in the polling thread.
        interval: Seconds between two looks.
    """

    def __init__(self, path: Path, changed: Callable[[], object], interval: float) -> None:
        if not interval > 0:
            raise ValueError(f"interval: {interval!r} is not a number of seconds > 0")
        self.path = path
        self.interval = interval
        self._changed = changed
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._seen = fingerprint(path)
        self._thread: threading.Thread | None = None

    def start(self) -> Self:
        """Begin to look; does nothing if it began before."""
        with self._lock:
            if self._thread is None:
                self._stop.clear()
                self._thread = threading.Thread(
                    target=self._run, name=f"shared.config watch {self.path.name}", daemon=True
                )
                self._thread.start()
        return self

    def stop(self) -> None:
        """Stop looking and wait for a call that is under way."""
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
            # Remembered first: what changes during the call is new again at the next look.
            self._seen = now
            self._changed()
            return True

    def _run(self) -> None:
        while not self._stop.wait(self.interval):
            try:
                self.check()
            except Exception:
                logging.getLogger("shared.config").exception("watching %s failed", self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def fingerprint(path: Path) -> bytes:
    """Return a digest of a file's content, or of all files right in a folder; empty if missing."""
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
