"""The state of tracing, apart from what needs OpenTelemetry: looking for a tracer loads nothing."""

from __future__ import annotations

import sys
from typing import Any, Final

NEEDED: Final = "opentelemetry.trace"  # as long as it is not loaded, no provider can be set
loaded = sys.modules


class Tracing:
    """The tracing of this process.

    Attributes:
        tracer: OpenTelemetry's tracer of the active `Tracer`.
        switch: The global provider that passes on to the active one.
    """

    __slots__ = ("switch", "tracer")

    def __init__(self) -> None:
        self.tracer: Any = None
        self.switch: Any = None


TRACING: Final = Tracing()


def current_tracer() -> Any:
    """Return the tracer for a new span: ours, else the application's own, else None."""
    trace: Any = loaded.get(NEEDED)
    if trace is None:
        return None
    if TRACING.tracer is not None:
        return TRACING.tracer
    # The public function reads the environment at every call, until a provider is set.
    provider: Any = getattr(trace, "_TRACER_PROVIDER", False)
    if provider is False:
        provider = trace.get_tracer_provider()
    if provider is None or provider is TRACING.switch:
        return None
    if isinstance(provider, (trace.ProxyTracerProvider, trace.NoOpTracerProvider)):
        return None
    return provider.get_tracer("shared.observability")
