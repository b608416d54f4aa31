"""Bulkhead, adaptive limits, throttle, hedge, fallbacks, batches, chaos, pipeline."""

import asyncio
import contextvars
import gc
import itertools
import pickle
import threading

import pytest

from shared.resilience import (
    AdaptiveLimiter,
    AdaptiveThrottle,
    Bulkhead,
    BulkheadFullError,
    Chaos,
    CircuitBreaker,
    CircuitBreakerConfig,
    CircuitOpenError,
    Fallback,
    Gradient,
    Hedge,
    Pipeline,
    ProviderFallback,
    RateLimitedError,
    RateLimiter,
    Retry,
    RetryBudget,
    Vegas,
    deadline,
    process_in_batches,
    with_fallback,
)
from shared.resilience.testing import VirtualClock, run_virtual

# ------------------------------------------------------------------ bulkhead


def test_bulkhead_holds_queues_and_refuses():
    clock = VirtualClock()
    bulkhead = Bulkhead(2, max_queue=3, max_wait=10.0, clock=clock)
    most = 0

    async def work(seconds):
        nonlocal most
        most = max(most, bulkhead.active)
        await asyncio.sleep(seconds)

    async def main():
        calls = (bulkhead.acall(work, 1.0) for _ in range(10))
        return await asyncio.gather(*calls, return_exceptions=True)

    results = run_virtual(main(), clock)
    assert sum(isinstance(r, BulkheadFullError) for r in results) == 5
    assert most == 2
    assert (bulkhead.active, bulkhead.queued) == (0, 0)


def test_bulkhead_waits_no_longer_than_allowed():
    clock = VirtualClock()
    bulkhead = Bulkhead(1, max_queue=5, max_wait=2.0, clock=clock)

    async def main():
        holder = asyncio.create_task(bulkhead.acall(asyncio.sleep, 10))
        await asyncio.sleep(0)
        with pytest.raises(BulkheadFullError, match="2 s"):
            await bulkhead.acall(asyncio.sleep, 0)
        assert clock() == pytest.approx(2.0)
        with pytest.raises(TimeoutError):
            async with deadline(1.0, clock=clock):
                await bulkhead.acall(asyncio.sleep, 0)
        cancelled = asyncio.create_task(bulkhead.acall(asyncio.sleep, 0))
        await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.wait([cancelled])
        assert bulkhead.queued == 0
        await holder

    run_virtual(main(), clock)


def test_a_slot_that_comes_with_a_cancellation_is_passed_on():
    async def main():
        bulkhead = Bulkhead(1, max_queue=5)
        release = asyncio.Event()
        holder = asyncio.create_task(bulkhead.acall(release.wait))
        await asyncio.sleep(0)
        waiter = asyncio.create_task(bulkhead.acall(asyncio.sleep, 0))
        third = asyncio.create_task(bulkhead.acall(asyncio.sleep, 0, "third"))
        await asyncio.sleep(0)
        release.set()
        await holder  # the slot is handed to `waiter` here
        waiter.cancel()
        assert await third == "third"
        return bulkhead.active

    assert asyncio.run(main()) == 0


def test_waiting_for_a_slot_ends_with_the_deadline(clock):
    bulkhead = Bulkhead(1, max_queue=1, clock=clock)

    @bulkhead
    def inner():
        raise AssertionError("it is full")

    with bulkhead, deadline(5.0, clock=clock), pytest.raises(TimeoutError, match="deadline"):
        inner()
    assert clock() == 1005.0
    assert (bulkhead.active, bulkhead.queued) == (0, 0)


def test_a_plain_call_that_ends_lets_the_next_in():
    bulkhead = Bulkhead(1, max_queue=5, max_wait=10)
    begun, go_on = threading.Event(), threading.Event()

    @bulkhead
    def first():
        begun.set()
        go_on.wait(10)

    @bulkhead
    async def second():
        return "in"

    async def main():
        task = asyncio.create_task(second())
        await asyncio.sleep(0)
        assert bulkhead.queued == 1
        go_on.set()
        return await task

    thread = threading.Thread(target=first)
    thread.start()
    begun.wait(10)
    assert asyncio.run(main()) == "in"
    thread.join(10)


