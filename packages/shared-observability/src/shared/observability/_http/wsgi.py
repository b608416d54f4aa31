"""WSGITelemetryMiddleware: logs, RED metrics, spans and correlation ids of a WSGI application."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from prometheus_client import REGISTRY, CollectorRegistry

from .._record.propagation import CORRELATION_HEADER, extract
from .exchange import Exchange, Recorder, call_route, make_exclude

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
App = Callable[[Environ, StartResponse], Iterable[bytes]]


class WSGITelemetryMiddleware:
    """Observes every request of a WSGI application, like `TelemetryMiddleware` for ASGI.

    WSGI has no common place for the route template. It comes from
    `environ["observability.route"]`, which the application sets, or from `route`; otherwise the
    request counts as "unmatched".

    Args:
        app: The application.
        name: The beginning of the metric names.
        logger: The name of the logger of request lines.
        route: Returns the route template of an environ after routing.
        exclude: Paths without a line, metric and span, as in `TelemetryMiddleware`, or a function
            of the environ.
        buckets: The histogram's bounds in seconds; the client library's defaults if None.
        registry: Where the metrics are registered.

    Example:
        >>> def app(environ, start_response):
        ...     environ["observability.route"] = "/users/{id}"
        ...     start_response("200 OK", [])
        ...     return [b"hello"]
        >>> observed = WSGITelemetryMiddleware(app, name="doc_wsgi")
    """

    def __init__(
        self,
        app: App,
        *,
        name: str = "http",
        logger: str = "http",
        route: Callable[[Environ], str | None] | None = None,
        exclude: Iterable[str] | Callable[[Environ], bool] = (),
        buckets: Iterable[float] | None = None,
        registry: CollectorRegistry = REGISTRY,
    ) -> None:
        self.app = app
        self._recorder = Recorder(name, logger, registry, buckets)
        self._route = route
        self._excluded = make_exclude(exclude)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        # Its own context: the server closes the answer later, perhaps between other requests.
        context = contextvars.copy_context()
        return context.run(self._serve, context, environ, start_response)

    def _serve(
        self, context: contextvars.Context, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        headers = [
            (key[5:].replace("_", "-"), value)
            for key, value in environ.items()
            if key.startswith("HTTP_")
        ]
        path = (environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")) or "/"
        if self._excluded(path, environ):
            extract(headers).__enter__()  # left with the context
            return _Body(context, self.app(environ, start_response), lambda _error: None)
        exchange = Exchange(self._recorder, environ["REQUEST_METHOD"], path, headers)

        def observed_start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            exchange.status = int(status.split(" ", 1)[0])
            kept = [pair for pair in headers if pair[0].lower() != CORRELATION_HEADER]
            kept.append((CORRELATION_HEADER, exchange.correlation_id))
            return start_response(status, kept, *more)

        def end(error: BaseException | None = None) -> None:
            exchange.end(self._template(environ), error)

        exchange.start()
        exchange.incoming.__enter__()  # left with the context
        try:
            body = self.app(environ, observed_start)
        except BaseException as error:
            end(error)
            raise
        return _Body(context, body, end)

    def _template(self, environ: Environ) -> str | None:
        if self._route is not None:
            return call_route(self._route, environ)
        route = environ.get("observability.route")
        return route if isinstance(route, str) else None


class _Body:
    """The answer's body; every step runs in the request's context."""

    def __init__(
        self,
        context: contextvars.Context,
        body: Iterable[bytes],
        end: Callable[[BaseException | None], None],
    ) -> None:
        self._context = context
        self._body = body
        self._steps: Iterator[bytes] | None = None
        self._end = end

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return self._context.run(self._next)

    def _next(self) -> bytes:
        try:
            if self._steps is None:
                self._steps = iter(self._body)
            return next(self._steps)
        except StopIteration:
            self._end(None)
            raise
        except BaseException as error:
            self._end(error)
            raise

    def close(self) -> None:
        """End the request; the server always calls it."""
        self._context.run(self._close)

    def _close(self) -> None:
        error: BaseException | None = None
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        except BaseException as caught:
            error = caught
            raise
        finally:
            self._end(error)
