"""An HTTP server for Prometheus to scrape."""

from __future__ import annotations

import base64
import contextlib
import hmac
import socket
import ssl
import threading
from gzip import compress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, Self

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.exposition import choose_encoder

from ._check import check_integer

if TYPE_CHECKING:
    import os
    from types import TracebackType

_CLIENT_SECONDS: Final = 10.0  # a client that says nothing for so long is sent away


class MetricsServer:
    """Serves `/metrics` from a background thread.

    Args:
        port: 0 lets the system choose; `.port` is the real one.
        host: The address to listen on. All addresses by default, as a scraper is elsewhere.
        tls: The paths of a certificate chain and its key, or an `ssl.SSLContext`.
        auth: User name and password for basic authentication.
        registry: What to serve; prometheus-client's default registry.

    Raises:
        ValueError: A port outside 0 to 65535, or an incomplete tls or auth.

    Example:
        >>> from urllib.request import urlopen
        >>> with MetricsServer(port=0, host="127.0.0.1") as server:
        ...     with urlopen(server.url) as answer:
        ...         answer.status
        200
    """

    def __init__(
        self,
        port: int = 9090,
        host: str = "0.0.0.0",  # noqa: S104 - a scraper is elsewhere
        tls: tuple[str | os.PathLike[str], str | os.PathLike[str]] | ssl.SSLContext | None = None,
        auth: tuple[str, str] | None = None,
        *,
        registry: CollectorRegistry = REGISTRY,
    ) -> None:
        check_integer("port", port, 0, 65535)
        self._asked = port
        self.host = host
        self._context = _tls_context(tls)
        self._expected = _basic(auth)
        self._registry = registry
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port it listens on; the one asked for while it is not running."""
        return self._server.server_port if self._server else self._asked

    @property
    def url(self) -> str:
        """The address of the metrics, as a local client reaches it."""
        host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        host = f"[{host}]" if ":" in host else host
        return f"{'https' if self._context else 'http'}://{host}:{self.port}/metrics"

    def start_in_background(self) -> Self:
        """Listen and return; a second call does nothing.

        Raises:
            OSError: The address cannot be listened on; the message names host and port.
        """
        if self._server is not None:
            return self
        try:
            self._server = _Server(self)
        except OSError as error:
            raise type(error)(
                error.errno, f"cannot serve metrics on {self.host}:{self._asked}: {error.strerror}"
            ) from error
        except OverflowError as error:  # pragma: no cover - the port was checked
            raise ValueError(str(error)) from error
        self._thread = threading.Thread(
            target=self._server.run, name=f"metrics-server-{self.port}", daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening, end the connections and free the port; a second call does nothing."""
        server, thread = self._server, self._thread
        if server is None or thread is None:
            return
        self._asked = server.server_port if self._asked else 0
        server.stop()
        thread.join()
        self._server = self._thread = None

    def __enter__(self) -> Self:
        return self.start_in_background()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, owner: MetricsServer) -> None:
        self.owner = owner
        self._stopping = False
        self._clients: set[socket.socket] = set()
        self._workers: set[threading.Thread] = set()
        self._guard = threading.Lock()
        if ":" in owner.host:
            self.address_family = socket.AF_INET6
        super().__init__((owner.host, owner._asked), _Handler)  # noqa: SLF001

    def server_bind(self) -> None:
        # Not HTTPServer's: that one looks the host's name up, which can take seconds.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def run(self) -> None:
        """Serve until stopped; blocks in the kernel, wakes up for nothing."""
        while not self._stopping:
            self.handle_request()
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._stopping:
            self.shutdown_request(request)
            return
        worker = threading.Thread(
            target=self._work, args=(request, client_address), name="metrics-request", daemon=True
        )
        with self._guard:
            self._clients.add(request)
            self._workers.add(worker)
            worker.start()  # inside: who stops may join only what was started

    def _work(self, request: socket.socket, client_address: Any) -> None:
        raw = request
        try:
            request.settimeout(_CLIENT_SECONDS)
            if self.owner._context is not None:  # noqa: SLF001
                request = self.owner._context.wrap_socket(request, server_side=True)  # noqa: SLF001
            self.finish_request(request, client_address)
        except OSError:
            pass  # the client went away, or did not speak TLS
        finally:
            self.shutdown_request(request)
            raw.close()
            with self._guard:
                self._clients.discard(raw)
                self._workers.discard(threading.current_thread())

    def stop(self) -> None:
        """Wake the thread that waits for a connection, and every worker that waits for a client."""
        self._stopping = True
        host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(  # noqa: S104
            str(self.server_address[0]), str(self.server_address[0])
        )
        try:
            socket.create_connection((host, self.server_port), timeout=1).close()
        except OSError:
            self.server_close()
        with self._guard:
            clients, workers = list(self._clients), list(self._workers)
        for client in clients:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        for worker in workers:
            worker.join(1)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client's trouble is not worth a traceback on stderr."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]
    server_version = "shared-observability"
    sys_version = ""

    def do_GET(self) -> None:
        owner = self.server.owner
        expected = owner._expected  # noqa: SLF001
        if expected is not None:
            given = self.headers.get("Authorization", "").encode("latin-1", "replace")
            if not hmac.compare_digest(given, expected):
                self._answer(
                    401, b"authentication needed\n", {"WWW-Authenticate": 'Basic realm="metrics"'}
                )
                return
        if self.path.partition("?")[0].rstrip("/") not in {"", "/metrics"}:
            self._answer(404, b"not found: the metrics are at /metrics\n")
            return
        try:
            encode, kind = choose_encoder(self.headers.get("Accept", ""))
            body = encode(owner._registry)  # noqa: SLF001
        except Exception as error:  # noqa: BLE001 - a collector of the application failed
            self._answer(500, f"a collector failed: {type(error).__name__}\n".encode())
            return
        headers = {"Content-Type": kind}
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            body = compress(body, 1)
            headers["Content-Encoding"] = "gzip"
        self._answer(200, body, headers)

    do_HEAD = do_GET  # noqa: N815

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (
            {"Content-Type": "text/plain; charset=utf-8"} | (headers or {})
        ).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Scrapes are not worth a log line."""


def _tls_context(tls: Any) -> ssl.SSLContext | None:
    if tls is None or isinstance(tls, ssl.SSLContext):
        return tls
    if not isinstance(tls, (tuple, list)) or len(tls) != 2:
        raise ValueError(f"tls must be (certificate, key) or an SSLContext, not {tls!r}")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*tls)
    return context


def _basic(auth: Any) -> bytes | None:
    if auth is None:
        return None
    if not isinstance(auth, (tuple, list)) or len(auth) != 2 or not all(auth):
        raise ValueError("auth must be (user, password), both non-empty")
    user, password = auth
    return b"Basic " + base64.b64encode(f"{user}:{password}".encode())
