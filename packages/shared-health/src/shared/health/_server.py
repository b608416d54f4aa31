"""A probe server: uvicorn in a thread of its own, with an event loop of its own.

Whatever the service does to its main thread and its loop, probes are answered here.
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
import weakref
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from ._apps import asgi_app, send_response
from ._connection import Connection
from ._health import Health
from ._respond import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._apps import ASGIApp, Receive, Send
    from ._status import HealthCheck

FIRST_RESULTS = 0.25
"""Seconds that a start waits for the first results of the checks."""


class HealthServer:
    """Serves the probes of a `Health`, or of one `HealthCheck`, on a port of their own.

    Args:
        health: a `Health`; a `HealthCheck` is put into one.
        port: 0 takes a free one, see `port` once started.
        host: the address to listen on; every IPv4 address where not given, for the
            kubelet calls the pod's address.
        extra: more paths on the same port: an ASGI application, or a function
            without arguments that returns the body as str or bytes, or a (content type,
            body) pair; it runs in a worker thread, so it cannot delay a probe.
        max_connections: open connections at once; one more closes the one that has
            been silent for longest.
        request_timeout: seconds in which a client must have sent its request.

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
        host: str = "0.0.0.0",  # noqa: S104
        *,
        extra: Mapping[str, ASGIApp | Callable[[], Any]] | None = None,
        max_connections: int = 128,
        request_timeout: float = 5.0,
    ) -> None:
        if not isinstance(health, Health):
            check, health = health, Health(type(health).__name__)
            health.add_check(check)
        _check_port(port)
        if max_connections < 1:
            raise ValueError(f"max_connections must be 1 or more, not {max_connections!r}")
        for path in extra or ():
            if not path.startswith("/"):
                raise ValueError(f"a path of extra must begin with '/', not {path!r}")
        self.health = health
        self.host = host
        self._wanted_port = port
        self._app = _with_extra(asgi_app(health), dict(extra or {}))
        self._max_connections = max_connections
        self._request_timeout = request_timeout
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._socket: socket.socket | None = None
        self._server: _Server | None = None
        self._port: int | None = None
        _EVERY.add(self)

    @property
    def port(self) -> int:
        """The port that is listened on; with port 0, known once started."""
        return self._wanted_port if self._port is None else self._port

    @property
    def url(self) -> str:
        """The address to call from this machine, such as ``http://127.0.0.1:8080``."""
        host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def start_in_background(self) -> HealthServer:
        """Listen, start the checks, and return when the port answers.

        Waits up to 0.25 s more for the first results, so that quick checks already count.

        Returns:
            The server itself.

        Raises:
            OSError: the port is taken or not allowed; names host and port.
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
                # The service's own logging is none of our business.
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
        open_ones: OrderedDict[_Bounded, None] = OrderedDict()
        settings = (open_ones, self._max_connections, self._request_timeout)
        return type("BoundedProtocol", (_Bounded,), {"settings": settings})

    def stop(self, timeout: float = 5.0) -> None:
        """Stop listening and end the thread and the checks. Harmless when stopped.

        Args:
            timeout: seconds to wait for answers that are under way.
        """
        with self._lock:
            thread, server = self._thread, self._server
            self._thread = self._server = self._socket = None
            if thread is None or server is None:
                return
            server.stop()
            if thread is not threading.current_thread():
                thread.join(timeout)
        self.health.stop()

    def __enter__(self) -> HealthServer:  # noqa: PYI034  not meant to be subclassed
        return self.start_in_background()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _after_fork(self) -> None:
        # A child must not keep the parent's port open: clients would wait there for ever.
        self._lock = threading.Lock()
        sock, self._socket = self._socket, None
        self._thread = self._server = None
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.close()


class _Server(uvicorn.Server):
    """uvicorn's server, with connections of our own.

    It is told to stop by an event, instead of asking ten times a second.
    """

    def __init__(self, config: uvicorn.Config, sock: socket.socket) -> None:
        super().__init__(config)
        self._socket = sock
        self.ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    async def main_loop(self) -> None:
        """Serve until told to stop."""
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
            # Out of descriptors: what waits would wake the loop without end.
            self._loop.remove_reader(self._socket)
            self._loop.call_later(1.0, self._listen)
            return
        protocol: Any = self.config.http_protocol_class
        settings = {"config": self.config, "server_state": self.server_state, "app_state": {}}
        made = protocol(**settings, _loop=self._loop)
        Connection(self._loop, sock, client[:2], made).open()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the connections, those too that are still busy after their second of grace."""
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)  # they are told that they are lost

    def stop(self) -> None:
        """Ask the server to end; from any thread."""
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
            server.ready.set()  # whatever happened, the starter must not wait for ever


