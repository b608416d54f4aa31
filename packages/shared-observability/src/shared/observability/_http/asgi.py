"""TelemetryMiddleware: logs, RED metrics, spans and correlation ids of an ASGI application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from prometheus_client import REGISTRY, CollectorRegistry

from .._logging.servers import take_over
from .._logging.state import STATE
from .._record.propagation import CORRELATION_HEADER, extract
from .exchange import Exchange, Recorder, call_route, make_exclude

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
    lasts until the last byte of its answer: background tasks come after it. Websockets get only the
    context.

    Args:
        app: The application.
        name: The beginning of the metric names.
        logger: The name of the logger of request lines.
        route: Returns the route template of a scope after routing; by default that of Starlette
            and FastAPI, through included routers and mounted applications. None counts as
            "unmatched".
        exclude: Paths without a line, metric and span, such as `["/metrics", "/health*"]` (`*`
            stands for any text), or a function of the scope.
        buckets: The histogram's bounds in seconds; the client library's defaults if None.
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
        exclude: Iterable[str] | Callable[[Scope], bool] = (),
        buckets: Iterable[float] | None = None,
        registry: CollectorRegistry = REGISTRY,
    ) -> None:
        self.app = app
        self._recorder = Recorder(name, logger, registry, buckets)
        self._route = route
        self._excluded = make_exclude(exclude)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        kind = scope["type"]
        if kind == "http" and not self._excluded(scope["path"], scope):
            await self._http(scope, receive, send)
        elif kind in {"http", "websocket"}:
            with extract(scope["headers"]):
                await self.app(scope, receive, send)
        else:
            if STATE.intercepting:
                take_over()  # a server that configured its own logging after us
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
            if is_last(message):
                exchange.answered()
                if (exchange.status or 500) < 500:  # else an exception may follow
                    exchange.end(self._template(arrived, scope))

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
        # The outermost router: `scope["app"]` is by now the mounted application, if there is one.
        routes = routes_of(scope.get("router")) or routes_of(arrived.get("app") or self.app)
        root = scope.get("app_root_path", scope.get("root_path", ""))
        return starlette_template(routes, {**arrived, "root_path": root})


def is_last(message: Message) -> bool:
    """Whether a message of an application ends its answer."""
    kind = message["type"]
    if kind == "http.response.body":
        return not message.get("more_body", False)
    return bool(kind == "http.response.pathsend")


def routes_of(app: Any) -> Any:
    """Return the routes of an application, also inside other middleware."""
    for _ in range(50):
        routes = getattr(app, "routes", None)
        if routes or app is None:
            return routes or ()
        app = getattr(app, "app", None)
    return ()


def starlette_template(routes: Any, scope: Scope) -> str | None:
    """Return the template of the route that matches a request, through mounts and hosts.

    It uses the routes' own `matches`, which every version of Starlette has, and the effective
    routes of what newer versions of FastAPI put in the place of an included router.
    """
    partial = None
    for route in routes:
        try:
            match, child = route.matches(scope)
        except Exception:  # noqa: BLE001, S112 - a route of another kind; the request has its answer
            continue
        if match.value == 0:
            continue
        found = _template_below(route, {**scope, **child})
        if match.value == 2:
            return found
        partial = partial or found  # the path fits, the method does not
    return partial


def _template_below(route: Any, scope: Scope) -> str | None:
    included = getattr(route, "effective_route_contexts", None)
    if included is not None:
        inside = (getattr(one, "starlette_route", None) or one for one in included())
        return starlette_template(inside, scope)
    path = getattr(route, "path_format", None) or getattr(route, "path", None) or ""
    if hasattr(route, "methods") or not hasattr(route, "app"):
        return path if isinstance(path, str) else None
    inner = routes_of(route)
    if not inner:  # a mounted application of another kind, such as static files
        return path or None
    below = starlette_template(inner, scope)
    return None if below is None else path.removesuffix("/{path}") + below
