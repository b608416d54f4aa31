"""Setting up tracing in one call; without the SDK it warns once and does nothing."""

from __future__ import annotations

import atexit
import sys
import threading
import time
import warnings
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from opentelemetry import trace

from shared.core import checks, forks

from .state import TRACING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

_EXPORTERS: Final = ("otlp", "console", "none")
_EXIT_SECONDS: Final = 2.0
_lock = threading.RLock()
_warned = False
_current: Tracer | None = None


@dataclass(frozen=True, slots=True)
class TracingConfig:
    """The settings of `setup_tracing`.

    Args:
        service_name: The resource attribute `service.name` of every span.
        exporter_type: "otlp" (OTLP over HTTP, protobuf), "console" or "none".
        otlp_endpoint: The collector's base URL or full traces URL; None means
            `OTEL_EXPORTER_OTLP_*`, else http://localhost:4318.
        sample_ratio: The share of traces that are recorded, from 0 to 1; a caller's decision
            comes first.
        headers: Extra headers for the collector, such as an API key.

    Raises:
        ValueError: An empty name, an unknown exporter, a ratio outside 0 to 1, or not a URL.
        TypeError: The name is not a string, or the ratio is not a number.

    Example:
        >>> TracingConfig("shop", exporter_type="none").sample_ratio
        1.0
    """

    service_name: str = "service"
    exporter_type: Literal["otlp", "console", "none"] = "otlp"
    _: KW_ONLY
    otlp_endpoint: str | None = None
    sample_ratio: float = 1.0
    headers: dict[str, str] | None = field(default=None, repr=False)  # may hold an API key

    def __repr__(self) -> str:
        from shared.core.redaction import scrub

        names = ("service_name", "exporter_type", "otlp_endpoint", "sample_ratio")
        return scrub(f"TracingConfig({', '.join(f'{n}={getattr(self, n)!r}' for n in names)})")

    def __post_init__(self) -> None:
        checks.text("service_name", self.service_name, empty=False)
        checks.choice("exporter_type", self.exporter_type, _EXPORTERS)
        checks.number("sample_ratio", self.sample_ratio, least=0, most=1)
        endpoint = self.otlp_endpoint
        if endpoint is not None and not str(endpoint).startswith(("http://", "https://")):
            raise checks.refuse("otlp_endpoint", "an http(s) URL", endpoint)


class Tracer:
    """The tracing of this process; created by `setup_tracing`.

    Use `trace_span` for spans.

    Attributes:
        otel: OpenTelemetry's own tracer.
        provider: OpenTelemetry's provider; None without the SDK.
    """

    def __init__(self, provider: TracerProvider | None, exporter: _Watched | None) -> None:
        self.provider = provider
        self._exporter = exporter
        self._result: bool | None = None
        source: Any = provider or trace.NoOpTracerProvider()
        self.otel: trace.Tracer = source.get_tracer("shared.observability")

    @property
    def recording(self) -> bool:
        """Whether spans are recorded."""
        return self.provider is not None and self._result is None

    def start_span(self, name: str, **attributes: Any) -> trace.Span:
        """Start a span without making it current; end it with `.end()`."""
        return self.otel.start_span(name, attributes=attributes)

    def flush(self, timeout: float = 5.0) -> bool:
        """Export the recorded spans.

        Args:
            timeout: Seconds.

        Returns:
            Whether all spans reached the collector in time.
        """
        return self._within(timeout, lambda provider: provider.force_flush(int(timeout * 1000)))

    def shutdown(self, timeout: float = 5.0) -> bool:
        """Export the recorded spans and stop; never wait longer than `timeout`.

        Args:
            timeout: Seconds.

        Returns:
            Whether all spans reached the collector in time. A second call returns the result of
            the first.
        """
        global _current  # noqa: PLW0603 - the tracing of the process
        with _lock:
            if self._result is not None:
                return self._result
            self._result = False
            if _current is self:
                _current = TRACING.tracer = None
        self._result = self._within(timeout, lambda provider: provider.shutdown())
        return self._result

    def _within(self, timeout: float, action: Any) -> bool:
        provider, exporter = self.provider, self._exporter
        if provider is None:
            return True
        # The SDK's own time limits do not apply to a collector that accepts and is silent.
        worker = threading.Thread(target=action, args=(provider,), name="tracing-end", daemon=True)
        end = time.monotonic() + timeout
        try:
            worker.start()
        except RuntimeError:  # the interpreter is shutting down
            return False
        worker.join(max(0.0, end - time.monotonic()))
        return not worker.is_alive() and (exporter is None or exporter.failed == 0)


