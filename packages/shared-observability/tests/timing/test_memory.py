"""Allocations of nested blocks."""

from shared.observability import (
    MemoryTracker,
    capture_logs,
    get_memory_usage,
    measure_memory,
)


def test_memory():
    assert 0 < get_memory_usage().rss <= get_memory_usage().peak
    with MemoryTracker("outer") as outer:
        keep = bytes(2_000_000)
        with MemoryTracker("inner") as inner:
            bytes(3_000_000)
        assert outer.allocated >= 2_000_000
    assert inner.allocated < 100_000
    # Something small of before may be freed in between, as coverage's own data is.
    assert inner.peak >= 2_900_000
    assert outer.peak >= 4_900_000
    assert outer.stop() == outer.allocated >= len(keep)
    with capture_logs() as logs, measure_memory("block"):
        pass
    assert logs[0]["peak_bytes"] >= 0
