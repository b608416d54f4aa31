"""Where lines go: a raw descriptor or a text stream.

A sink accepts one whole line at a time and never raises. It survives what logging meets in
practice: a signal handler or `__del__` that logs in the middle of a write (the line waits until
the write is done), a fork while another thread holds the lock (the child gets a new lock), and
partial writes.
"""

from __future__ import annotations

import io
import os
import select
import stat
import sys
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

from shared.core import forks

from .._base.tally import Tally
from .encode import escape_char

if TYPE_CHECKING:
    from collections.abc import Callable

_os_write = os.write
_closing: deque[int] = deque()


class _HasWrite(Protocol):
    def write(self, text: str, /) -> Any: ...


class Sink:
    """Order and counts for one place to write to; the subclasses write.

    Attributes:
        dropped: How many lines this sink lost.
        closed: Whether later lines are dropped.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self.closed = False
        self._tally = Tally()
        self._one = self._tally.one
        self._lock = threading.RLock()
        self._busy = False
        self._waiting: deque[tuple[bytes, int]] = deque()
        forks.renew(self)

    def write(self, data: bytes, lines: int = 1) -> None:
        """Write whole lines; on failure they are counted as dropped."""
        with self._lock:
            if self._busy:  # this very thread is inside a write: a signal handler or __del__
                self._waiting.append((data, lines))
                return
            self._busy = True
            try:
                self._put(data)
                self._one()
                if lines > 1:
                    self._count(lines - 1)
            except Exception:  # noqa: BLE001 - logging must not fail its caller
                self.dropped += lines
            finally:
                self._busy = False
            if self._waiting:
                self.write(*self._waiting.popleft())

    def _put(self, data: bytes) -> None:
        raise NotImplementedError

    def _count(self, lines: int) -> None:
        for _ in range(lines):  # a batch from the queue
            self._one()

    def counts(self) -> tuple[int, int, int]:
        """Return how many lines were written, were dropped, and are still waiting."""
        return self._tally.read(), self.dropped, 0

    def drain(self, timeout: float) -> bool:  # noqa: ARG002 - a queue waits
        """Wait until every line is written, at most `timeout` seconds; return whether."""
        return True

    def finish(self, timeout: float) -> None:
        """Write everything at exit; later lines are still accepted."""

    def close(self) -> None:
        """Close what the sink itself opened; later lines are dropped and counted."""
        self.closed = True

    def renew_after_fork(self) -> None:
        """Replace the lock: its holder does not exist in the child."""
        self._lock = threading.RLock()
        self._busy = False
        self._waiting.clear()


class DescriptorSink(Sink):
    """Writes to a file descriptor, without any buffer.

    Args:
        descriptor: Where to write.
        owned: Close it with the sink.
    """

    def __init__(self, descriptor: int, *, owned: bool = False) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._owned = owned

    def _put(self, data: bytes) -> None:
        if self.closed:
            raise ValueError("the sink is closed")
        try:
            done = _os_write(self._descriptor, data)
        except BlockingIOError:
            done = 0
        if done != len(data):
            write_all(self._descriptor, data[done:])

    def close(self) -> None:
        with self._lock:
            if self._owned and not self.closed:
                os.close(self._descriptor)
            self.closed = True


class FileSink(Sink):
    """Writes to a regular file, without a lock.

    The kernel writes each line in one piece, whatever else writes: other threads, other
    processes (with O_APPEND), a signal handler in the middle of this very method.

    Args:
        descriptor: The open file.
        owned: Close it with the sink.
    """

    def __init__(self, descriptor: int, *, owned: bool = False) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._owned = owned

    def write(self, data: bytes, lines: int = 1) -> None:
        """Append whole lines."""
        try:
            if _os_write(self._descriptor, data) != len(data):
                raise OSError("the disk is full")
        except Exception:  # noqa: BLE001 - logging must not fail its caller
            with self._lock:
                self.dropped += lines
            return
        self._one()
        if lines > 1:
            self._count(lines - 1)

    def close(self) -> None:
        """Drop later lines. The descriptor is closed a little later: a thread may be writing."""
        with self._lock:
            if not self.closed:
                self.closed = True
                if self._owned:
                    _closing.append(self._descriptor)
                self._descriptor = -1
                while len(_closing) > 1:
                    os.close(_closing.popleft())


def open_sink(descriptor: int, *, owned: bool = False) -> Sink:
    """Return the sink for a descriptor: without a lock if the kernel itself keeps lines whole."""
    mode = os.fstat(descriptor).st_mode
    whole = stat.S_ISREG(mode) or (stat.S_ISCHR(mode) and not os.isatty(descriptor))
    return (FileSink if whole else DescriptorSink)(descriptor, owned=owned)


class StreamSink(Sink):
    """Writes to a text (or binary) stream that the caller passed and keeps.

    Args:
        stream: Anything with `write`; flushed after each line if it can be.
    """

    def __init__(self, stream: _HasWrite) -> None:
        super().__init__()
        self._stream: Any = stream
        self._flush: Callable[[], object] = getattr(stream, "flush", lambda: None)
        self._binary = isinstance(stream, (io.RawIOBase, io.BufferedIOBase))

    def _put(self, data: bytes) -> None:
        if self._binary:
            self._stream.write(data)
        else:
            text = data.decode()
            try:
                self._stream.write(text)
            except UnicodeEncodeError:
                # A console with few characters: JSON's escapes fit both formats.
                self._stream.write("".join(c if c.isascii() else escape_char(c) for c in text))
            except TypeError:  # a wrapper around a binary file
                self._stream.write(data)
                self._binary = True
        self._flush()


class FollowingSink(Sink):
    """Writes to the current `sys.stdout` or `sys.stderr`: pytest replaces them for every test.

    Elsewhere the descriptor is used: a stream that a program put there may log what it is given.

    Args:
        name: "stdout" or "stderr".
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def _put(self, data: bytes) -> None:
        stream = getattr(sys, self._name)
        if self.closed or stream is None:
            raise ValueError("the sink is closed")
        StreamSink(stream)._put(data)  # noqa: SLF001 - a sibling, without another lock


def write_all(descriptor: int, data: bytes) -> None:
    """Write everything, also to a non-blocking or a slow descriptor."""
    done = 0
    while done < len(data):
        try:
            done += _os_write(descriptor, data[done:])
        except BlockingIOError:
            select.select([], [descriptor], [])
