"""A probe server: uvicorn in its own thread, with its own event loop.

Probes are answered no matter what the service does to its main thread and its loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import inspect
import logging
import os
import socket
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import uvicorn

from shared.core import checks
from shared.core.forks import renew

from .._base.callables import plain
from .._base.times import limit
from .._health import Health
from .._web.apps import asgi_app, send_response
from .._web.respond import Response
from .connection import Connection
from .protocol import BoundedProtocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import Self

    from .._base.status import HealthCheck
    from .._web.apps import ASGIApp, Receive, Send

FIRST_RESULTS = 0.25
"""Seconds that a start waits for the first results of the checks."""


class HealthServer:
    """Serves the probes of a `Health`, or of one `HealthCheck`, on their own port.

    Args:
        health: A `Health`; a `HealthCheck` is wrapped in one.
        port: 0 chooses a free one, see `port` once started.
        host: The address to listen on; if omitted, every IPv4 address, since the
            kubelet calls the pod's address.
        extra: More paths on the same port: an ASGI application, or a function
            without arguments that returns the body as str or bytes, or a (content type,
            body) pair; it runs in a worker thread, so it cannot delay a probe. An async
            one runs on the server's own loop.
        max_connections: The most open connections; one more closes the one that has
            been silent for longest.
        request_timeout: Seconds in which a client must have sent its request.

    Example:
        >>> from urllib.request import urlopen
        >>> with HealthServer(Health("orders"), port=0, host="127.0.0.1") as server:
        ...     urlopen(f"{server.url}/health/live").status
        200
    """

    def __init__(
        self,
        health: Health | HealthCheck,
        port: int = 8080,
        *,
        host: str = "0.0.0.0",  # noqa: S104 - the kubelet calls the pod's address
        extra: Mapping[str, ASGIApp | Callable[[], Any]] | None = None,
        max_connections: int = 128,
        request_timeout: float = 5.0,
    ) -> None:
        if not isinstance(health, Health):
            check, health = health, Health(type(health).__name__)
            health.add_check(check)
        for path, handler in (extra or {}).items():
            if not path.startswith("/"):
                raise checks.refuse("a path of extra", "a path such as '/metrics'", path)
            if not _is_asgi(handler):
                plain(f"extra[{path!r}]", handler)
        self.health: Health = health
        self.host: str = checks.text("host", host)
        self._wanted_port = checks.whole("port", port, least=0, most=65535)
        self._app = _with_extra(asgi_app(health), dict(extra or {}))
        self._max_connections = checks.whole("max_connections", max_connections)
        self._request_timeout = checks.seconds("request_timeout", request_timeout, above=0)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._socket: socket.socket | None = None
        self._server: _Server | None = None
        self._port: int | None = None
        renew(self)

    @property
    def port(self) -> int:
        """The port of the server; with port 0, known once started."""
        return self._wanted_port if self._port is None else self._port

    @property
    def url(self) -> str:
        """The address to call from this machine, such as `http://127.0.0.1:8080`."""
        return f"http://{_reachable(self.host)}:{self.port}"

    def start_in_background(self) -> Self:
        """Listen, start the checks, and return when the port answers.

        Waits up to 0.25 s more for the first results, so that quick checks already count.

        Returns:
            The server itself.

        Raises:
            OSError: The port is taken or not allowed; the error names host and port.
        """
        with self._lock:
            if self._thread is not None:
                return self
            sock = _listen(self.host, self._wanted_port)
            self._port = sock.getsockname()[1]
            self._socket = sock
            config = uvicorn.Config(
                self._app,
                http=self._protocol(),
                loop="asyncio",
                ws="none",
                lifespan="off",
                # The service configures its own logging.
                log_config=None,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                timeout_keep_alive=max(1, int(self._request_timeout)),
                timeout_graceful_shutdown=1,
                workers=1,
            )
            server = self._server = _Server(config, sock)
            self._thread = threading.Thread(
                target=_serve, args=(server, sock), name=f"health-server:{self._port}", daemon=True
            )
            self.health.start()
            self._thread.start()
            server.ready.wait()
        self.health.wait_first(FIRST_RESULTS)
        return self

    def _protocol(self) -> type[asyncio.Protocol]:
        open_ones: OrderedDict[BoundedProtocol, None] = OrderedDict()
        settings = (open_ones, self._max_connections, self._request_timeout)
        return type("BoundedProtocol", (BoundedProtocol,), {"settings": settings})

    def stop(self, timeout: float = 5.0) -> None:
        """Stop listening and end the thread and the checks. Harmless if stopped.

        Args:
            timeout: Seconds to wait for answers in progress; inf: no limit.
        """
        timeout = checks.seconds("timeout", timeout, unlimited=True)
        with self._lock:
            thread, server = self._thread, self._server
            self._thread = self._server = self._socket = None
            if thread is None or server is None:
                return
            server.stop()
            if thread is not threading.current_thread():
                thread.join(limit(timeout))
        self.health.stop()

    def __enter__(self) -> Self:
        return self.start_in_background()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def renew_after_fork(self) -> None:
        """In a child: close the parent's port, or clients would wait there for ever."""
        self._lock = threading.Lock()
        sock, self._socket = self._socket, None
        self._thread = self._server = None
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.close()


