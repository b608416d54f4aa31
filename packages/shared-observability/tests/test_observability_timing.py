# mypy: disable-error-code="unreachable, assignment, arg-type"
"""Timers, memory, benchmark, aggregator, decorators, reporter."""

import asyncio
import io
import json
import math
import os
import pty
import random
import subprocess
import sys
import textwrap
import threading
import time
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

import shared.observability as obs
from shared.observability import (
    Emoji,
    MemoryTracker,
    MetricsAggregator,
    PerformanceTracker,
    QuantileSketch,
    SystemReporter,
    Timer,
    benchmark,
    capture_logs,
    deprecated,
    get_logger,
    get_memory_usage,
    log_calls,
    log_exceptions,
    measure_memory,
    measure_time,
    performance_tracker,
    timed,
)


def alone(coroutine):
    """Run in a loop of its own; asyncio.run would forget the loop of pytest-asyncio."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_timer():
    clock = Clock()
    timer = Timer("load", clock=clock)
    assert timer.elapsed == 0.0
    with timer:
        clock.now += 2
        assert timer.elapsed == timer.elapsed_time == 2
        clock.now += 1
    clock.now += 10
    assert timer.elapsed == timer.stop() == 3
    with timer:
        clock.now += 1
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


KINDS = ["plain", "coroutine", "generator", "agenerator"]


def make(kind, decorate):
    if kind == "plain":

        @decorate
        def work(x, password="p"):
            if x < 0:
                raise ValueError(f"bad {x}")
            return x
    elif kind == "coroutine":

        @decorate
        async def work(x, password="p"):
            await asyncio.sleep(0)
            if x < 0:
                raise ValueError(f"bad {x}")
            return x
    elif kind == "generator":

        @decorate
        def work(x, password="p"):
            yield x
            if x < 0:
                raise ValueError(f"bad {x}")
    else:

        @decorate
        async def work(x, password="p"):
            yield x
            if x < 0:
                raise ValueError(f"bad {x}")

    return work


def run(kind, work, x):
    if kind == "plain":
        return work(x)
    if kind == "coroutine":
        return alone(work(x))
    if kind == "generator":
        return list(work(x))[0]  # noqa: RUF015 - to the end

    async def drain():
        return [item async for item in work(x)][0]  # noqa: RUF015 - to the end

    return alone(drain())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "decorate",
    [log_calls, log_calls(level="WARNING"), log_exceptions, log_exceptions(level="CRITICAL"),
     timed, timed(name="other"), deprecated, deprecated("old", since="2.0")],
    ids=range(8),
)  # fmt: skip
def test_decorators_keep_behaviour(kind, decorate):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        with capture_logs() as logs:
            work = make(kind, decorate)
            assert work.__name__ == "work"
            assert run(kind, work, 3) == 3
            with pytest.raises(ValueError, match="bad -1"):
                run(kind, work, -1)
    for line in logs:
        assert line["logger"] == __name__
        assert line["function"] == "work"
        assert line["module"] == "test_observability_timing"


@pytest.mark.parametrize("kind", KINDS)
def test_log_calls(kind):
    with capture_logs() as logs:
        work = make(kind, log_calls(level="WARNING", logger="calls", result=True))
        run(kind, work, 3)
        with pytest.raises(ValueError, match="bad"):
            run(kind, work, -1)
    returned, raised = logs
    assert returned["message"].endswith("work returned")
    assert returned["arguments"] == {"x": 3}
    assert (returned["level"], returned["logger"]) == ("warning", "calls")
    assert ("result" in returned) == (kind in {"plain", "coroutine"})
    assert raised["message"].endswith("work raised")
    assert raised["error"] == "ValueError: bad -1"
    with capture_logs() as logs:
        work = make("plain", log_calls)
        work(1, password="hunter2")
    assert logs[0]["arguments"] == {"x": 1, "password": "[REDACTED]"}


def test_log_exceptions_logs_once():
    @log_exceptions
    @log_exceptions
    def inner():
        raise OSError("disk")

    @log_exceptions
    def outer():
        inner()

    with capture_logs() as logs, pytest.raises(OSError, match="disk"):
        outer()
    assert [line["message"] for line in logs] == ["inner failed"]
    assert logs[0]["exception"][0]["type"] == "OSError"


def test_cancellation_is_no_error():
    @log_exceptions
    async def wait():
        await asyncio.sleep(60)

    async def main():
        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with capture_logs() as logs:
        alone(main())
    assert logs == []


def test_deprecated_warns_each_time_and_logs_once():
    @deprecated("too slow", since="1.2", use="quick")
    def old():
        return 1

    with capture_logs() as logs:
        for _ in range(2):
            with pytest.warns(
                DeprecationWarning, match="old is deprecated since 1.2: too slow; use quick"
            ) as seen:
                assert old() == 1
            assert seen[0].filename == __file__
    assert len(logs) == 1


def test_async_names_are_the_same_objects():
    assert obs.async_timed is obs.timed is obs.measure_execution_time
    assert obs.async_log_exceptions is obs.log_exceptions
    assert obs.async_log_calls is obs.log_calls
    assert obs.async_deprecated is obs.deprecated


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


def test_performance_tracker():
    clock = Clock()
    with capture_logs() as logs, performance_tracker("job", track_memory=True, clock=clock) as job:
        for seconds in (1, 2, 3):
            with job.step("row"):
                clock.now += seconds
        assert job.elapsed == 6
    row = job.summary()["row"]
    assert (row["count"], row["total"], row["min"], row["max"]) == (3, 6, 1, 3)
    assert (logs[0]["duration_seconds"], logs[0]["steps"]["row"]["count"]) == (6, 3)
    assert "peak_bytes" in logs[0]


async def test_benchmark():
    clock = Clock()
    calls = []

    @benchmark(iterations=5, track_memory=True, warmup=2, clock=clock)
    def work(n):
        calls.append(n)
        clock.now += len(calls)
        return bytes(n)

    result = work(1_000_000)
    assert result.times == (3, 4, 5, 6, 7)
    assert (result.mean, result.median, result.min, result.max, result.total) == (5, 5, 3, 7, 25)
    assert result.iterations == 5
    assert len(result.result) == 1_000_000
    assert result.peak_memory >= 1_000_000
    assert result.stdev == pytest.approx(math.sqrt(2.5))

    @benchmark(3)
    async def later():
        await asyncio.sleep(0)
        return 7

    result = await later()
    assert (result.iterations, result.result, result.peak_memory) == (3, 7, None)
    for bad in ({"iterations": 0}, {"warmup": -1}, {"iterations": True}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            benchmark(**bad)


def exact(values, q):
    return sorted(values)[math.floor(q * (len(values) - 1))]


def test_quantiles_of_a_million_values():
    draw = random.Random(7)
    values = [draw.lognormvariate(0, 3) for _ in range(1_000_000)]
    parts = [QuantileSketch() for _ in range(10)]
    for number, part in enumerate(parts):
        part.update(values[number::10])
    merged = QuantileSketch()
    for part in parts:
        merged.merge(QuantileSketch.from_dict(json.loads(json.dumps(part.to_dict()))))
    values.sort()
    for q in (0, 0.001, 0.01, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.9999, 1):
        true = values[math.floor(q * 999_999)]
        assert abs(merged.quantile(q) - true) <= 0.01 * true * (1 + 1e-9)
    assert merged.count == 1_000_000
    assert merged.sum == pytest.approx(math.fsum(values))
    assert (merged.min, merged.max) == (values[0], values[-1])


numbers = st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.lists(numbers, min_size=1, max_size=60), st.floats(0, 1), st.sampled_from([0.001, 0.01, 0.1])
)
def test_any_quantile_is_within_the_error(values, q, error):
    sketch = QuantileSketch(error)
    sketch.update(values)
    true = exact(values, q)
    slack = 1e-9 * abs(true) + 5e-324
    assert abs(sketch.quantile(q) - true) <= error * abs(true) + slack


@given(st.lists(st.lists(st.floats(-1e6, 1e6), max_size=20), max_size=5))
def test_merging_is_the_same_as_adding(groups):
    merged, whole = QuantileSketch(), QuantileSketch()
    for group in groups:
        part = QuantileSketch()
        part.update(group)
        merged.merge(part)
        whole.update(group)
    one, two = merged.to_dict(), whole.to_dict()
    total = one.pop("sum"), two.pop("sum")
    assert one == two
    assert total[0] == pytest.approx(total[1], abs=1e-6)


def test_sketch_refuses():
    sketch = QuantileSketch()
    assert math.isnan(sketch.quantile(0.5))
    for bad in (math.nan, math.inf):
        with pytest.raises(ValueError, match="finite"):
            sketch.add(bad)
    with pytest.raises(ValueError, match="q must"):
        sketch.quantile(1.1)
    with pytest.raises(ValueError, match="times"):
        sketch.add(1, 0)
    with pytest.raises(ValueError, match="cannot merge"):
        sketch.merge(QuantileSketch(0.1))
    for bad in (0, 0.5, True, "1"):
        with pytest.raises(ValueError, match="error"):
            QuantileSketch(bad)


def test_aggregator_windows():
    clock = Clock()
    metrics = MetricsAggregator(10, 3, clock=clock)
    for value in range(1, 61):
        metrics.record("x", value)
        clock.now += 1
    # 160 now: the kept windows began at 140, 150 and 160; the last one is empty.
    assert metrics.count("x") == 20
    assert metrics.sum("x") == sum(range(41, 61))
    assert metrics.count("x", 1) == 0
    assert metrics.count("x", 2) == 10
    assert metrics.rate("x") == 20 / 30
    summary = metrics.summary("x")
    assert (summary.min, summary.max, summary.mean) == (41, 60, 50.5)
    assert summary.p50 == pytest.approx(50, rel=0.01)
    other = MetricsAggregator(10, 3, clock=clock)
    other.record("y", 5)
    other.merge(metrics)
    assert other.names() == ["x", "y"]
    assert other.count("x") == 20
    clock.now += 100
    assert metrics.names() == []
    assert math.isnan(metrics.summary("x").mean)
    with pytest.raises(ValueError, match="cannot merge"):
        MetricsAggregator(error=0.1).merge(other)


def test_aggregator_threads_and_bounds():
    metrics = MetricsAggregator(max_names=3, clock=lambda: 0.0)

    def fill(t):
        for n in range(500):
            metrics.record(f"name-{n % 5}", t)

    threads = [threading.Thread(target=fill, args=(t,)) for t in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(metrics.names()) == 4
    assert sum(metrics.count(name) for name in metrics.names()) == 2000
    for bad in ({"window": 0}, {"windows": 0}, {"max_names": 0}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            MetricsAggregator(**bad)


@pytest.mark.parametrize("verbose", [0, 1, 2, 3])
def test_reporter_verbosity_and_file(tmp_path, verbose):
    stream = io.StringIO()
    context = {"rows": 3, "password": "hunter2", "odd": "\x1b[31m\n"}
    with SystemReporter("job", tmp_path / "logs", verbose, stream=stream) as reporter:
        for method in ("debug", "info", "success", "warning", "error", "critical"):
            getattr(reporter, method)(f"{method} \x1b[31m\nmessage", context=context)
    shown = stream.getvalue()
    names = [
        m
        for m in ("debug", "info", "success", "warning", "error", "critical")
        if f"{m} \\x1b" in shown
    ]
    everything = ["debug", "info", "success", "warning", "error", "critical"]
    assert (
        names == {0: everything[3:], 1: everything[1:], 2: everything[1:], 3: everything}[verbose]
    )
    assert ("rows=3" in shown) == (verbose >= 2)
    assert shown.count("\n") == len(names)
    assert "\x1b" not in shown
    assert "hunter2" not in shown
    assert Emoji.ERROR in shown
    lines = [json.loads(line) for line in (tmp_path / "logs/job.log").read_text().splitlines()]
    assert [line["level"] for line in lines] == [
        "debug",
        "info",
        "info",
        "warning",
        "error",
        "critical",
    ]
    assert lines[0]["rows"] == 3
    assert lines[0]["password"] == "[REDACTED]"
    assert lines[0]["function"] == "test_reporter_verbosity_and_file"


def test_reporter_error_has_the_exception_in_the_file(tmp_path):
    reporter = SystemReporter("job", tmp_path, stream=io.StringIO())
    try:
        raise ValueError("x")
    except ValueError:
        reporter.error("failed")
    assert json.loads((tmp_path / "job.log").read_text())["exception"][0]["type"] == "ValueError"
    reporter.close()
    reporter.info("after close")


def test_reporter_colours_only_a_terminal(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    code = textwrap.dedent("""
        from shared.observability import SystemReporter
        SystemReporter("job").error("failed")
        """)
    piped = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert b"\x1b" not in piped.stdout
    for variable, coloured in (("X", True), ("NO_COLOR", False)):
        ours, theirs = pty.openpty()
        subprocess.run(
            [sys.executable, "-c", code],
            stdout=theirs,
            check=True,
            env={**os.environ, variable: "1"},
        )
        os.close(theirs)
        shown = os.read(ours, 4096)
        os.close(ours)
        assert (b"\x1b[31m" in shown) is coloured
        assert b"failed" in shown


def test_reporter_on_a_poor_console():
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    SystemReporter("job", stream=stream).info("größe")
    assert raw.getvalue() == b"INFO gr\\xf6\\xdfe\n"
    stream.close()
    SystemReporter("job", stream=stream).info("closed console")


@pytest.mark.parametrize("bad", [{"verbose": 4}, {"verbose": True}, {"name": ""}, {"name": "a/b"}])
def test_reporter_refuses(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        SystemReporter(**{"name": "x", **bad})


def test_measure_time_logs_on_failure_too():
    with (
        capture_logs() as logs,
        pytest.raises(KeyError),
        measure_time("block", logger=get_logger("t")),
    ):
        raise KeyError
    assert logs[0]["logger"] == "t"
    assert logs[0]["message"].startswith("block took")
