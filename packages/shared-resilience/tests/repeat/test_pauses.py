"""Pauses: growth, jitter, Retry-After, deadlines."""

import asyncio
import datetime as dt
import email.utils

import pytest

from shared.resilience import (
    Retry,
    deadline,
)
from shared.resilience.testing import run_virtual


class Flaky:
    """Fails so many times, then answers."""

    def __init__(self, failures, exc=ConnectionError):
        self.failures, self.exc, self.calls = failures, exc, 0

    def __call__(self, *args):
        self.calls += 1
        if self.calls <= self.failures:
            raise self.exc(f"number {self.calls}")
        return "answer"

    async def awaited(self, *args):
        await asyncio.sleep(0)
        return self(*args)


def test_pauses_grow_up_to_the_maximum(clock):
    flaky = Flaky(5)
    assert (
        Retry(6, 1.0, backoff=2.0, max_delay=5.0, jitter="none", clock=clock).call(flaky)
        == "answer"
    )
    assert clock() == 1000.0 + 1 + 2 + 4 + 5 + 5


def test_async_pauses_are_the_same(clock):
    flaky = Flaky(5)
    policy = Retry(6, 1.0, backoff=2.0, max_delay=5.0, jitter="none", clock=clock)
    assert run_virtual(policy.acall(flaky.awaited), clock) == "answer"
    assert clock() == pytest.approx(1000.0 + 1 + 2 + 4 + 5 + 5)


def test_full_jitter_stays_within_each_pause():
    policy = Retry(3, 2.0, backoff=3.0, max_delay=1e308)
    pauses = [policy._rules.pause(2, ValueError()) for _ in range(100)]
    assert 0 <= min(pauses) < 2.0
    assert 4.0 < max(pauses) <= 6.0
    assert policy._rules.pause(10_000, ValueError()) <= 1e308  # no overflow


@pytest.mark.parametrize(
    ("asked", "pause"),
    [
        (7.5, 7.5),
        (dt.timedelta(minutes=2), 120.0),
        ("90", 90.0),
        (None, 1.0),
        ("nonsense", 1.0),
        (-5, 0.0),
        (float("nan"), 1.0),
    ],
)
def test_retry_after_is_honoured(clock, asked, pause):
    policy = Retry(2, 1.0, jitter="none", max_delay=5, retry_after=lambda exc: asked, clock=clock)
    policy.call(Flaky(1))
    assert clock() == 1000.0 + pause


def test_retry_after_as_a_date(clock):
    when = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=100)
    text = email.utils.format_datetime(when, usegmt=True)
    Retry(2, 1.0, retry_after=lambda exc: text, clock=clock).call(Flaky(1))
    assert 95 < clock() - 1000.0 <= 100


def test_no_pause_beyond_a_deadline_of_anybody(clock):
    flaky = Flaky(9)
    with deadline(5.0, clock=clock), pytest.raises(ConnectionError, match="number 3"):
        Retry(9, 2.0, backoff=1.0, jitter="none", clock=clock).call(flaky)
    assert clock() == 1004.0


def test_pauses_too_long_for_a_float_are_the_longest_pause(clock):
    with pytest.raises(ConnectionError):
        Retry(4, 1.0, backoff=1e200, max_delay=5.0, jitter="none", clock=clock).call(Flaky(9))
    assert clock() == 1011.0


def test_cancelling_a_pause_cancels(clock):
    async def main():
        task = asyncio.create_task(
            Retry(3, 100.0, jitter="none", clock=clock).acall(Flaky(9).awaited)
        )
        await asyncio.sleep(10)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert run_virtual(main(), clock)


@pytest.mark.parametrize(
    "asked",
    [
        *("9999999999", "9" * 400, 10**400, 86_401, float("inf"), dt.timedelta.max),
        "Fri, 31 Dec 9999 23:59:59 GMT",
    ],
    ids=lambda asked: str(asked)[:12],
)
@pytest.mark.parametrize("awaits", [False, True])
def test_nobody_waits_longer_than_a_day(asked, awaits):
    flaky = Flaky(1)
    policy = Retry(2, retry_after=lambda exc: asked)
    with pytest.raises(ConnectionError, match="number 1"):
        asyncio.run(policy.acall(flaky.awaited)) if awaits else policy.call(flaky)


@pytest.mark.parametrize(
    "asked",
    [[], {}, object(), b"5", "1e3", "²", "-1", "Fri, 99 Dec 2026", "0" * 5000, -(10**400), 1j],
    ids=lambda asked: str(asked)[:12],
)
def test_what_is_no_time_does_not_replace_the_failure(clock, asked):
    policy = Retry(2, 1.0, jitter="none", retry_after=lambda exc: asked, clock=clock)
    assert policy.call(Flaky(1)) == "answer"
    with pytest.raises(ConnectionError, match="number 2"):
        policy.call(Flaky(2))


def raising(*args):
    raise ZeroDivisionError


@pytest.mark.parametrize("awaits", [False, True])
def test_a_retry_after_that_raises_does_not_replace_the_failure(clock, awaits, caplog):
    policy = Retry(2, 1.0, jitter="none", retry_after=raising, clock=clock)
    flaky = Flaky(9)
    with pytest.raises(ConnectionError, match="number 2"):
        run_virtual(policy.acall(flaky.awaited), clock) if awaits else policy.call(flaky)
    assert clock() == pytest.approx(1001.0)
    assert "retry_after" in caplog.text


@pytest.mark.parametrize(
    "options", [{}, {"max_delay": 1e308}, {"max_delay": 1e308, "backoff": 9e99}]
)
def test_no_pause_is_too_long_for_the_system(options):
    pause = Retry(9, 1e300, jitter="none", **options)._rules.pause(3, ValueError())
    assert pause <= 1e9
