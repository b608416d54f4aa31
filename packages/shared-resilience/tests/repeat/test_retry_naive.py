"""Behaviour that toys get wrong, retry: ours passes, each naive twin must fail its check."""

import asyncio
import contextlib
import logging

import pytest
import stamina
import stamina.instrumentation

from shared.resilience import Retry, RetryBudget
from shared.resilience.testing import VirtualClock


def naive(twin):
    return pytest.param(twin, marks=pytest.mark.xfail(raises=AssertionError, strict=True))


class Loop:
    """A loop with an except for everything, and the same pause each time."""

    def __init__(self, max_attempts=3, delay=1.0, *, clock, **_):
        self.attempts, self.delay, self.clock = max_attempts, delay, clock

    def call(self, fn, *args):
        last: BaseException | None = None
        for attempt in range(self.attempts):
            try:
                return fn(*args)
            except BaseException as exc:
                last = exc
                if attempt + 1 < self.attempts:
                    self.clock.sleep(self.delay)
        raise RuntimeError("gave up") from last


class BareStamina:
    """stamina itself, which looks at its timeout after an attempt and logs what it was called with."""

    def __init__(self, max_attempts=3, delay=1.0, *, clock, timeout=None, **_):
        self.decorate = stamina.retry(
            on=Exception, attempts=max_attempts, wait_initial=delay, wait_jitter=0, timeout=timeout
        )

    def call(self, fn, *args):
        return self.decorate(fn)(*args)


against_a_loop = pytest.mark.parametrize("cls", [Retry, naive(Loop)])


class Failing:
    """Fails always; knows how often it was asked."""

    def __init__(self, exc=ValueError):
        self.exc, self.calls = exc, 0

    def __call__(self, *args):
        self.calls += 1
        raise self.exc("mine")


def swallow(retry, fn, *args):
    with contextlib.suppress(BaseException):
        retry.call(fn, *args)


@against_a_loop
def test_a_failed_last_attempt_raises_the_original(cls, clock):
    mine, got = ValueError("mine"), None

    def raise_mine():
        raise mine

    try:
        cls(2, 0, clock=clock).call(raise_mine)
    except Exception as exc:
        got = exc
    assert got is mine


@against_a_loop
@pytest.mark.parametrize(
    "interrupt", [KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError]
)
def test_only_an_exception_is_retryable(cls, interrupt, clock):
    fn = Failing(interrupt)
    swallow(cls(3, 0, clock=clock), fn)
    assert fn.calls == 1


@against_a_loop
def test_no_pause_goes_past_the_deadline(cls, clock):
    swallow(cls(5, 10.0, jitter="none", timeout=25.0, clock=clock), Failing())
    assert clock() == 1000.0 + 10.0  # the second pause, 20 s, would go past 25 s: raised at once


@pytest.mark.parametrize("cls", [Retry, naive(BareStamina)])
def test_what_no_attempt_can_follow_is_raised_at_once(cls, monkeypatch):
    clock = VirtualClock()
    slept: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", slept.append)
    swallow(cls(2, 30.0, jitter="none", timeout=10.0, clock=clock), Failing())
    assert (slept, clock()) == ([], 0.0)


@against_a_loop
def test_retry_after_is_honoured(cls, clock):
    retry = cls(2, 1.0, jitter="none", retry_after=lambda exc: "120", clock=clock)
    swallow(retry, Failing())
    assert clock() == 1000.0 + 120.0


@against_a_loop
def test_the_budget_is_a_ratio_of_the_traffic_of_all_callers(cls, clock):
    budget = RetryBudget(ratio=0.1, min_per_second=0, clock=clock)
    fn = Failing()
    retries = [cls(3, 0, budget=budget, clock=VirtualClock()) for _ in range(2)]
    for _ in range(50):
        for retry in retries:
            swallow(retry, fn)
    assert fn.calls == 110


@against_a_loop
def test_set_active_switches_retries_off(cls, clock):
    stamina.set_active(False)
    fn = Failing()
    swallow(cls(3, 0, clock=clock), fn)
    assert fn.calls == 1


@against_a_loop
def test_testing_mode_sets_the_attempts_and_does_not_sleep(cls, clock):
    fn = Failing()
    with stamina.set_testing(True, attempts=2):
        swallow(cls(5, 60.0, clock=clock), fn)
    assert (fn.calls, clock()) == (2, 1000.0)


@against_a_loop
def test_staminas_hooks_hear_of_each_retry(cls, clock):
    heard: list[int] = []
    stamina.instrumentation.set_on_retry_hooks([lambda seen: heard.append(seen.retry_num)])
    swallow(cls(3, 0, clock=clock), Failing())
    assert heard == [1, 2]


@pytest.mark.parametrize("cls", [Retry, naive(BareStamina)])
def test_arguments_are_never_logged(cls, clock, caplog):
    stamina.instrumentation.set_on_retry_hooks([stamina.instrumentation.LoggingOnRetryHook])
    with caplog.at_level(logging.DEBUG):
        swallow(cls(2, 0, clock=clock), Failing(), "a secret")
    assert caplog.records
    assert not any("a secret" in repr(vars(record)) for record in caplog.records)
