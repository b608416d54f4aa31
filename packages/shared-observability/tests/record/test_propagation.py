"""Ids in headers: only harmless ones are accepted."""

from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.context import Context, attach, detach

from shared.observability import (
    capture_logs,
    correlation,
    correlation_id,
    extract,
    get_logger,
    inject,
    setup_tracing,
)


@pytest.mark.parametrize("hostile", ["a\nb", "x" * 200, "", "a b", "é", "\x1b[31m", '"'])
def test_a_hostile_correlation_id_is_not_taken(hostile):
    assert extract({"x-correlation-id": hostile}).correlation_id is None
    with correlation(hostile):
        assert "x-correlation-id" not in inject({})


def test_headers_as_pairs_and_in_any_case():
    pairs = [(b"X-Correlation-Id", b"a-1"), (b"TraceParent", f"00-{7:032x}-{8:016x}-01".encode())]
    with extract(pairs), capture_logs() as logs:
        get_logger("x").info("m")
        carrier = inject({})
    assert (logs[0]["correlation_id"], logs[0]["trace_id"]) == ("a-1", f"{7:032x}")
    assert carrier["traceparent"] == f"00-{7:032x}-{8:016x}-01"
    assert carrier["x-correlation-id"] == "a-1"


HEADERS = {"traceparent": f"00-{7:032x}-{8:016x}-01", "X-Correlation-ID": "order-7"}


def test_extract_gives_a_context_of_opentelemetry():
    found = extract(HEADERS)
    assert isinstance(found, Context)
    span = trace.get_current_span(found).get_span_context()
    assert (span.trace_id, span.span_id) == (7, 8)
    tracer = setup_tracing(service_name="x", exporter_type="none")
    child: Any = tracer.otel.start_span("child", context=found)
    assert (child.parent.trace_id, child.parent.span_id) == (7, 8)
    tracer.shutdown(1)
    token = attach(found)
    assert trace.get_current_span().get_span_context().trace_id == 7
    detach(token)
    assert correlation_id() is None


async def test_extract_is_entered_too():
    async with extract(HEADERS) as found:
        assert correlation_id() == found.correlation_id == "order-7"
        assert trace.get_current_span().get_span_context().trace_id == 7
    with extract({}):
        assert correlation_id() is None
    assert trace.get_current_span().get_span_context().trace_id == 0
