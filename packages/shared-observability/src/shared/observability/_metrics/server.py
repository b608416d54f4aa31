"""An HTTP server for Prometheus to scrape: prometheus-client's, with authentication and an end."""

from __future__ import annotations

import base64
import contextlib
import hmac
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Any, Final, Self
from wsgiref.simple_server import WSGIRequestHandler

from prometheus_client import REGISTRY, CollectorRegistry, make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

from shared.core import checks, forks

from .workers import several_workers, workers_registry

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable
    from types import TracebackType

_CLIENT_SECONDS: Final = 10.0  # a client that is silent for longer is disconnected
_LOCAL: Final = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104 - as connected to


class MetricsServer:
    """Serves `/metrics` from a background thread.

    With `PROMETHEUS_MULTIPROC_DIR` set, it may be started in every worker of a service: they share
    the port, and any of them answers for all, without the live gauges of workers that have died.
    In a forked child it is stopped, and can be started there.

    Args:
        port: 0 lets the system choose; `.port` is the real one.
        host: The address to listen on; all addresses by default, because scrapers run elsewhere.
        tls: The paths of a certificate chain and its key, or an `ssl.SSLContext`.
        auth: User name and password for basic authentication.
        registry: What to serve; prometheus-client's default registry.

    Raises:
        ValueError: A port outside 0 to 65535, or an incomplete tls or auth.
        TypeError: The port is not a number.

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
        host: str = "0.0.0.0",  # noqa: S104 - scrapers run elsewhere
        *,
        tls: tuple[str | os.PathLike[str], str | os.PathLike[str]] | ssl.SSLContext | None = None,
        auth: tuple[str, str] | None = None,
        registry: CollectorRegistry = REGISTRY,
    ) -> None:
        self._asked = checks.whole("port", port, least=0, most=65535)
        self.host = host
        self._context = _tls_context(tls)
        self._shared = registry is REGISTRY and several_workers()
        served = workers_registry() if self._shared else registry
        self._app = _guard(make_wsgi_app(served), _basic(auth))
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.RLock()
        forks.renew(self)

    def renew_after_fork(self) -> None:
        """Close the child's copies of the sockets: the parent serves on."""
        self._lock = threading.RLock()
        server, self._server, self._thread = self._server, None, None
        if server is not None:
            server.abandon()

    @property
    def port(self) -> int:
        """The port it listens on; the requested one while it is not running."""
        return self._server.server_port if self._server else self._asked

    @property
    def url(self) -> str:
        """The address of the metrics for a local client."""
        host = _LOCAL.get(self.host, self.host)
        host = f"[{host}]" if ":" in host else host
        return f"{'https' if self._context else 'http'}://{host}:{self.port}/metrics"

    def start_in_background(self) -> Self:
        """Listen and return; a second call does nothing.

        Raises:
            OSError: It cannot listen on the address; the message names host and port.
        """
        with self._lock:
            if self._server is not None:
                return self
            try:
                server = _Server(self.host, self._asked, self._app, self._context, self._shared)
            except OSError as error:
                place = f"{self.host}:{self._asked}"
                reason = f"cannot serve metrics on {place}: {error.strerror}"
                raise type(error)(error.errno, reason) from error
            name = f"metrics-server-{server.server_port}"
            self._thread = threading.Thread(target=server.run, name=name, daemon=True)
            self._thread.start()
            self._server = server
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
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


