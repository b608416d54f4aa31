"""TelemetryMiddleware: logs, RED metrics, spans and correlation ids of an ASGI application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from prometheus_client import REGISTRY, CollectorRegistry

from .._record.propagation import CORRELATION_HEADER, extract
from .exchange import Exchange, Recorder, call_route

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class TelemetryMiddleware:
    """Observes every HTTP request of an ASGI application.

    It writes one log line per request, counts `NAME_requests_total`, `NAME_errors_total` and
    `NAME_request_duration_seconds` by method and route template (never by raw path), continues
    the caller's trace with a server span, and passes the correlation id in and out. A request
    lasts until the last byte of its answer. Websockets get only the context.

    Args:
        app: The application.
        name: The beginning of the metric names.
        logger: The name of the logger of request lines.
        route: Returns the route template of a scope after routing; by default that of Starlette
            and FastAPI. None counts as "unmatched".
        registry: Where the metrics are registered.

    Example:
        >>> async def app(scope, receive, send): ...
        >>> observed = TelemetryMiddleware(app, name="doc_asgi")
    """

    def __init__(
        self,
        app: App,
        *,
        name: str = "http",
        logger: str = "http",
        route: Callable[[Scope], str | None] | None = None,
        registry: CollectorRegistry = REGISTRY,
    ) -> None:
        self.app = app
        self._recorder = Recorder(name, logger, registry)
        self._route = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            with extract(scope["headers"]):
                await self.app(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        arrived = dict(scope)  # routing changes the scope
        exchange = Exchange(self._recorder, scope["method"], scope["path"], scope["headers"])
        pair = (CORRELATION_HEADER.encode(), exchange.correlation_id.encode())

        async def observed_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                kept = [h for h in message.get("headers", ()) if bytes(h[0]).lower() != pair[0]]
                message = {**message, "headers": [*kept, pair]}
            await send(message)

        exchange.start()
        with exchange.incoming:
            try:
                await self.app(scope, receive, observed_send)
            except BaseException as error:
                exchange.end(self._template(arrived, scope), error)
                raise
            exchange.end(self._template(arrived, scope))

    def _template(self, arrived: Scope, scope: Scope) -> str | None:
        if self._route is not None:
            return call_route(self._route, scope)
        routes = getattr(scope.get("app"), "routes", None)
        if routes is not None:
            return starlette_template(routes, arrived)
        # A router without an application around it.
        route = scope.get("route")
        path = getattr(route, "path_format", None) or getattr(route, "path", None)
        return path if isinstance(path, str) else None


def starlette_template(routes: Any, scope: Scope) -> str | None:
    """Return the template of the route that matches a request, through mounts and hosts.

    It uses the routes' own `matches`, which every version of Starlette has.
    """
    partial = None
    for route in routes:
        try:
            match, child = route.matches(scope)
        except (AttributeError, KeyError):
            continue
        if match.value == 0:
            continue
        path = getattr(route, "path_format", None) or getattr(route, "path", None) or ""
        inner = getattr(route, "routes", None)
        if inner:
            below = starlette_template(inner, {**scope, **child})
            found = None if below is None else path.removesuffix("/{path}") + below
        elif hasattr(route, "app") and not hasattr(route, "methods") and path.endswith("/{path}"):
            found = path  # a mounted application of another kind, such as static files
        else:
            found = path
        if found is not None:
            if match.value == 2:
                return found
            partial = partial or found  # the path fits, the method does not
    return partial