class _Watched:
    """An exporter that counts lost spans."""

    def __init__(self, inner: SpanExporter) -> None:
        self.inner = inner
        self.failed: int = 0

    def export(self, spans: Sequence[ReadableSpan]) -> Any:
        from opentelemetry.sdk.trace.export import SpanExportResult

        result = SpanExportResult.FAILURE
        try:
            result = self.inner.export(spans)
        finally:
            if result is not SpanExportResult.SUCCESS:
                self.failed += len(spans)
        return result

    def shutdown(self) -> None:
        self.inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self.inner.force_flush(timeout_millis)


def setup_tracing(config: TracingConfig | None = None, **settings: Any) -> Tracer:
    """Set up tracing for the process; a second call replaces the first.

    Args:
        config: The configuration.
        **settings: The fields of `TracingConfig`, if there is no config.

    Returns:
        The tracer, with `shutdown(timeout)`. At interpreter exit it is shut down within 2 s.

    Raises:
        TypeError: Both a config and settings, or an unknown setting.
        ValueError: A setting is invalid.

    Example:
        >>> tracer = setup_tracing(TracingConfig("shop", exporter_type="none"))
        >>> tracer.shutdown(1)
        True
    """
    global _current, _warned  # noqa: PLW0603 - the tracing of the process
    if config is not None and settings:
        raise TypeError("pass either a TracingConfig or settings, not both")
    if config is None:
        config = TracingConfig(**settings)
    elif not isinstance(config, TracingConfig):
        raise checks.refuse("config", "a TracingConfig", config, TypeError)
    with _lock:
        old = _current
        try:
            provider, exporter = _build(config)
        except ImportError as error:
            if not _warned:
                _warned = True
                warnings.warn(
                    f"tracing is off: {error.name or error} is not installed;"
                    " install shared-observability[otlp]",
                    stacklevel=2,
                )
            return Tracer(None, None)
        _current = Tracer(provider, exporter)
        _install()
        TRACING.tracer = _current.otel
    if old is not None:
        old.shutdown(_EXIT_SECONDS)
    return _current


def _build(config: TracingConfig) -> tuple[TracerProvider, _Watched | None]:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import (
        BatchSpanProcessor,
        ConsoleSpanExporter,
        SimpleSpanProcessor,
    )
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(config.sample_ratio)),
        resource=Resource.create({"service.name": config.service_name}),
        shutdown_on_exit=False,
    )
    if config.exporter_type == "none":
        return provider, None
    if config.exporter_type == "console":
        console = _Watched(ConsoleSpanExporter(out=sys.stdout))
        provider.add_span_processor(SimpleSpanProcessor(console))  # type: ignore[arg-type]
        return provider, console
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    endpoint = config.otlp_endpoint
    if endpoint is not None and not endpoint.rstrip("/").endswith("/v1/traces"):
        endpoint = endpoint.rstrip("/") + "/v1/traces"
    exporter = _Watched(OTLPSpanExporter(endpoint=endpoint, headers=config.headers))
    provider.add_span_processor(BatchSpanProcessor(exporter))  # type: ignore[arg-type]
    return provider, exporter


class _Switch(trace.TracerProvider):
    """The global provider, which can be set only once: passes on to the active one."""

    def get_tracer(self, *args: Any, **kwargs: Any) -> trace.Tracer:
        return _SwitchTracer(args, kwargs)


class _SwitchTracer(trace.Tracer):
    def __init__(self, args: Any, kwargs: Any) -> None:
        self._made_with = args, kwargs
        self._for: object = None
        self._tracer: trace.Tracer = trace.NoOpTracer()

    def _active(self) -> trace.Tracer:
        active = _current
        if self._for is not active:
            args, kwargs = self._made_with
            provider: Any = active.provider if active else None
            self._tracer = provider.get_tracer(*args, **kwargs) if provider else trace.NoOpTracer()
            self._for = active
        return self._tracer

    def start_span(self, *args: Any, **kwargs: Any) -> trace.Span:
        return self._active().start_span(*args, **kwargs)

    def start_as_current_span(self, *args: Any, **kwargs: Any) -> Any:
        return self._active().start_as_current_span(*args, **kwargs)


def _install() -> None:
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        TRACING.switch = _Switch()
        trace.set_tracer_provider(TRACING.switch)


@forks.after_fork
def _renew() -> None:
    global _lock  # noqa: PLW0603 - the lock of the module
    _lock = threading.RLock()


@atexit.register
def _at_exit() -> None:
    if _current is not None:
        _current.shutdown(_EXIT_SECONDS)
