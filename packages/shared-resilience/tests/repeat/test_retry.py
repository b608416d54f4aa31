"""What is repeated, how often, within which time and budget."""

import asyncio

import pytest

from shared.resilience import (
    CircuitOpenError,
    Retry,
    RetryBudget,
    retry,
)
from shared.resilience.testing import VirtualClock, run_virtual


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


def test_a_failed_last_attempt_is_no_retry(clock):
    heard = []
    with pytest.raises(ConnectionError, match="number 3") as caught:
        Retry(3, 0, on_retry=lambda *a: heard.append(a), clock=clock).call(Flaky(9))
    assert len(heard) == 2
    assert not isinstance(caught.value.__context__, ConnectionError)


def test_what_is_not_named_is_not_retried(clock):
    for exceptions in (KeyError, (KeyError, OSError), lambda exc: isinstance(exc, KeyError)):
        flaky = Flaky(1, ValueError)
        with pytest.raises(ValueError, match="number 1"):
            Retry(3, 0, exceptions=exceptions, clock=clock).call(flaky)
        assert flaky.calls == 1


def test_refusals_are_retried_only_by_those_who_name_them(clock):
    flaky = Flaky(1, CircuitOpenError)
    with pytest.raises(CircuitOpenError):
        Retry(3, 0, clock=clock).call(flaky)
    assert flaky.calls == 1
    assert Retry(3, 0, exceptions=CircuitOpenError, clock=clock).call(Flaky(1, CircuitOpenError))


def test_unwanted_results(clock):
    results = iter([None, None, 3])
    assert (
        Retry(3, 0, retry_if_result=lambda r: r is None, clock=clock).call(lambda: next(results))
        == 3
    )
    heard = []
    policy = Retry(2, 0, retry_if_result=bool, on_retry=lambda *a: heard.append(a), clock=clock)
    assert policy.call(lambda: "still unwanted") == "still unwanted"
    assert heard == [(1, None)]
    assert Retry(1, 0, retry_if_result=bool).call(lambda: 1) == 1


def test_a_running_async_attempt_is_interrupted_by_the_total_timeout():
    clock = VirtualClock()

    async def hang():
        await asyncio.sleep(100)

    with pytest.raises(TimeoutError):
        run_virtual(Retry(3, 0, timeout=5.0, clock=clock).acall(hang), clock)
    assert clock() == pytest.approx(5.0)


def test_attempts_have_their_own_timeout():
    clock = VirtualClock()
    waits = iter([100, 100, 0])

    async def slow():
        await asyncio.sleep(next(waits))
        return "answer"

    policy = Retry(3, 0, attempt_timeout=2.0, clock=clock)
    assert run_virtual(policy.acall(slow), clock) == "answer"
    assert clock() == pytest.approx(4.0)
    with pytest.raises(TypeError, match="plain function"):
        policy(lambda: 1)


def test_an_exhausted_budget_raises_the_calls_own_failure_with_a_note(clock, events):
    budget = RetryBudget(ratio=0.0, min_per_second=0.1, window=10, clock=clock)
    policy = Retry(3, 0, budget=budget, clock=clock)
    with pytest.raises(ConnectionError, match="number 2") as caught:
        policy.call(Flaky(9))
    assert any("RetryBudgetExhausted" in note for note in caught.value.__notes__)
    assert "budget_exhausted" in [event.kind for event in events]
    clock.advance(11)
    assert policy.call(Flaky(1)) == "answer"


def test_one_budget_for_several_policies_async_too(clock):
    budget = RetryBudget(ratio=0.5, min_per_second=0, clock=clock)
    flaky = Flaky(100)

    async def main():
        for _ in range(10):
            with pytest.raises(ConnectionError):
                await Retry(2, 0, budget=budget, clock=clock).acall(flaky.awaited)

    run_virtual(main(), clock)
    for _ in range(10):
        with pytest.raises(ConnectionError):
            Retry(2, 0, budget=budget, clock=clock).call(flaky)
    assert flaky.calls == 30


def test_the_decorator_with_arguments_and_without(clock):
    flaky = Flaky(1)

    @retry
    def one():
        return 1

    @retry(max_attempts=2, delay=0, clock=clock)
    def two():
        return flaky()

    assert (one(), two()) == (1, "answer")