class _Server(ThreadingWSGIServer):
    """The library's server, which can be stopped at any time: it knows its connections."""

    request_queue_size = 64

    def __init__(
        self, host: str, port: int, app: Any, context: ssl.SSLContext | None, shared: bool
    ) -> None:
        self._context = context
        self._shared = shared
        self._stopping = False
        self._clients: dict[threading.Thread, socket.socket] = {}
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, port), _Handler)
        self.set_app(app)

    def server_bind(self) -> None:
        # Not HTTPServer's: that one looks up the host's name, which can take seconds.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self._shared and hasattr(socket, "SO_REUSEPORT"):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]
        self.setup_environ()

    def run(self) -> None:
        """Serve until stopped; without a timeout the thread wakes only for connections."""
        while not self._stopping:
            self.handle_request()
        self.server_close()
        for worker, client in list(self._clients.items()):
            with contextlib.suppress(OSError):
                socket.socket.shutdown(client, socket.SHUT_RDWR)
            worker.join(1)

    def process_request(self, request: Any, client_address: Any) -> None:
        work, given = self.process_request_thread, (request, client_address)
        worker = threading.Thread(target=work, args=given, name="metrics-request", daemon=True)
        self._clients[worker] = request
        worker.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection; a TLS handshake must not delay the others either."""
        me = threading.current_thread()
        try:
            request.settimeout(_CLIENT_SECONDS)
            if self._context is not None:
                request = self._clients[me] = self._context.wrap_socket(
                    request, server_side=True, do_handshake_on_connect=False
                )
                request.do_handshake()
            self.finish_request(request, client_address)
        except OSError:
            pass  # the client went away, or did not speak TLS
        finally:
            self.shutdown_request(request)
            del self._clients[me]

    def stop(self) -> None:
        """Wake the thread that waits for a connection."""
        self._stopping = True
        with contextlib.suppress(OSError):  # Linux wakes the thread; others need a connection
            self.socket.shutdown(socket.SHUT_RDWR)
            return
        host, port = str(self.server_address[0]), self.server_port
        try:
            socket.create_connection((_LOCAL.get(host, host), port), timeout=1).close()
        except OSError:
            self.server_close()

    def abandon(self) -> None:
        """Close the copies of a forked child."""
        self._stopping = True
        for one in (self.socket, *self._clients.values()):
            with contextlib.suppress(OSError):
                one.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore the failure of a client: it is not worth a traceback on stderr."""


class _Handler(WSGIRequestHandler):
    server_version = "shared-observability"
    sys_version = ""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Log nothing: scrapes are not worth a line."""


def _guard(app: Any, expected: bytes | None) -> Callable[[Any, Any], Iterable[bytes]]:
    """Return the library's application for `/metrics` alone, behind basic authentication."""

    def guarded(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        def answer(status: str, text: str, *headers: tuple[str, str]) -> list[bytes]:
            start_response(status, [("Content-Type", "text/plain; charset=utf-8"), *headers])
            return [f"{text}\n".encode()]

        given = environ.get("HTTP_AUTHORIZATION", "").encode("latin-1", "replace")
        if expected is not None and not hmac.compare_digest(given, expected):
            realm = ("WWW-Authenticate", 'Basic realm="metrics"')
            return answer("401 Unauthorized", "authentication needed", realm)
        if environ["PATH_INFO"].rstrip("/") not in {"", "/metrics"}:
            return answer("404 Not Found", "not found: the metrics are at /metrics")
        try:
            body: Iterable[bytes] = app(environ, start_response)
        except Exception as error:  # noqa: BLE001 - a collector of the application failed
            reason = f"a collector failed: {type(error).__name__}"
            return answer("500 Internal Server Error", reason)
        return body

    return guarded


def _tls_context(tls: Any) -> ssl.SSLContext | None:
    if tls is None or isinstance(tls, ssl.SSLContext):
        return tls
    if not isinstance(tls, (tuple, list)) or len(tls) != 2:
        raise checks.refuse("tls", "(certificate, key) or an SSLContext", tls)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*tls)
    return context


def _basic(auth: Any) -> bytes | None:
    if auth is None:
        return None
    if not isinstance(auth, (tuple, list)) or len(auth) != 2 or not all(auth):
        raise checks.refuse("auth", "(user, password), both not empty", auth)
    user, password = auth
    return b"Basic " + base64.b64encode(f"{user}:{password}".encode())
