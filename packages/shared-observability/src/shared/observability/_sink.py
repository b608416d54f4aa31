"""Where lines go: a raw descriptor or a text stream.

A sink takes one whole line at a time and never raises. It survives what logging meets in
practice: a signal handler or `__del__` that logs in the middle of a write (the line waits until
the write is done), a fork while another thread holds the lock (the child gets a new lock), and
partial writes.
"""

from __future__ import annotations

import itertools
import os
import select
import stat
import threading
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

from ._state import renew_after_fork

if TYPE_CHECKING:
    from collections.abc import Callable

_os_write = os.write
_closing: deque[int] = deque()
_sinks: weakref.WeakSet[Sink] = weakref.WeakSet()


class _HasWrite(Protocol):
    def write(self, text: str, /) -> Any: ...


class Sink:
    """Counts and order around one place to write to; the subclasses write."""

    def __init__(self) -> None:
        self.written = 0
        self.dropped = 0
        self.closed = False
        self._lock = threading.RLock()
        self._busy = False
        self._waiting: deque[tuple[bytes, int]] = deque()
        _sinks.add(self)

    def write(self, data: bytes, lines: int = 1) -> None:
        """Write whole lines; on failure they are counted as dropped."""
        with self._lock:
            if self._busy:  # this very thread is inside a write: a signal handler or __del__
                self._waiting.append((data, lines))
                return
            self._busy = True
            try:
                self._put(data)
                self.written += lines
            except Exception:  # noqa: BLE001 - whoever logs is not to blame
                self.dropped += lines
            finally:
                self._busy = False
            if self._waiting:
                self.write(*self._waiting.popleft())

    def _put(self, data: bytes) -> None:
        raise NotImplementedError

    def flush(self) -> None:
        """Hand over what a stream still buffers."""

    def close(self) -> None:
        """Close what the sink itself opened; later lines are dropped and counted."""
        self.closed = True

    def after_fork(self) -> None:
        """In the child: the thread that held the lock does not exist here."""
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

    def write(self, data: bytes, lines: int = 1) -> None:
        """Write whole lines; as the base class, without further calls on the common way."""
        with self._lock:
            if self._busy or self.closed:
                super().write(data, lines)
                return
            self._busy = True
            try:
                done = _os_write(self._descriptor, data)
                if done != len(data):
                    write_all(self._descriptor, data[done:])
                self.written += lines
            except BlockingIOError:
                self._busy = False
                super().write(data, lines)
            except Exception:  # noqa: BLE001 - whoever logs is not to blame
                self.dropped += lines
            finally:
                self._busy = False
            if self._waiting:
                super().write(*self._waiting.popleft())

    def _put(self, data: bytes) -> None:
        if self.closed:
            raise ValueError("the sink is closed")
        write_all(self._descriptor, data)

    def close(self) -> None:
        with self._lock:
            if self._owned and not self.closed:
                os.close(self._descriptor)
            self.closed = True


class FileSink(Sink):
    """Writes to a regular file, without a lock.

    The kernel writes each line in one piece, whoever else writes: other threads, other
    processes (with O_APPEND), a signal handler in the middle of this very method.

    Args:
        descriptor: The open file.
        owned: Close it with the sink.
    """

    def __init__(self, descriptor: int, *, owned: bool = False) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._owned = owned
        self._count = itertools.count(1)  # a plain += would lose counts between threads
        self._reads = 0

    @property
    def written(self) -> int:
        """How many lines were written."""
        with self._lock:
            self._reads += 1
            return next(self._count) - self._reads

    @written.setter
    def written(self, value: int) -> None:
        """The base class sets the first zero."""

    def write(self, data: bytes, lines: int = 1) -> None:
        """Append whole lines."""
        try:
            if _os_write(self._descriptor, data) != len(data):
                raise OSError("the disk is full")
        except Exception:  # noqa: BLE001 - whoever logs is not to blame
            with self._lock:
                self.dropped += lines
            return
        next(self._count)
        for _ in range(lines - 1):  # a batch from the queue
            next(self._count)

    def close(self) -> None:
        """Drop what comes later. Closed a little later: a thread may be inside a write."""
        with self._lock:
            if not self.closed:
                self.closed = True
                if self._owned:
                    _closing.append(self._descriptor)
                self._descriptor = -1
                while len(_closing) > 1:
                    os.close(_closing.popleft())


def open_sink(descriptor: int, *, owned: bool = False) -> Sink:
    """The sink for a descriptor: without a lock where the kernel keeps lines whole by itself."""
    mode = os.fstat(descriptor).st_mode
    whole = stat.S_ISREG(mode) or (stat.S_ISCHR(mode) and not os.isatty(descriptor))
    return (FileSink if whole else DescriptorSink)(descriptor, owned=owned)


class StreamSink(Sink):
    """Writes to a text (or binary) stream that the caller gave us and keeps.

    Args:
        stream: Anything with `write`; flushed after each line if it can be.
    """

    def __init__(self, stream: _HasWrite) -> None:
        super().__init__()
        self._stream: Any = stream
        self._flush: Callable[[], object] = getattr(stream, "flush", lambda: None)
        self._binary = isinstance(stream, _binary_types())

    def _put(self, data: bytes) -> None:
        if self._binary:
            self._stream.write(data)
        else:
            text = data.decode()
            try:
                self._stream.write(text)
            except (
                UnicodeEncodeError
            ):  # a console of few characters: JSON's escapes fit both formats
                self._stream.write("".join(c if c.isascii() else escape_char(c) for c in text))
            except TypeError:  # a wrapper around a binary file
                self._stream.write(data)
                self._binary = True
        self._flush()


def escape_char(char: str) -> str:
    """A character as JSON escapes it."""
    pairs = char.encode("utf-16-be")
    return "".join(f"\\u{pairs[i] << 8 | pairs[i + 1]:04x}" for i in range(0, len(pairs), 2))


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of it, also through a non-blocking or a slow descriptor."""
    try:
        done = os.write(descriptor, data)
    except BlockingIOError:
        done = 0
    while done < len(data):
        try:
            done += os.write(descriptor, data[done:])
        except BlockingIOError:
            select.select([], [descriptor], [])


def _binary_types() -> tuple[type, ...]:
    import io

    return (io.RawIOBase, io.BufferedIOBase)


@renew_after_fork
def _after_fork_in_child() -> None:
    for sink in list(_sinks):
        sink.after_fork()
