"""A proxy between a client and a server that makes the faults of a network."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import threading
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

_SSL_REQUEST = struct.pack(">II", 8, 80877103)
_GSS_REQUEST = struct.pack(">II", 8, 80877104)


class _Pair:
    """One client's connection, and the one to the server for it."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client = client
        self.server = server

    def cut(self) -> None:
        """End both, at once and without goodbye."""
        for end in (self.client, self.server):
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class FaultProxy:
    """Passes bytes between clients and one server, and makes faults on demand.

    Args:
        host: The server's host.
        port: Its port.
        tls: A server-side context: clients speak TLS to the proxy, which speaks plain text to the
            server. PostgreSQL's own request for TLS is understood.

    Attributes:
        host: Where clients connect.
        port: The port there.
        connections: How many connections were accepted.

    Example:
        >>> with FaultProxy("127.0.0.1", 5432) as proxy:
        ...     proxy.host
        '127.0.0.1'
    """

    def __init__(self, host: str, port: int, *, tls: ssl.SSLContext | None = None) -> None:
        self._target = (host, port)
        self._tls = tls
        self._mutex = threading.Lock()
        self._pairs: set[_Pair] = set()
        self._delay = 0.0
        self._lost = 0
        self._passed = 0
        self._silent = False
        self._listener: socket.socket | None = None
        self.connections: int = 0
        self.host: str = "127.0.0.1"
        self.port: int = 0
        self._listen()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def cut(self) -> None:
        """End every current connection; new ones are accepted."""
        with self._mutex:
            pairs = list(self._pairs)
        for pair in pairs:
            pair.cut()

    def delay(self, seconds: float) -> None:
        """Delay every answer by `seconds` seconds."""
        self._delay = seconds

    def refuse(self) -> None:
        """End every connection and refuse new ones, until `heal`."""
        listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.cut()

    def lose_reply(self, times: int = 1, *, after: int = 0) -> None:
        """Let the next requests reach the server, and cut the connection instead of the answer.

        Args:
            times: How many answers are lost.
            after: How many are passed on before that.
        """
        with self._mutex:
            self._passed = after
            self._lost += times

    def swallow(self) -> None:
        """Pass on no more answers, and cut nothing, until `heal`."""
        self._silent = True

    def heal(self) -> None:
        """End every fault."""
        self._delay = 0.0
        self._silent = False
        with self._mutex:
            self._lost = 0
        if self._listener is None:
            self._listen()

    def stop(self) -> None:
        """End the proxy."""
        self.refuse()

    def _listen(self) -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self.host, self.port))
        listener.listen(128)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while self._listener is listener:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            if self._tls is not None:
                client = self._encrypted(client)
            server = socket.create_connection(self._target, 5)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pair = _Pair(client, server)
        with self._mutex:
            self._pairs.add(pair)
        back = threading.Thread(target=self._pump, args=(pair, server, client), daemon=True)
        back.start()
        self._pump(pair, client, server)
        back.join()
        with self._mutex:
            self._pairs.discard(pair)
        client.close()
        server.close()

    def _encrypted(self, client: socket.socket) -> socket.socket:
        assert self._tls is not None
        while client.recv(8, socket.MSG_PEEK) in {_SSL_REQUEST, _GSS_REQUEST}:
            asked = client.recv(8)
            client.sendall(b"S" if asked == _SSL_REQUEST else b"N")
            if asked == _SSL_REQUEST:
                break
        return self._tls.wrap_socket(client, server_side=True)

    def _pump(self, pair: _Pair, source: socket.socket, sink: socket.socket) -> None:
        answers = source is pair.server
        try:
            while data := self._read(source):
                if answers:
                    if self._delay:
                        time.sleep(self._delay)
                    if self._silent:
                        continue
                    with self._mutex:
                        lose = self._lost > 0 and self._passed == 0
                        self._lost -= lose
                        self._passed -= self._passed > 0
                    if lose:
                        break
                sink.sendall(data)
        except (OSError, ValueError):
            pass
        pair.cut()

    @staticmethod
    def _read(source: socket.socket) -> bytes:
        """Read; a TLS socket is not read by one thread while another writes to it."""
        if isinstance(source, ssl.SSLSocket):
            while not source.pending():
                if select.select([source], [], [], 0.5)[0]:
                    break
                if source.fileno() < 0:
                    return b""
        return source.recv(1 << 16)
