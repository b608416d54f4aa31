"""Ids in headers: only harmless ones are accepted."""

import pytest

from shared.observability import (
    capture_logs,
    correlation,
    extract,
    get_logger,
    inject,
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
