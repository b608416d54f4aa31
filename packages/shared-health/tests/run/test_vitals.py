"""Signs of life: heartbeats and the lag of an event loop."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from shared.health import EventLoopLag, Health, Heartbeat


async def test_a_stuck_loop_shows_in_live(eventually):
    health = Health()
    health.add("loop", EventLoopLag(0.1))
    seen = []
    await asyncio.sleep(0.05)
    assert health.report("live").status.ok

    def watch():
        eventually("live fails", lambda: not health.report("live").status.ok)
        seen.append(health.report("live").checks[0].error)

    thread = threading.Thread(target=watch)
    thread.start()
    while thread.is_alive():
        time.sleep(0.01)  # noqa: ASYNC251 - the loop is to be stuck
    assert seen[0].startswith("event loop stuck for 0.1 s (0.1 s allowed)")
    for _ in range(100):
        await asyncio.sleep(0.01)
        if health.report("live").status.ok:
            break
    else:
        pytest.fail("the loop turns again")


def test_loop_lag_needs_a_loop():
    with pytest.raises(RuntimeError, match="pass loop="):
        EventLoopLag(1)


def test_ages_are_checked():
    with pytest.raises(ValueError, match="max_lag must be a finite number above 0, not 0"):
        EventLoopLag(0)
    with pytest.raises(ValueError, match="max_age must be a number above 0, not -1"):
        Heartbeat(-1)


def test_a_loop_that_is_not_watched_any_more_is_fine():
    loop = asyncio.new_event_loop()
    try:
        lag = EventLoopLag(0.001, loop=loop)
        time.sleep(0.02)
        assert not lag.read().status.ok
        lag.close()
        assert lag.read().status.ok, "it ended on purpose"
    finally:
        loop.close()


def test_a_file_is_written_ten_times_an_age_at_most(tmp_path, clock):
    file = tmp_path / "beat"
    heart = Heartbeat(10, file=str(file), clock=clock)
    heart.beat()
    file.unlink()
    clock.advance(0.9)
    heart.beat()
    assert not file.exists()
    clock.advance(0.1)
    heart.beat()
    assert file.exists()