def test_bulkhead_among_threads_and_tasks():
    bulkhead = Bulkhead(3, max_queue=100)
    inside, most = 0, 0
    lock = threading.Lock()

    def count(step):
        nonlocal inside, most
        with lock:
            inside += step
            most = max(most, inside)

    def in_thread():
        for _ in range(200):
            with bulkhead:
                count(1)
                count(-1)

    async def in_loop():
        async def one():
            async with bulkhead:
                count(1)
                await asyncio.sleep(0)
                count(-1)

        await asyncio.gather(*(one() for _ in range(50)))

    threads = [threading.Thread(target=in_thread) for _ in range(4)]
    threads.append(threading.Thread(target=asyncio.run, args=(in_loop(),)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    assert most <= 3
    assert (bulkhead.active, bulkhead.queued) == (0, 0)


# ------------------------------------------------------------------ adaptive limits


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
    # As many as were under way then, and those that measure the baseline anew.
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


def test_throttle_follows_the_books_formula(clock):
    throttle = AdaptiveThrottle(k=2.0, clock=clock, rng=lambda: 0.999999)

    def fail():
        raise ConnectionError

    for _ in range(50):
        throttle.call(int)
    for _ in range(150):
        with pytest.raises(ConnectionError):
            throttle.call(fail)
    assert throttle.probability == pytest.approx((200 - 2 * 50) / 201)
    throttle._rng = lambda: 0.0
    with pytest.raises(RateLimitedError):
        throttle.call(int)
    assert throttle.probability == pytest.approx((201 - 2 * 50) / 202)
    clock.advance(125)
    assert throttle.probability == 0.0


def test_refusals_of_the_policies_inside_are_no_sign_of_load(clock):
    refusing = Bulkhead(1)
    throttle = AdaptiveThrottle(clock=clock, rng=lambda: 0.999)
    limiter = AdaptiveLimiter(initial=10, dropped=Exception)
    with refusing:
        for policy in (throttle, limiter):
            for _ in range(50):
                with pytest.raises(BulkheadFullError):
                    policy(refusing(int))()
    assert (throttle.probability, limiter.limit) == (0.0, 10)


def test_throttle_counts_only_what_the_service_refused(clock):
    throttle = AdaptiveThrottle(rejections=ConnectionError, clock=clock)

    def fail(exc):
        raise exc

    for _ in range(100):
        with pytest.raises(ValueError, match="a bug"):
            throttle.call(fail, ValueError("a bug"))
    with pytest.raises(KeyboardInterrupt):
        throttle.call(fail, KeyboardInterrupt())
    assert throttle.probability == 0.0


# ------------------------------------------------------------------ hedge


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
def test_hedge(plan, expected, when):
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


# ------------------------------------------------------------------ fallbacks


def fail(*args, **kwargs):
    raise ConnectionError("down")


async def afail(*args):
    raise ConnectionError("down")


def test_fallback():
    assert Fallback([]).call(fail) == []
    assert Fallback(lambda: "nothing").call(fail, 1, 2) == "nothing"
    assert Fallback(lambda a, b: a + b).call(fail, 1, 2) == 3
    with pytest.raises(ConnectionError):
        Fallback(0, on=ValueError).call(fail)
    with pytest.raises(KeyboardInterrupt):

        @Fallback(0)
        def interrupt():
            raise KeyboardInterrupt

        interrupt()

    async def backup(x):
        return x

    async def main():
        assert await Fallback(0).acall(afail) == 0
        assert await Fallback(backup).acall(afail, 5) == 5

        @Fallback(["a", "b"])
        async def items():
            raise ConnectionError
            yield  # type: ignore[unreachable]

        assert [item async for item in items()] == ["a", "b"]

    asyncio.run(main())
    with pytest.raises(TypeError, match="async"):
        Fallback(backup)(fail)

    @Fallback(["backup"])
    def stream(good):
        yield from good
        raise ConnectionError

    async def two_way(good):
        if not good:
            raise ConnectionError
        try:
            got = yield "first"
        except KeyError:
            got = "thrown"
        yield got

    async def converse(good):
        answer = Fallback(lambda good: backup_stream())(two_way)(good)
        first, sent = await anext(answer), await answer.asend("sent")
        await answer.aclose()
        thrower = Fallback([])(two_way)("good")
        await anext(thrower)
        assert await thrower.athrow(KeyError()) == "thrown"
        return first, sent

    async def backup_stream():
        yield (yield "backup")

    assert asyncio.run(converse("good")) == ("first", "sent")
    assert asyncio.run(converse("")) == ("backup", "sent")
    assert list(stream([])) == ["backup"]
    with pytest.raises(ConnectionError):
        list(stream(["begun"]))


def test_provider_fallback():
    asked = []

    @with_fallback("primary", ["one", "two"], on=ConnectionError)
    async def price(symbol, *, provider):
        asked.append(provider)
        if provider != "two":
            raise ConnectionError(provider)
        return symbol, provider

    answer = asyncio.run(price("ACME"))  # type: ignore[call-arg]
    assert answer == ("ACME", "two")
    assert asked == ["primary", "one", "two"]
    with pytest.raises(ConnectionError) as caught:
        ProviderFallback("primary", ["one"]).call(fail)
    assert any("primary failed before" in note for note in caught.value.__notes__)
    with pytest.raises(TypeError, match="provider"):
        with_fallback("primary")(lambda symbol: symbol)
    with pytest.raises(TypeError, match="fallbacks"):
        ProviderFallback("primary", "backup")


# ------------------------------------------------------------------ batches


class Meter:
    """A processor that knows how many batches exist at once."""

    def __init__(self, delays=()):
        self.now = self.most = 0
        self.delays = iter(delays)
        self.cancelled = 0

    async def __call__(self, batch):
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(next(self.delays, 0.1))
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.now -= 1
        return sum(batch)


@pytest.mark.parametrize(("ordered", "expected"), [(True, [1, 5, 9]), (False, [5, 9, 1])])
def test_batches_in_order_or_as_they_come(ordered, expected):
    async def main():
        meter = Meter([3, 1, 2])
        stream = process_in_batches(range(6), 2, meter, max_in_flight=3, ordered=ordered)
        return [result async for result in stream]

    assert run_virtual(main()) == expected


def test_an_endless_source_is_read_no_further_than_needed():
    taken = itertools.count()

    async def main():
        meter = Meter()
        stream = aiter(process_in_batches(taken, 10, meter, max_in_flight=4))
        for _ in range(3):
            await anext(stream)
        await stream.aclose()
        assert meter.most == 4
        assert meter.now == 0
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run_virtual(main())
    assert next(taken) <= 10 * (3 + 4)


def test_a_slow_source_holds_no_result_back():
    closed = []

    async def slow():
        try:
            for number in range(3):
                yield number
                await asyncio.sleep(100)
        finally:
            closed.append(True)

    clock = VirtualClock()

    async def main():
        stream = aiter(process_in_batches(slow(), 1, Meter(), max_in_flight=2))
        first = await anext(stream)
        when = clock()
        await stream.aclose()
        return first, when

    assert run_virtual(main(), clock) == (0, pytest.approx(0.1))
    assert closed == [True]


def test_a_failing_batch_is_raised_in_its_place_and_the_rest_cancelled():
    meter = Meter([0.1, 0.1, 50])

    async def processor(batch):
        result = await meter(batch)
        if batch == [1]:
            raise ValueError("second")
        return result

    async def main():
        results = []
        with pytest.raises(ValueError, match="second"):
            async for result in process_in_batches(range(9), 1, processor, max_in_flight=3):
                results.append(result)
        return results

    assert run_virtual(main()) == [0]
    assert meter.cancelled >= 1
    assert meter.now == 0


def test_batches_awaited_or_in_plain_code():
    async def main():
        return await process_in_batches([1, 2, 3], 2, sum, max_in_flight=2)

    assert asyncio.run(main()) == [3, 3]
    assert list(process_in_batches(iter(range(5)), 2, list)) == [[0, 1], [2, 3], [4]]
    assert list(process_in_batches([], 2, list)) == []
    with pytest.raises(TypeError, match="async"):
        list(process_in_batches([1], 1, Meter()))


# ------------------------------------------------------------------ chaos and pipeline


def test_chaos_is_the_same_for_the_same_seed():
    def run(seed):
        chaos = Chaos(fault_rate=0.3, seed=seed, fault=lambda: TimeoutError("drill"))
        outcomes: list[object] = []
        for _ in range(200):
            try:
                outcomes.append(chaos.call(int))
            except TimeoutError:
                outcomes.append("fault")
        return outcomes

    assert run(1) == run(1) != run(2)
    assert 40 <= run(1).count("fault") <= 80


def test_chaos_delays_and_can_be_switched_off():
    clock = VirtualClock()
    chaos = Chaos(latency=(1.0, 2.0), sleep=clock.sleep, seed=1)
    chaos.call(int)
    assert 1.0 <= clock() <= 2.0
    before = clock()
    run_virtual(chaos.acall(asyncio.sleep, 0), clock)
    assert 1.0 <= clock() - before <= 2.0
    chaos.enabled = False
    before = clock()
    chaos.call(int)
    assert clock() == before


def test_the_order_of_a_pipeline():
    """Each attempt passes the breaker and the limit; the bulkhead and the fallback see one call."""
    clock = VirtualClock()
    breaker = CircuitBreaker("p", CircuitBreakerConfig(failure_threshold=2), clock=clock)
    limiter = RateLimiter(100, 3600.0, clock=clock)
    pipeline = Pipeline(
        fallback=Fallback("fallback", on=(ConnectionError, CircuitOpenError)),
        bulkhead=Bulkhead(1),
        retry=Retry(2, 0, clock=clock),
        breaker=breaker,
        rate_limit=limiter,
    )
    assert pipeline.call(fail) == "fallback"
    assert breaker.state == "open"
    assert pipeline.call(fail) == "fallback"
    assert breaker.metrics.rejected == 1
    assert limiter.try_acquire(98)  # two attempts were counted
    assert not limiter.try_acquire()


def test_total_and_attempt_timeouts_of_a_pipeline():
    clock = VirtualClock()
    pipeline = Pipeline(
        total_timeout=5.0,
        retry=Retry(9, 1.0, backoff=1.0, jitter="none", clock=clock),
        attempt_timeout=1.0,
    )
    calls = []

    async def hang():
        calls.append(clock())
        await asyncio.sleep(60)

    with pytest.raises(TimeoutError):
        run_virtual(pipeline.acall(hang), clock)
    assert clock() == pytest.approx(5.0)
    assert calls == pytest.approx([0.0, 2.0, 4.0])
    with pytest.raises(TypeError, match="plain function"):
        pipeline(lambda: 1)


def test_standard_pipelines_for_each_kind_of_callable():
    pipeline = Pipeline.standard("service")

    @pipeline
    async def fetch(x):
        return x

    @Pipeline.standard("files", thread=True)
    def read(x):
        return x

    @Pipeline(retry=Retry(2, 0), breaker=CircuitBreaker("g"))
    def items():
        yield 1

    async def main():
        assert await fetch(1) == 1
        assert await pipeline.acall(fetch, 2) == 2

    asyncio.run(main())
    assert read(3) == 3
    assert list(items()) == [1]
    assert Pipeline()(fetch) is fetch


def test_a_pipeline_of_admissions_guards_blocks():
    bulkhead, breaker = Bulkhead(1), CircuitBreaker("b", CircuitBreakerConfig(1))
    pipeline = Pipeline(bulkhead=bulkhead, breaker=breaker)
    with pipeline:
        assert bulkhead.active == 1
    with pytest.raises(ConnectionError), pipeline:
        fail()
    with pytest.raises(CircuitOpenError), pipeline:
        pass
    assert (bulkhead.active, breaker.state) == (0, "open")

    async def main():
        breaker.reset()
        async with pipeline:
            assert bulkhead.active == 1
        with pytest.raises(TypeError, match="block"):
            async with Pipeline(retry=Retry()):
                pass

    asyncio.run(main())
    assert bulkhead.active == 0


def test_the_name_of_the_callee_reaches_the_retry(events):
    @Pipeline(retry=Retry(2, 0), breaker=CircuitBreaker("n", CircuitBreakerConfig(9)))
    def fetch_page():
        raise ConnectionError

    import stamina

    with stamina.set_testing(True, attempts=2), pytest.raises(ConnectionError):
        fetch_page()
    assert {e.details["callee"] for e in events if e.policy == "retry"} == {fetch_page.__qualname__}


@pytest.mark.parametrize(
    "error",
    [
        BulkheadFullError("full", name="b"),
        RateLimitedError("fast", name="r", retry_after=1.5),
        CircuitOpenError("open", name="c", last_exception=ValueError("v")),
        CircuitOpenError("open", last_exception=type("Local", (Exception,), {})("unpicklable")),
    ],
)
def test_errors_travel(error):
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert (str(copy), copy.name, copy.retry_after) == (str(error), error.name, error.retry_after)
    if isinstance(error, CircuitOpenError):
        assert str(error.last_exception) in str(copy.last_exception)


def test_a_service_that_became_slower_for_good_is_not_starved():
    algorithm = Gradient()
    limit = 50.0
    for seconds in [0.1] * 500 + [1.0] * 5000:
        limit = min(100.0, algorithm.update(limit, seconds, int(limit), dropped=False))
    assert algorithm._low == pytest.approx(1.0)
    assert limit > 40
