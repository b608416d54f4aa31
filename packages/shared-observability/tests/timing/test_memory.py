"""Allocations of nested blocks."""

from shared.observability import MemoryTracker, capture_logs, get_memory_usage, measure_memory


def test_the_process_has_memory():
    usage = get_memory_usage()
    assert 0 < usage.rss <= usage.peak


def test_nested_trackers():
    with MemoryTracker("outer") as outer:
        keep = bytes(2_000_000)
        with MemoryTracker("inner") as inner:
            bytes(3_000_000)
        assert outer.allocated >= 2_000_000
    assert inner.allocated < 100_000
    # Something small of before may be freed in between, such as coverage's own data.
    assert inner.peak >= 2_900_000
    assert outer.peak >= 4_900_000
    assert outer.stop() == outer.allocated >= len(keep)


def test_measure_memory_logs():
    with capture_logs() as logs, measure_memory("block"):
        pass
    assert logs[0]["message"].startswith("block allocated ")
    assert logs[0]["peak_bytes"] >= 0
