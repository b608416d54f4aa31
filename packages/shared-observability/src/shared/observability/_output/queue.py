"""A bounded queue with its writer thread, between the callers and a slow sink."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Final, Literal

from shared.core import checks

from .sink import Sink

_POLICIES: Final = ("drop_new", "drop_old", "block")
_BATCH: Final = 64 * 1024  # bytes in one write


@dataclass(frozen=True, slots=True)
class QueuePolicy:
    """How log lines wait for a slow output.

    Args:
        size: The maximum number of waiting lines.
        on_full: What happens to a line that finds the queue full: "drop_new" drops it,
            "drop_old" drops the oldest waiting line, "block" makes the caller wait.

    Raises:
        ValueError: A size below 1 or an unknown policy.
        TypeError: A size that is not a number.

    Example:
        >>> QueuePolicy(size=1000, on_full="drop_old")
        QueuePolicy(size=1000, on_full='drop_old')
    """

    size: int = 10_000
    on_full: Literal["drop_new", "drop_old", "block"] = "drop_new"

    def __post_init__(self) -> None:
        checks.whole("size", self.size)
        checks.choice("on_full", self.on_full, _POLICIES)


class QueueSink(Sink):
    """Accepts lines immediately and writes them from a daemon thread.

    Built on `SimpleQueue`, whose `put` may be re-entered: a signal handler or `__del__` that logs
    in the middle of a `put` cannot deadlock. The writer never takes the callers' lock.
    """

    def __init__(self, inner: Sink, policy: QueuePolicy) -> None:
        super().__init__()
        self.inner = inner
        self._policy = policy
        self._direct = False
        self._reset()

    def _reset(self) -> None:
        self._lines: SimpleQueue[bytes | None] = SimpleQueue()
        self._accepted = 0
        self._evicted = 0
        self._done = 0  # changed by the writer alone
        self._thread: threading.Thread | None = None

    @property
    def queued(self) -> int:
        """How many lines wait or are being written right now."""
        return self._accepted - self._evicted - self._done

    def write(self, data: bytes, lines: int = 1) -> None:
        """Queue one line; returns immediately, except with the policy "block"."""
        size, on_full = self._policy.size, self._policy.on_full
        while True:
            with self._lock:
                if self.closed or self._direct:
                    break
                if self._lines.qsize() < size:
                    self._append(data)
                    return
                if on_full == "drop_old":
                    try:
                        self._lines.get_nowait()
                    except Empty:  # the writer was faster
                        continue
                    self._evicted += 1
                    self.dropped += 1
                    self._append(data)
                    return
                if on_full == "drop_new":
                    self.dropped += lines
                    return
            # Not a condition variable: a signal handler may log while this very thread waits.
            time.sleep(0.001)
        if self.closed:
            self.dropped += lines
        else:
            self.inner.write(data, lines)

    def _append(self, data: bytes) -> None:
        self._accepted += 1
        self._lines.put(data)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:  # the interpreter is shutting down: write from here on
                self._direct = True
                self._write_waiting()

    def _write_waiting(self) -> None:
        while self._lines.qsize():
            self._hand_over([line for line in (self._lines.get_nowait(),) if line is not None])

    def _run(self) -> None:
        self._write_until_closed()
        if self.closed:  # `close` did not wait for us
            self.inner.close()

    def _write_until_closed(self) -> None:
        lines = self._lines
        while (line := lines.get()) is not None:
            batch = [line]
            size = len(line)
            while size < _BATCH:
                try:
                    line = lines.get_nowait()
                except Empty:
                    break
                if line is None:
                    self._hand_over(batch)
                    return
                batch.append(line)
                size += len(line)
            self._hand_over(batch)

    def _hand_over(self, batch: list[bytes]) -> None:
        self.inner.write(b"".join(batch), len(batch))
        self._done += len(batch)

    def counts(self) -> tuple[int, int, int]:
        """Return how many lines were written, were dropped, and are still waiting."""
        written, dropped, _ = self.inner.counts()
        return written, dropped + self.dropped, self.queued

    def drain(self, timeout: float) -> bool:
        """Wait until every queued line is written, at most `timeout` seconds; return whether."""
        end = time.monotonic() + timeout
        pause = 0.0002
        while self.queued > 0:
            if time.monotonic() >= end:
                return False
            time.sleep(pause)
            pause = min(pause * 2, 0.01)
        return True

    def finish(self, timeout: float) -> None:
        """Write what waits, and later lines directly; a stalled output is given up."""
        if self.drain(timeout):
            self._direct = True
        else:
            self.close()

    def close(self) -> None:
        """Accept no more lines, drop those that wait, and close the inner sink."""
        with self._lock:
            self.closed = True
            while self._lines.qsize():
                try:
                    self._lines.get_nowait()
                except Empty:
                    break
                self._evicted += 1
                self.dropped += 1
            self._lines.put(None)
        if self.queued == 0:  # a thread that a stalled output holds still needs the descriptor
            self.inner.close()

    def renew_after_fork(self) -> None:
        """Start with an empty queue: the waiting lines are the parent's."""
        super().renew_after_fork()
        self._reset()
