"""The health of a service: its checks, and the ways to publish what they found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._run.registry import Registry
from ._web.apps import asgi_app, wsgi_app
from ._web.metrics import instrument_opentelemetry, instrument_prometheus

if TYPE_CHECKING:
    from ._web.apps import ASGIApp, WSGIApp


class Health(Registry):
    """The checks of a service and the answers of its probes.

    Args:
        service: The name on the status page and in the answers.
        version: The version of the service.
        token: A client that sends it as `Authorization: Bearer ...` may see details from
            anywhere. Without one, only loopback may see details.
        started: False keeps `/health/startup` and `/health/ready` failing until
            `mark_started` is called, no matter what the checks find.
        clock: Seconds that never jump.

    Example:
        >>> health = Health("orders", "1.4.0")
        >>> health.add("answer", lambda: 6 * 7 == 42, interval=5)
        >>> with health:
        ...     health.refresh()
        ...     health.report("ready").status.value
        'healthy'
    """

    def asgi_app(self, app: ASGIApp | None = None) -> ASGIApp:
        """Return an ASGI application that answers the probes, to mount on the service's port.

        Args:
            app: The application for every other path; if omitted, they are answered with 404.
        """
        return asgi_app(self, app)

    def wsgi_app(self, app: WSGIApp | None = None) -> WSGIApp:
        """Return a WSGI application that answers the probes.

        Args:
            app: The application for every other path; if omitted, they are answered with 404.
        """
        return wsgi_app(self, app)

    def instrument(self, *, prometheus: Any = None, opentelemetry: Any = None) -> None:
        """Publish gauges of each check: status, failures in a row, latency, age of the last pass.

        They are computed when they are collected.

        Args:
            prometheus: A `CollectorRegistry` of prometheus-client.
            opentelemetry: A `MeterProvider` of OpenTelemetry.

        Raises:
            RuntimeError: The library is not installed; the error names the extra.
        """
        if prometheus is not None:
            instrument_prometheus(self, prometheus)
        if opentelemetry is not None:
            instrument_opentelemetry(self, opentelemetry)
