"""Timers and the clocks behind them."""

import time

import pytest

from shared.core.testing import VirtualClock
from shared.observability import (
    PerformanceTracker,
    Timer,
    capture_logs,
    get_logger,
    measure_time,
    timed,
)


def test_timer():
    clock = VirtualClock(100)
    timer = Timer("load", clock=clock)
    assert timer.elapsed == 0.0
    with timer:
        clock.advance(2)
        assert timer.elapsed == timer.elapsed_time == 2
        clock.advance(1)
    clock.advance(10)
    assert timer.elapsed == timer.stop() == 3
    with timer:
        clock.advance(1)
    assert timer.elapsed == 1


def test_wall_clock_jumps_do_not_touch_timers(monkeypatch):
    moments = iter(range(10_000_000, 0, -1_000))
    monkeypatch.setattr(time, "time", lambda: float(next(moments)))
    seen = []

    @timed(report=lambda name, seconds: seen.append(seconds))
    def work():
        time.time()

    with Timer() as timer, measure_time() as measured, PerformanceTracker() as job:
        work()
    assert all(
        0 <= seconds < 60 for seconds in (timer.elapsed, measured.elapsed, job.elapsed, *seen)
    )


def test_measure_time_logs_on_failure_too():
    with (
        capture_logs() as logs,
        pytest.raises(KeyError),
        measure_time("block", logger=get_logger("t")),
    ):
        raise KeyError
    assert logs[0]["logger"] == "t"
    assert logs[0]["message"].startswith("block took")