@contextlib.contextmanager
def _quiet() -> Any:
    """Keep what uvicorn says in this thread about its own start and stop out of the log."""
    me = threading.get_ident()

    def not_ours(record: logging.LogRecord) -> bool:
        return record.thread != me or record.levelno > logging.WARNING

    log = logging.getLogger("uvicorn.error")
    log.addFilter(not_ours)
    try:
        yield
    finally:
        log.removeFilter(not_ours)


class _Bounded(H11Protocol):
    """uvicorn's protocol for a bounded number of connections.

    uvicorn's own limit answers 503 and keeps the connection, and one that sends nothing
    may stay for ever. Here a silent one is closed, and the longest silent one makes
    room: the kubelet's probe always gets in.
    """

    settings: tuple[OrderedDict[_Bounded, None], int, float]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.access_log = False
        self._request_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        open_ones, limit, patience = self.settings
        super().connection_made(transport)
        if len(open_ones) >= limit:
            oldest = next((c for c in open_ones if not c._answering), next(iter(open_ones)))  # noqa: SLF001
            del open_ones[oldest]
            oldest.transport.abort()
        open_ones[self] = None
        self._request_timer = self.loop.call_later(patience, self._give_up, patience)

    @property
    def _answering(self) -> bool:
        cycle: Any = self.cycle  # None before the first request
        return cycle is not None and not cycle.response_complete

    def _give_up(self, patience: float) -> None:
        if self._answering:
            self._request_timer = self.loop.call_later(patience, self._give_up, patience)
        else:
            self.transport.abort()

    def on_response_complete(self) -> None:
        open_ones, _, patience = self.settings
        self.transport.flush()  # type: ignore[attr-defined]  # a Connection
        if self in open_ones:
            open_ones.move_to_end(self)
        if self._request_timer is not None:
            self._request_timer.cancel()
            self._request_timer = self.loop.call_later(patience, self._give_up, patience)
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self.settings[0].pop(self, None)
        if self._request_timer is not None:
            self._request_timer.cancel()
        super().connection_lost(exc)


def _check_port(port: object) -> None:
    if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port <= 65535:
        raise ValueError(f"port must be a whole number from 0 to 65535, not {port!r}")


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
    sock.setblocking(False)  # noqa: FBT003  its only argument
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
            kind, body = value if isinstance(value, tuple) else ("text/plain; charset=utf-8", value)
            body = body.encode() if isinstance(body, str) else body
            headers = [("content-type", kind), ("cache-control", "no-store")]
            response = Response(200, headers, body)
            await send_response(send, response, head=scope["method"] == "HEAD")

    return app


def _is_asgi(handler: Any) -> bool:
    """Whether it takes (scope, receive, send); prometheus_client's application does."""
    try:
        signature = inspect.signature(handler)
    except (TypeError, ValueError):
        return False
    required = [p for p in signature.parameters.values() if p.default is p.empty]
    return len([p for p in required if p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD}]) == 3


_EVERY: weakref.WeakSet[HealthServer] = weakref.WeakSet()


def _after_fork() -> None:
    for server in list(_EVERY):
        server._after_fork()  # noqa: SLF001


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
