"""Adaptive limits follow what a service can take."""

import asyncio

import pytest

from shared.resilience import (
    AdaptiveLimiter,
    BulkheadFullError,
    Gradient,
    Vegas,
)
from shared.resilience.testing import VirtualClock, run_virtual


def serve_with(algorithm, capacity, seconds=300.0):
    """A service of fixed speed: beyond its capacity calls only get slower. Returns the limit."""
    clock = VirtualClock()
    limiter = AdaptiveLimiter(algorithm, initial=20, max_limit=500, clock=clock)
    limits = []

    async def call():
        await asyncio.sleep(0.1 * max(1.0, limiter.active / capacity))

    async def client():
        while clock() < seconds:
            try:
                await limiter.acall(call)
            except BulkheadFullError:
                await asyncio.sleep(0.05)
            limits.append(limiter.limit)

    async def main():
        await asyncio.gather(*(client() for _ in range(120)))

    run_virtual(main(), clock)
    assert limiter.active == 0
    return limits[len(limits) // 2 :]


@pytest.mark.parametrize("algorithm", ["gradient", "vegas"])
def test_the_limit_settles_near_what_the_service_bears(algorithm):
    limits = serve_with(algorithm, capacity=40, seconds=25.0)
    assert 30 <= sum(limits) / len(limits) <= 90


def test_drops_shrink_the_limit_and_other_failures_do_not():
    for algorithm in (Gradient(), Vegas()):
        limiter = AdaptiveLimiter(algorithm, initial=10, min_limit=5)

        def fail(exc):
            raise exc

        for exc in (ValueError("a bug"), KeyboardInterrupt()):
            with pytest.raises(type(exc)):
                limiter.call(fail, exc)
        assert limiter.limit == 10
        for _ in range(50):
            with pytest.raises(TimeoutError):
                limiter.call(fail, TimeoutError())
        assert limiter.limit == 5
        assert limiter.active == 0


@pytest.mark.parametrize("algorithm", [Gradient, Vegas])
def test_few_calls_say_nothing_about_the_limit(algorithm):
    limit, learner = 40.0, algorithm(probe_every=10_000)
    for _ in range(2000):
        limit = learner.update(limit, 0.01, 5, dropped=False)
    assert limit == 40.0


def learn(learner, limit, times):
    for seconds in times:
        limit = max(1.0, min(80.0, learner.update(limit, seconds, int(limit), dropped=False)))
    return limit


@pytest.mark.parametrize("algorithm", [Gradient, Vegas])
def test_slower_calls_shrink_the_limit_until_the_fastest_time_is_taken_anew(algorithm):
    learner = algorithm(probe_every=60)
    fast = learn(learner, 40.0, [0.01] * 2000)
    limits = [fast]
    for _ in range(100):
        limits.append(learn(learner, limits[-1], [0.1] * 100))
    lowest = min(limits)
    assert lowest < fast / 2
    assert max(limits[limits.index(lowest) :]) > 40


def test_calls_from_before_the_cut_are_no_baseline():
    learner, limit = Gradient(probe_every=1), 20.0
    limit = learn(learner, limit, [0.01] * 20)  # the baseline
    limit = learn(learner, limit, [0.01] * 20)
    cut = learn(learner, limit, [0.1] * 22)
    assert cut == limit / 2
    # As many as were under way then, and those that measure the baseline again.
    assert learn(learner, cut, [0.1] * int(limit) + [0.01] * 11) == cut
    assert learn(learner, cut, [0.1] * 11) < cut


def test_a_limit_that_shrank_takes_slots_away_as_they_come_back():
    class Steps:
        def update(self, limit, seconds, active, *, dropped):
            return limit / 2

    limiter = AdaptiveLimiter(Steps(), initial=8)
    passes = [limiter._begin() for _ in range(8)]
    passes.pop().end(None)
    assert limiter.limit == 4
    assert limiter.active == 7
    with pytest.raises(BulkheadFullError):
        limiter.call(int)
    for leave in passes:
        leave.end(None)
    assert (limiter.limit, limiter.active) == (1, 0)
    assert limiter.call(int) == 0


def fail(*args, **kwargs):
    raise ConnectionError("down")


def test_a_service_that_became_slower_for_good_is_not_starved():
    algorithm = Gradient()
    limit = 50.0
    for seconds in [0.1] * 500 + [1.0] * 5000:
        limit = min(100.0, algorithm.update(limit, seconds, int(limit), dropped=False))
    assert algorithm._low == pytest.approx(1.0)
    assert limit > 40
