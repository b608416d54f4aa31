"""trace_span: a span around a block or a function of any kind."""

from __future__ import annotations

import traceback as tracebacks
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from shared.core import callables

from .._base.calls import is_failure, wrap
from .._redaction.active import get_sanitizer
from .._redaction.texts import text_of
from .state import NEEDED, current_tracer, loaded

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

P = ParamSpec("P")
T = TypeVar("T")
_PRIMITIVE = (bool, int, float, str)


class trace_span:  # noqa: N801 - used as a function
    """Trace a block (`with`, `async with`) or a function: plain, coroutine or generator of both kinds.

    Without a tracing provider it does nothing. An exception is recorded and sets the span's
    status to ERROR; secrets are removed from attributes and exception messages. A generator's
    span is current only while the generator itself runs.

    Args:
        name: The span's name.
        **attributes: The span's attributes; a value that is not a primitive becomes text.

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

        def make(inner: Any) -> Any:
            def quick(*args: Any, **kwargs: Any) -> Any:
                if NEEDED not in loaded or current_tracer() is None:
                    return inner(*args, **kwargs)
                return traced(*args, **kwargs)

            def around(_args: Any, _kwargs: Any) -> trace_span:
                return trace_span(name, **attributes)

            traced = wrap(inner, around, stepwise=True, by="trace_span")
            return quick if callables.kind_of(inner) == "sync" else traced

        return callables.decorate(fn, make, by="trace_span")

    def __enter__(self) -> Span | None:
        """Start the span and make it current; returns None without a provider."""
        if NEEDED not in loaded:  # the fastest way out
            return None
        if (tracer := current_tracer()) is not None:
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
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        span = self._span
        if span is None:
            return
        self.suspend()
        if exc is not None and is_failure(exc):
            record_error(span, exc)
        span.end()
        self._span = None

    async def __aenter__(self) -> Span | None:
        """Do the same as `with`."""
        return self.__enter__()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(exc_type, exc, traceback)

    def resume(self) -> None:
        """Make the span current; right after `__enter__` it is."""
        if self._span is not None:
            from opentelemetry.context import attach, get_current

            current = get_current()
            if current is not self._mine:
                self._before: Context = current
                attach(self._mine)

    def suspend(self) -> None:
        """Put back what was current before.

        Not by detaching a token: a block inside a generator may be left in another context than
        it was entered in, where the token is an error, and where our span is not current.
        """
        if self._span is not None:
            from opentelemetry.context import attach, get_current

            if get_current() is self._mine:
                attach(self._before)


def record_error(span: Span, error: BaseException) -> None:
    """Record an exception on a span, without its secrets."""
    from opentelemetry.trace import Status, StatusCode

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
