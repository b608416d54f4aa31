"""Every time: unlimited, zero, a timedelta, or refused at once."""

from __future__ import annotations

import asyncio
import math
import signal
from datetime import timedelta

import pytest

from shared.lifecycle import GracefulShutdown

BAD = [-1, math.nan, "5", None, True]


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("name", ["drain_delay", "hook_timeout", "total_timeout"])
def test_a_wrong_time_is_refused(name, bad):
    with pytest.raises((ValueError, TypeError), match=rf"{name} must be a.*, not"):
        GracefulShutdown(**{name: bad})


@pytest.mark.parametrize("bad", [math.inf, *BAD])
def test_a_wrong_drain_is_refused(bad):
    with pytest.raises((ValueError, TypeError), match=r"drain_delay must be a.*, not"):
        GracefulShutdown(bad, total_timeout=math.inf)


@pytest.mark.parametrize("bad", [0, *BAD[:3]])
def test_a_wrong_time_of_a_hook_is_refused(bad):
    with pytest.raises((ValueError, TypeError), match=r"timeout must be a.*, not"):
        GracefulShutdown().on_shutdown(timeout=bad)


@pytest.mark.parametrize("bad", BAD)
async def test_a_wrong_sleep_is_refused(bad):
    shutdown = GracefulShutdown()
    with pytest.raises((ValueError, TypeError), match=r"seconds must be a.*, not"):
        shutdown.sleep(bad)
    with pytest.raises((ValueError, TypeError), match=r"seconds must be a.*, not"):
        await shutdown.asleep(bad)


@pytest.mark.parametrize("unlimited", [math.inf, 1e300, 1e10, timedelta.max])
async def test_unlimited_times_are_served(unlimited):
    shutdown = GracefulShutdown(
        drain_delay=0, hook_timeout=unlimited, total_timeout=unlimited, signals=()
    )
    ran = []
    shutdown.on_shutdown(lambda: ran.append(1))
    shutdown.on_shutdown(lambda: ran.append(2), timeout=unlimited)
    waiting = asyncio.ensure_future(shutdown.asleep(unlimited))
    in_thread = asyncio.ensure_future(asyncio.to_thread(shutdown.sleep, unlimited))
    await asyncio.sleep(0)
    shutdown.trigger("test")
    report = await shutdown.wait()
    assert (report.clean, ran) == (True, [2, 1])
    assert await waiting is await in_thread is True


@pytest.mark.parametrize(("hook", "total"), [(math.inf, 25), (10, math.inf)])
def test_one_of_them_unlimited(hook, total):
    shutdown = GracefulShutdown(0, hook, total_timeout=total)
    shutdown.on_shutdown(lambda: 1 / 0)
    with shutdown.track():
        pass
    shutdown.trigger()
    assert [f.hook for f in shutdown.join().failures] == [
        "test_one_of_them_unlimited.<locals>.<lambda>"
    ]


def test_a_timedelta_counts_as_seconds():
    shutdown = GracefulShutdown(
        timedelta(seconds=1), timedelta(seconds=2), total_timeout=timedelta(seconds=3)
    )
    assert (shutdown.drain_delay, shutdown.hook_timeout, shutdown.total_timeout) == (1, 2, 3)
    with pytest.raises(ValueError, match="drain_delay must be less than total_timeout, 3"):
        GracefulShutdown(timedelta(seconds=3), total_timeout=timedelta(seconds=3))


def test_a_signal_with_no_limit(run):
    program = run("""
        import math, threading
        from shared.lifecycle import GracefulShutdown
        shutdown = GracefulShutdown(drain_delay=0, total_timeout=math.inf)
        shutdown.on_shutdown(lambda: print("hook"))
        shutdown.install()
        print("ready")
        print("report", shutdown.wait_for_signal().exit_code)
    """)
    program.line("ready")
    program.signal(signal.SIGTERM)
    assert program.end() == 0, program.errors
    assert program.output == ["ready", "hook", "report 0"]
