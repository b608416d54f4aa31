"""Carry the trace and the correlation id from one process to another, in headers.

W3C Trace Context (https://www.w3.org/TR/trace-context/) and baggage by OpenTelemetry, and
`x-correlation-id`. An id from outside is accepted only if it is short and harmless.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from opentelemetry.context import Context, attach, get_current
from opentelemetry.propagate import extract as otel_extract
from opentelemetry.propagate import inject as otel_inject

from .context import correlation_id, log_context

if TYPE_CHECKING:
    from types import TracebackType

CORRELATION_HEADER: Final = "x-correlation-id"
_HARMLESS: Final = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}\Z")

C = TypeVar("C", bound=MutableMapping[str, str])
Headers = Mapping[str, str] | Iterable[tuple[str | bytes, str | bytes]]


def inject(carrier: C) -> C:
    """Put the current trace and correlation id into headers for another service.

    Args:
        carrier: The headers; changed and returned.

    Example:
        >>> from shared.observability import correlation
        >>> with correlation("order-7"):
        ...     inject({})
        {'x-correlation-id': 'order-7'}
    """
    otel_inject(carrier)
    current = correlation_id()
    if current is not None and _HARMLESS.match(current):
        carrier[CORRELATION_HEADER] = current
    return carrier


class extract(Context):  # noqa: N801 - used as a function
    """Read the trace and correlation id of a caller from headers.

    It is an OpenTelemetry `Context`, to be passed on as `context=`. A `with` or `async with` block
    makes both current inside.

    Args:
        carrier: Headers as a mapping in any case, or as pairs of text or bytes.

    Attributes:
        context: OpenTelemetry's context that a block makes current: the same, at first.
        correlation_id: The id, or None if there is none or it is not a short, harmless text.

    Example:
        >>> from shared.observability import correlation_id
        >>> with extract({"X-Correlation-ID": "order-7"}):
        ...     correlation_id()
        'order-7'
    """

    def __init__(self, carrier: Headers) -> None:
        headers = _lower(carrier)
        super().__init__(otel_extract(headers, context=get_current()))
        self.context: Context = self
        given = headers.get(CORRELATION_HEADER, "")
        self.correlation_id: str | None = given if _HARMLESS.match(given) else None

    def __enter__(self) -> Self:
        self._before: Context = get_current()
        attach(self.context)
        given = self.correlation_id
        self._block = log_context(**({} if given is None else {"correlation_id": given}))
        self._block.__enter__()
        return self

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(exc_type, exc, traceback)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Not by tokens: see trace_span.
        if get_current() is self.context:
            attach(self._before)
        self._block.__exit__(exc_type, exc, traceback)


def _lower(carrier: Headers) -> dict[str, str]:
    pairs: Any = carrier.items() if isinstance(carrier, Mapping) else carrier
    return {_text(name).lower(): _text(value) for name, value in pairs}


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
