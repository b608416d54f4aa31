"""A socket as uvicorn's transport, with few system calls.

Hot: measured, see decision 0053. Each system call releases the interpreter lock, and while
another thread computes, it may take 5 ms to get it back. asyncio makes a dozen from a new
connection to its answer; here there are four: accept, read, a turn of the loop, send.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    T = TypeVar("T")

NOW = getattr(socket, "MSG_DONTWAIT", 0)
"""Makes one call non-blocking. Making the socket non-blocking would be one more call."""

HIGH_WATER = 65536
"""Bytes that may wait to be sent before the application must pause."""


class Connection(asyncio.Transport):
    """One connection, from accept on; `open` starts it.

    What is written is sent at the next turn of the loop, at `flush`, or when it is much: the
    head and the body of an answer go together.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        client: tuple[str, int],
        protocol: asyncio.Protocol,
    ) -> None:
        super().__init__({"peername": client})
        self._loop = loop
        self._sock = sock
        self._protocol = protocol
        self._unsent = bytearray()
        self._reading = self._writing = self._paused = False
        self._full = self._closing = self._lost = False
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not NOW or socket.getdefaulttimeout() is not None:
            sock.setblocking(False)  # noqa: FBT003 - its only argument

    def open(self) -> None:
        """Notify the protocol, and read at once: a client mostly sends with its first packets."""
        self._protocol.connection_made(self)
        self._read()
        # After the answer: if that was all, there is nothing more to wait for.
        self._loop.call_soon(self._watch)

    def _watch(self) -> None:
        if not (self._reading or self._paused or self._closing):
            self._reading = True
            self._loop.add_reader(self._sock, self._read)

    def _unwatch(self) -> None:
        if self._reading:
            self._reading = False
            self._loop.remove_reader(self._sock)

    def _read(self) -> None:
        data = self._try(lambda: self._sock.recv(65536, NOW))
        if data:
            self._protocol.data_received(data)
        elif data is not None:
            self._protocol.eof_received()
            self.close()

    def _try(self, call: Callable[[], T]) -> T | None:
        """Return what the call returns; None if it would block or the connection is gone."""
        if self._lost:
            return None
        try:
            return call()
        except (BlockingIOError, InterruptedError):
            return None
        except OSError as error:
            self._lose(error)
            return None

    def pause_reading(self) -> None:
        """Read no more for now."""
        self._paused = True
        self._unwatch()

    def resume_reading(self) -> None:
        """Read again."""
        self._paused = False
        self._watch()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send soon."""
        if self._closing or not data:
            return
        if not self._unsent:
            self._loop.call_soon(self.flush)
        self._unsent += data
        if len(self._unsent) > HIGH_WATER and not self._writing:
            self.flush()

    def flush(self) -> None:
        """Send what the system accepts now, and the rest when it accepts more."""
        while self._unsent:
            sent = self._try(lambda: self._sock.send(self._unsent, NOW))
            if sent is None:
                break
            del self._unsent[:sent]
        if self._lost:
            return
        if bool(self._unsent) is not self._writing:
            self._writing = not self._writing
            if self._writing:
                self._loop.add_writer(self._sock, self.flush)
            else:
                self._loop.remove_writer(self._sock)
        full = len(self._unsent) > HIGH_WATER
        if full is not self._full:
            self._full = full
            (self._protocol.pause_writing if full else self._protocol.resume_writing)()
        if self._closing and not self._unsent:
            self._lose(None)

    def is_closing(self) -> bool:
        """Whether it was closed, though something may be left to send."""
        return self._closing

    def close(self) -> None:
        """Send what is left, then close."""
        if not self._closing:
            self._closing = True
            self._unwatch()
            self.flush()

    def abort(self) -> None:
        """Close at once."""
        self._lose(None)

    def _lose(self, error: OSError | None) -> None:
        if self._lost:
            return
        self._closing = self._lost = True
        self._unsent.clear()
        self._unwatch()
        if self._writing:
            self._writing = False
            self._loop.remove_writer(self._sock)
        self._sock.close()
        self._loop.call_soon(self._protocol.connection_lost, error)
