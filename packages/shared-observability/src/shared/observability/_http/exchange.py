"""What both middlewares share: one observed HTTP request."""

from __future__ import annotations

import re
import sys
import time
import uuid
from typing import TYPE_CHECKING, Any, Final, TypeVar

from prometheus_client import REGISTRY, CollectorRegistry

from shared.core import checks

from .._base.calls import is_failure
from .._logging.state import STATE
from .._metrics.metrics import counter, gauge, histogram
from .._record.context import EMPTY
from .._record.propagation import extract
from .._tracing.spans import record_error
from .._tracing.state import current_tracer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .._record.propagation import Headers

R = TypeVar("R")
_METHODS: Final = frozenset(
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"]
)
UNMATCHED: Final = "unmatched"


def call_route(route: Callable[[Any], R], request: Any) -> R | None:
    """Call the application's own function; its failure must not become the request's."""
    try:
        return route(request)
    except Exception:  # noqa: BLE001 - whatever it raises
        return None


def make_exclude(exclude: Iterable[str] | Callable[[Any], bool]) -> Callable[[str, Any], bool]:
    """Return a function of the path and the request: whether it is left out."""
    if callable(exclude):
        chosen = exclude
        return lambda _path, request: call_route(chosen, request) is True
    if isinstance(exclude, str):
        raise checks.refuse("exclude", "a collection of paths or a function", exclude, TypeError)
    paths = [checks.text("exclude", path, empty=False) for path in exclude]
    plain = frozenset(path for path in paths if "*" not in path)
    parts = ("[^\\n]*".join(map(re.escape, path.split("*"))) for path in paths if "*" in path)
    pattern = "|".join(parts)
    matches = re.compile(pattern).fullmatch if pattern else None
    return lambda path, _request: (
        path in plain or (matches is not None and matches(path) is not None)
    )


class Recorder:
    """The metrics and the logger of one middleware.

    Args:
        name: The beginning of the metric names.
        logger: The name of the logger of request lines.
        registry: Where the metrics are registered.
        buckets: The bounds of the histogram, in seconds.
        clock: Returns seconds that never go back.
    """

    def __init__(
        self,
        name: str,
        logger: str,
        registry: CollectorRegistry = REGISTRY,
        buckets: Iterable[float] | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        labels = ("method", "route", "status")
        self.requests = counter(
            f"{name}_requests_total", "HTTP requests.", labels, registry=registry
        )
        self.errors = counter(
            f"{name}_errors_total", "HTTP requests that ended in 5xx.", labels, registry=registry
        )
        self.duration = histogram(
            f"{name}_request_duration_seconds",
            "Duration of HTTP requests in seconds.",
            labels[:2],
            buckets=buckets,
            registry=registry,
        )
        self.in_progress = gauge(
            f"{name}_requests_in_progress",
            "HTTP requests being answered.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self.core = STATE.levels.core(logger)
        self.clock = clock


class Exchange:
    """One request, from its arrival to the last byte of its answer.

    Args:
        recorder: Where to count and log.
        method: The HTTP method.
        path: The raw path: for the log line, never for a metric.
        headers: The request's headers.
        make_id: Returns a correlation id if the caller sent none.
    """

    def __init__(
        self,
        recorder: Recorder,
        method: str,
        path: str,
        headers: Headers,
        make_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._recorder = recorder
        self.method = method if method in _METHODS else "OTHER"
        self.path = path
        self.incoming = extract(headers)
        if self.incoming.correlation_id is None:
            self.incoming.correlation_id = make_id()
        self.correlation_id: str = self.incoming.correlation_id
        self.status: int | None = None
        self._span: Any = None
        self._answered: float | None = None
        self._done = False

    def start(self) -> None:
        """Start the clock and the span; everything logged from now on belongs to the request."""
        self._started = self._recorder.clock()
        self._recorder.in_progress.inc()
        tracer = current_tracer()
        if tracer is not None:
            from opentelemetry.trace import SpanKind, set_span_in_context

            self._span = tracer.start_span(
                self.method,
                context=self.incoming.context,
                kind=SpanKind.SERVER,
                attributes={"http.request.method": self.method, "url.path": self.path},
            )
            self.incoming.context = set_span_in_context(self._span, self.incoming.context)

    def answered(self) -> None:
        """Stop the clock: the last byte is out. What still runs is a background task."""
        self._answered = self._recorder.clock()

    def end(self, route: str | None, error: BaseException | None = None) -> None:
        """Count, log and end the span; once."""
        if self._done:
            return
        self._done = True
        recorder = self._recorder
        end = recorder.clock() if self._answered is None else self._answered
        seconds = end - self._started
        failed = is_failure(error)
        # 499: the client went away before the answer was complete.
        status = 500 if failed and self._answered is None else self.status or 499
        label = route or UNMATCHED
        recorder.in_progress.dec()
        recorder.requests.labels(self.method, label, status).inc()
        if status >= 500:
            recorder.errors.labels(self.method, label, status).inc()
        recorder.duration.labels(self.method, label).observe(seconds)
        self._log(label, status, seconds, error if failed else None)
        if self._span is not None:
            self._span.update_name(f"{self.method} {label}")
            self._span.set_attribute("http.response.status_code", status)
            self._span.set_attribute("http.route", label)
            if failed and error is not None:
                record_error(self._span, error)
            elif status >= 500:
                from opentelemetry.trace import Status, StatusCode

                self._span.set_status(Status(StatusCode.ERROR))
            self._span.end()

    def _log(self, route: str, status: int, seconds: float, error: BaseException | None) -> None:
        level, number = ("error", 40) if status >= 500 else ("info", 20)
        if self._recorder.core.level > number:
            return
        fields: dict[str, Any] = {
            "method": self.method,
            "path": self.path,
            "route": route,
            "status": status,
            "duration_seconds": round(seconds, 6),
        }
        if error is not None:
            fields["exc_info"] = error
        frame = sys._getframe(1)  # noqa: SLF001 - the only cheap way to the caller
        name = self._recorder.core.name
        STATE.emit(name, EMPTY, level, "request", (), fields, frame)
