"""Hedging: the first success wins, a failure never does."""

import asyncio
import contextvars
import gc
import itertools
import threading

import pytest

from shared.resilience import (
    Hedge,
    RetryBudget,
)
from shared.resilience.testing import VirtualClock, run_virtual


def learn(learner, limit, times):
    for seconds in times:
        limit = max(1.0, min(80.0, learner.update(limit, seconds, int(limit), dropped=False)))
    return limit


def answers(*plan):
    """Make an async function whose calls take (seconds, result or exception) in turn."""
    calls = iter(plan)
    log = []

    async def fn():
        seconds, result = next(calls)
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            log.append("cancelled")
            raise
        log.append(result)
        if isinstance(result, Exception):
            raise result
        return result

    fn.log = log  # type: ignore[attr-defined]
    return fn


@pytest.mark.parametrize(
    ("plan", "expected", "when"),
    [
        ([(0.5, "first")], "first", 0.5),
        ([(9, "first"), (1, "second")], "second", 2.0),
        ([(3, "first"), (9, "second")], "first", 3.0),
        # a failure never wins over a later success
        ([(2, ValueError("first")), (3, "second")], "second", 4.0),
        ([(9, "first"), (1, ValueError("second"))], "first", 9.0),
        # a failure brings the next copy forward
        ([(0.5, ValueError("first")), (1, "second")], "second", 1.5),
    ],
)
def test_which_copy_wins_and_when(plan, expected, when):
    clock = VirtualClock()
    fn = answers(*plan)

    async def main():
        result = await Hedge(delay=1.0, clock=clock).acall(fn)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return result

    assert run_virtual(main(), clock) == expected
    assert clock() == pytest.approx(when)


def test_of_two_successes_at_once_the_older_copy_wins():
    for _ in range(20):  # not by where its task lies in memory
        fn = answers((2, "first"), (1, "second"))
        assert run_virtual(Hedge(delay=1.0).acall(fn)) == "first"


def test_a_failure_beside_a_success_is_nobodys_business(caplog):
    fn = answers((2, "first"), (1, ValueError("second")))
    assert run_virtual(Hedge(delay=1.0).acall(fn)) == "first"
    gc.collect()
    assert caplog.text == ""  # no "exception was never retrieved"


def test_when_all_copies_fail_the_first_failure_is_raised():
    mine = ValueError("first")
    fn = answers((2, mine), (0.1, KeyError("second")), (5, OSError("third")))
    with pytest.raises(ValueError, match="first") as caught:
        run_virtual(Hedge(delay=1.0, max_hedges=2).acall(fn))
    assert caught.value is mine


def test_cancelling_a_hedged_call_cancels_all_copies():
    fn = answers((99, 1), (99, 2))

    async def main():
        task = asyncio.create_task(Hedge(delay=1.0).acall(fn))
        await asyncio.sleep(5)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert run_virtual(main())
    assert fn.log == ["cancelled", "cancelled"]


def test_hedge_at_a_percentile_and_within_a_budget(clock):
    hedge = Hedge(percentile=90, clock=clock)
    assert hedge.present_delay is None

    async def learn():
        for tenth in range(1, 21):
            await hedge.acall(asyncio.sleep, tenth / 10)

    run_virtual(learn(), clock)
    assert hedge.present_delay == pytest.approx(1.8)
    budget = RetryBudget(ratio=0, min_per_second=0)
    fn = answers((5, "only"), (0, "never sent"))
    assert run_virtual(Hedge(delay=1.0, budget=budget).acall(fn)) == "only"


def test_hedging_plain_functions_needs_thread():
    with pytest.raises(TypeError, match="thread=True"):
        Hedge(delay=1.0)(lambda: 1)
    variable = contextvars.ContextVar("variable", default="unset")
    variable.set("copied")
    calls = itertools.count()
    release = threading.Event()

    @Hedge(delay=0.01, thread=True)
    def fetch():
        if next(calls) == 0:
            release.wait(10)
            raise ValueError("loser")
        return variable.get()

    assert fetch() == "copied"
    release.set()

    @Hedge(delay=0.01, thread=True)
    def fail():
        raise ValueError("both")

    with pytest.raises(ValueError, match="both"):
        fail()


def fail(*args, **kwargs):
    raise ConnectionError("down")
