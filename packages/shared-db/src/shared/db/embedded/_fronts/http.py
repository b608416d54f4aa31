"""The part of HTTP that the child processes of ClickHouse and Qdrant need."""

from __future__ import annotations

import gzip
import importlib.util
import socket
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Server(ThreadingHTTPServer):
    """One thread per connection; it can restart on its port at once."""

    daemon_threads = True
    request_queue_size = 128

    def server_bind(self) -> None:
        """Bind without looking up the host's name, which can take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore a client that went away."""


class Handler(BaseHTTPRequestHandler):
    """Keep-alive, chunked bodies both ways, compressed requests."""

    protocol_version = "HTTP/1.1"
    server_version = "shared-db"
    sys_version = ""
    wbufsize = -1
    methods: ClassVar[tuple[str, ...]] = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")

    def __getattr__(self, name: str) -> object:
        if name.startswith("do_") and name[3:] in self.methods:
            return self.answer
        raise AttributeError(name)

    def setup(self) -> None:
        """Send small answers at once."""
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def answer(self) -> None:
        """Answer one request."""
        raise NotImplementedError

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Log nothing: the log is for the store itself."""

    def chunks(self) -> Iterator[bytes]:
        """Yield the request's body, decompressed, as it arrives."""
        return _decompressed(self._raw_chunks(), self.headers.get("Content-Encoding", ""))

    def body(self) -> bytes:
        """Return the request's whole body."""
        return b"".join(self.chunks())

    def _raw_chunks(self) -> Iterator[bytes]:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield from self._exactly(size)
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
        else:
            yield from self._exactly(int(self.headers.get("Content-Length") or 0))

    def _exactly(self, size: int) -> Iterator[bytes]:
        while size:
            data = self.rfile.read(min(size, 1 << 20))
            if not data:
                raise ConnectionError("the request ended early")
            size -= len(data)
            yield data

    def reply(self, status: int, headers: dict[str, str], parts: bytes | Iterable[bytes]) -> None:
        """Send one answer; parts that are not yet known go out chunked."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value.replace("\n", " ").replace("\r", " "))
        if isinstance(parts, bytes):
            self.send_header("Content-Length", str(len(parts)))
        else:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if self.command == "HEAD":
            return
        if isinstance(parts, bytes):
            self.wfile.write(parts)
        else:
            for part in parts:
                if part:
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()


def _decompressed(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    if encoding in {"", "identity"}:
        yield from chunks
    elif encoding == "gzip":
        yield gzip.decompress(b"".join(chunks))
    elif encoding == "deflate":
        yield zlib.decompress(b"".join(chunks))
    elif encoding == "lz4":
        yield from _lz4(b"".join(chunks))
    elif encoding == "zstd":
        yield _zstd(b"".join(chunks))
    else:
        raise ValueError(f"Content-Encoding {encoding} is not one of gzip, deflate, lz4, zstd")


def _lz4(data: bytes) -> Iterator[bytes]:
    """Yield every frame of the data: the driver compresses each of its blocks separately."""
    from lz4.frame import LZ4FrameDecompressor  # type: ignore[import-untyped,unused-ignore]

    while data:
        frame = LZ4FrameDecompressor()
        yield bytes(frame.decompress(data))
        if not frame.eof:
            raise ValueError("the request's body ends inside an lz4 frame")
        data = bytes(frame.unused_data or b"")


def _zstd(data: bytes) -> bytes:
    for name in ("compression.zstd", "backports.zstd"):
        if _there(name):
            return bytes(importlib.import_module(name).decompress(data))
    decompressor = importlib.import_module("zstandard").ZstdDecompressor()
    return bytes(decompressor.decompressobj().decompress(data))


def _there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
