"""Retry: stamina's switches, deadlines, Retry-After, budget, blocks, generators."""

import asyncio
import datetime as dt
import email.utils

import pytest
import stamina
import stamina.instrumentation

from shared.resilience import (
    CircuitOpenError,
    Retry,
    RetryBudget,
    async_retry,
    deadline,
    remaining,
    retry,
    retry_with_backoff,
)
from shared.resilience.testing import VirtualClock, run_virtual


@pytest.fixture(autouse=True)
def seen():
    """What stamina's hooks saw; also keeps its default hooks quiet."""
    details: list[stamina.instrumentation.RetryDetails] = []

    def hook(seen: stamina.instrumentation.RetryDetails) -> None:
        details.append(seen)

    stamina.instrumentation.set_on_retry_hooks([hook])  # type: ignore[list-item]
    yield details
    stamina.instrumentation.set_on_retry_hooks([])
    stamina.set_active(True)
    stamina.set_testing(False)


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


def test_on_retry_and_stamina_see_each_repeated_attempt_once(clock, seen):
    heard = []
    flaky = Flaky(2)
    policy = Retry(3, 0, on_retry=lambda n, exc: heard.append((n, str(exc))), clock=clock)
    policy.call(flaky, "a secret")
    assert heard == [(1, "number 1"), (2, "number 2")]
    assert [d.retry_num for d in seen] == [1, 2]
    assert all(d.args == () and d.kwargs == {} for d in seen)
    assert "secret" not in repr(seen)


def test_the_name_that_stamina_sees(clock, seen):
    @Retry(2, 0, clock=clock)
    def fetch_page(calls=[]):  # noqa: B006  counts on purpose
        calls.append(1)
        if len(calls) == 1:
            raise ConnectionError

    fetch_page()
    assert seen[0].name.endswith("fetch_page")


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


def test_stamina_can_switch_it_off(clock):
    stamina.set_active(False)
    flaky = Flaky(1)
    with pytest.raises(ConnectionError):
        Retry(3, 0, clock=clock).call(flaky)
    with pytest.raises(ConnectionError):
        for attempt in Retry(3, 0, clock=clock):
            with attempt:
                Flaky(1)()
    assert flaky.calls == 1


@pytest.mark.parametrize(("attempts", "cap", "calls"), [(1, False, 1), (5, False, 5), (5, True, 3)])
def test_staminas_testing_mode_decides_the_attempts_and_does_not_sleep(attempts, cap, calls):
    heard = []
    flaky = Flaky(99)
    with stamina.set_testing(True, attempts=attempts, cap=cap), pytest.raises(ConnectionError):
        Retry(3, 3600.0, on_retry=lambda *a: heard.append(a)).call(flaky)
    assert flaky.calls == calls
    assert len(heard) == calls - 1


def test_blocks(clock):
    flaky = Flaky(2)
    numbers = []
    answer = None
    for attempt in Retry(3, 1.0, jitter="none", backoff=1.0, clock=clock):
        with attempt:
            numbers.append(attempt.number)
            answer = flaky()
    assert (numbers, answer, clock()) == ([1, 2, 3], "answer", 1002.0)
    with pytest.raises(ConnectionError, match="number 2"):
        for attempt in Retry(2, 0, clock=clock):
            with attempt:
                numbers.append(Flaky.__call__(flaky2))
    with pytest.raises(KeyboardInterrupt):
        for attempt in Retry(2, 0, clock=clock):
            with attempt:
                raise KeyboardInterrupt


flaky2 = Flaky(9)


def test_async_blocks(clock):
    flaky = Flaky(2)

    async def main():
        answer = None
        async for attempt in Retry(3, 1.0, jitter="none", backoff=1.0, clock=clock):
            with attempt:
                answer = await flaky.awaited()
        return answer

    assert run_virtual(main(), clock) == "answer"
    assert clock() == pytest.approx(1002.0)


def test_pauses_too_long_for_a_float_are_the_longest_pause(clock):
    with pytest.raises(ConnectionError):
        Retry(4, 1.0, backoff=1e200, max_delay=5.0, jitter="none", clock=clock).call(Flaky(9))
    assert clock() == 1011.0


def test_a_block_waits_no_longer_than_the_deadline_around_it(clock):
    with deadline(5.0, clock=clock), pytest.raises(ConnectionError):
        for attempt in Retry(
            None, 2.0, jitter="none", backoff=1.0, max_delay=2.0, timeout=100.0, clock=clock
        ):
            with attempt:
                Flaky(1)()
    assert clock() == 1004.0


def test_blocks_know_what_time_is_left(clock):
    left = []
    with pytest.raises(ConnectionError):
        for attempt in Retry(None, 2.0, jitter="none", backoff=1.0, timeout=5.0, clock=clock):
            with attempt:
                left.append(remaining())
                Flaky(1)()
    assert left == [5.0, 3.0, 1.0]
    assert remaining() is None


async def consume(stream):
    return [item async for item in stream]


def test_a_block_has_no_attempt_timeout():
    retry = Retry(2, 0, attempt_timeout=1.0)
    with pytest.raises(TypeError, match="attempt_timeout"):
        next(iter(retry))
    with pytest.raises(TypeError, match="attempt_timeout"):
        asyncio.run(consume(retry))
    with pytest.raises(TypeError, match="generator"):

        @retry
        def items():
            yield 1


def test_generators_and_timeouts(seen):
    async def items():
        got.append(1)
        yield 1
        await asyncio.sleep(3600)
        yield 2

    for policy, tries in ((Retry(3, 0, attempt_timeout=0.02), 3), (Retry(3, 0, timeout=0.02), 1)):
        got: list[int] = []
        with pytest.raises(TimeoutError):
            asyncio.run(consume(policy(items)()))
        assert got == [1] * tries
    assert {details.name for details in seen} == {
        f"{__name__}.test_generators_and_timeouts.<locals>.items"
    }


def test_generators_start_again(clock):
    flaky = Flaky(1)

    @Retry(2, 0, clock=clock)
    def items():
        yield 1
        yield flaky()

    assert list(items()) == [1, 1, "answer"]
    flaky.calls = 0

    @Retry(2, 0, clock=clock)
    async def aitems():
        got = yield 1
        flaky()
        yield got

    async def main():
        stream = aitems()
        assert [await anext(stream), await stream.asend("lost"), await stream.asend("kept")] == [
            1,
            1,
            "kept",
        ]
        await stream.aclose()

    run_virtual(main(), clock)


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


def test_the_decorators(clock):
    flaky = Flaky(1)

    @retry
    def one():
        return 1

    @retry(max_attempts=2, delay=0, clock=clock)
    def two():
        return flaky()

    @retry_with_backoff(max_retries=0, backoff_factor=2.0, clock=clock)
    def none():
        return Flaky(1)()

    @async_retry
    async def three():
        return 3

    assert (one(), two(), asyncio.run(three())) == (1, "answer", 3)
    with pytest.raises(ConnectionError):
        none()
    with pytest.raises(TypeError, match="async_retry"):
        async_retry(max_attempts=2)(one)
