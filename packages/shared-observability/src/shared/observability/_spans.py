"""trace_span: a span around a block or a function of any kind."""

from __future__ import annotations

import functools
import inspect
import sys
import traceback as tracebacks
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from ._state import TRACING, get_sanitizer
from ._wrap import is_failure, wrap

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

P = ParamSpec("P")
T = TypeVar("T")
_NEEDED = "opentelemetry.trace"  # as long as it is not loaded, nobody can have set a provider
_loaded = sys.modules
_PRIMITIVE = (bool, int, float, str)


class trace_span:  # noqa: N801 - used as a function
    """Trace a block or a function: plain, coroutine, generator or async generator.

    Without a tracing provider it does nothing. An exception is recorded and the span's status is
    ERROR; secrets are taken out of attributes and exception messages. A generator's span is
    current only while the generator itself runs.

    Args:
        name: The span's name.
        **attributes: The span's attributes; a value that is no primitive becomes text.

    Example:
        >>> with trace_span("load", rows=3):
        ...     pass
        >>> @trace_span("double")
        ... def double(x: int) -> int:
        ...     return 2 * x
        >>> double(4)
        8
    """

    __slots__ = ("_attributes", "_before", "_mine", "_name", "_span")

    def __init__(self, name: str, /, **attributes: Any) -> None:
        self._name = name
        self._attributes = attributes
        self._span: Span | None = None

    def __call__(self, fn: Callable[P, T]) -> Callable[P, T]:
        """Decorate a function."""
        name, attributes = self._name, self._attributes

        def around(args: Any, kwargs: Any) -> trace_span:  # noqa: ARG001
            return trace_span(name, **attributes)

        traced = wrap(fn, around, stepwise=True)
        if inspect.iscoroutinefunction(fn) or inspect.isgeneratorfunction(fn):
            return traced
        if inspect.isasyncgenfunction(fn):
            return traced

        @functools.wraps(fn)
        def quick(*args: P.args, **kwargs: P.kwargs) -> T:
            if _NEEDED not in _loaded or _tracer() is None:
                return fn(*args, **kwargs)
            return traced(*args, **kwargs)

        return quick

    def __enter__(self) -> Span | None:
        """Start the span and make it current; returns None without a provider."""
        if _NEEDED not in _loaded:  # the quickest way out
            return None
        if (tracer := _tracer()) is not None:
            from opentelemetry.context import get_current
            from opentelemetry.trace import set_span_in_context

            span = self._span = tracer.start_span(
                self._name, attributes=_clean(self._attributes) if self._attributes else None
            )
            self._mine: Context = set_span_in_context(span, get_current())
            self.resume()
        return self._span

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        span = self._span
        if span is None:
            return
        self.suspend()
        if error is not None and is_failure(error):
            record_error(span, error)
        span.end()
        self._span = None

    def resume(self) -> None:
        """Make the span current."""
        if self._span is not None:
            from opentelemetry.context import attach, get_current

            self._before: Context = get_current()
            attach(self._mine)

    def suspend(self) -> None:
        """Put back what was current before.

        Not by detaching a token: a block inside a generator may be left in another context than
        it was entered in, where the token is an error, and where nothing of ours is current.
        """
        if self._span is not None:
            from opentelemetry.context import attach, get_current

            if get_current() is self._mine:
                attach(self._before)


def record_error(span: Span, error: BaseException) -> None:
    """Record an exception on a span, without its secrets."""
    from opentelemetry.trace import Status, StatusCode

    from ._clean import text_of

    text = get_sanitizer().text
    kind = type(error)
    message = text(text_of(error))
    span.add_event(
        "exception",
        {
            "exception.type": f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins."),
            "exception.message": message,
            "exception.stacktrace": text("".join(tracebacks.format_exception(error))[-8_000:]),
            "exception.escaped": "True",
        },
    )
    span.set_status(Status(StatusCode.ERROR, f"{kind.__name__}: {message}"))


def _tracer() -> Any:
    """The tracer for a new span: ours, else the application's own, else None."""
    trace: Any = _loaded.get(_NEEDED)
    if trace is None:
        return None
    if TRACING.tracer is not None:
        return TRACING.tracer
    # The public function looks into the environment at every call, until a provider is set.
    provider: Any = getattr(trace, "_TRACER_PROVIDER", False)
    if provider is False:
        provider = trace.get_tracer_provider()
    if provider is None or provider is TRACING.switch:
        return None
    if isinstance(provider, (trace.ProxyTracerProvider, trace.NoOpTracerProvider)):
        return None
    return provider.get_tracer("shared.observability")


def _clean(attributes: dict[str, Any]) -> dict[str, Any]:
    clean: dict[str, Any] = get_sanitizer().jsonable(attributes)
    return {
        key: value if isinstance(value, _PRIMITIVE) else _attribute(value)
        for key, value in clean.items()
        if value is not None
    }


def _attribute(value: Any) -> Any:
    kinds = {type(item) for item in value} if isinstance(value, list) else set()
    return value if len(kinds) == 1 and kinds <= set(_PRIMITIVE) else str(value)