class _Server(uvicorn.Server):
    """uvicorn's server, with our own connections.

    It is stopped by an event, instead of polling ten times a second.
    """

    def __init__(self, config: uvicorn.Config, sock: socket.socket) -> None:
        super().__init__(config)
        self._socket = sock
        self.ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    async def main_loop(self) -> None:
        """Serve until stopped."""
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        await self.on_tick(0)
        self._listen()
        self.ready.set()
        try:
            await self._stop.wait()
        finally:
            self._loop.remove_reader(self._socket)

    def _listen(self) -> None:
        if self._loop is not None and not self.should_exit:
            self._loop.add_reader(self._socket, self._accept)

    def _accept(self) -> None:
        assert self._loop is not None
        try:
            sock, client = self._socket.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError:
            # Out of descriptors: the waiting client would wake the loop without end.
            self._loop.remove_reader(self._socket)
            self._loop.call_later(1.0, self._listen)
            return
        protocol: Any = self.config.http_protocol_class
        settings = {"config": self.config, "server_state": self.server_state, "app_state": {}}
        made = protocol(**settings, _loop=self._loop)
        Connection(self._loop, sock, client[:2], made).open()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the connections, even those still busy after their second of grace."""
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)  # they are notified of their end

    def stop(self) -> None:
        """Make the server end; from any thread."""
        self.should_exit = True
        if self._loop is not None and self._stop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)


def _serve(server: _Server, sock: socket.socket) -> None:
    # Only a selector's loop can wait for a plain socket; Windows' own cannot.
    with _quiet(), asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        try:
            runner.run(server.serve(sockets=[]))
        finally:
            sock.close()
            server.ready.set()  # no matter what happened, the starter must not wait for ever


@contextlib.contextmanager
def _quiet() -> Any:
    """Keep what uvicorn reports in this thread about its own start and stop out of the log."""
    me = threading.get_ident()

    def not_ours(record: logging.LogRecord) -> bool:
        return record.thread != me or record.levelno > logging.WARNING

    log = logging.getLogger("uvicorn.error")
    log.addFilter(not_ours)
    try:
        yield
    finally:
        log.removeFilter(not_ours)


def _reachable(host: str) -> str:
    """Return the host to call, for one to listen on."""
    host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared
    return f"[{host}]" if ":" in host else host


def _listen(host: str, port: int) -> socket.socket:
    """Bind in the caller's thread, so that the caller gets the error."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(128)
    except OSError as error:
        sock.close()
        what = "is already taken" if error.errno == errno.EADDRINUSE else "cannot be listened on"
        message = f"the probe address {host}:{port} {what}: {error.strerror or error}"
        raise OSError(error.errno, message) from error
    sock.setblocking(False)  # noqa: FBT003 - its only argument
    return sock


def _with_extra(probes: ASGIApp, extra: dict[str, Any]) -> ASGIApp:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        handler = extra.get(scope.get("path", ""))
        if handler is None:
            await probes(scope, receive, send)
        elif _is_asgi(handler):
            await handler(scope, receive, send)
        elif scope["method"] not in {"GET", "HEAD"}:
            headers = [("content-type", "text/plain; charset=utf-8"), ("allow", "GET, HEAD")]
            await send_response(send, Response(405, headers, b"method not allowed\n"))
        else:
            value = await asyncio.to_thread(handler)
            if hasattr(value, "__await__"):
                value = await value
            kind, body = value if isinstance(value, tuple) else ("text/plain; charset=utf-8", value)
            body = body.encode() if isinstance(body, str) else body
            headers = [("content-type", kind), ("cache-control", "no-store")]
            response = Response(200, headers, body)
            await send_response(send, response, head=scope["method"] == "HEAD")

    return app


def _is_asgi(handler: Any) -> bool:
    """Whether it accepts (scope, receive, send); prometheus_client's application does."""
    try:
        signature = inspect.signature(handler)
    except (TypeError, ValueError):
        return False
    required = [p for p in signature.parameters.values() if p.default is p.empty]
    return len([p for p in required if p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD}]) == 3
