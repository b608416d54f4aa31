"""The circuit breaker: every kind of callable, windows, forced states, registry."""

import asyncio
import functools
import gc
import inspect
import pickle
import sys
import threading
from unittest.mock import AsyncMock, MagicMock, Mock

import pytest

from shared.resilience import (
    CircuitBreaker,
    CircuitBreakerConfig,
    CircuitBreakerRegistry,
    CircuitOpenError,
    CountWindow,
    TimeWindow,
    circuit_breaker,
    get_circuit_breaker,
    reset_circuit_breaker,
    with_circuit_breaker,
)

# Before Python 3.12 a callable object can pass for one in asyncio's eyes only.
is_coroutine_function = (
    inspect.iscoroutinefunction if sys.version_info >= (3, 12) else asyncio.iscoroutinefunction
)


def make(clock, **config):
    return CircuitBreaker(
        "b", CircuitBreakerConfig(**{"failure_threshold": 2} | config), clock=clock
    )


def fail(exc=ValueError):
    raise exc("no")


def failing(subject, times, exc=ValueError):
    for _ in range(times):
        with pytest.raises(exc):
            subject.call(fail, exc)


def test_it_opens_rejects_and_recovers(clock):
    subject = make(clock)
    failing(subject, 2)
    with pytest.raises(CircuitOpenError) as caught:
        subject.call(int)
    assert caught.value.retry_after == 60.0
    assert caught.value.name == "b"
    assert isinstance(caught.value.last_exception, ValueError)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.name, copy.retry_after, str(copy)) == ("b", 60.0, str(caught.value))
    clock.advance(60)
    assert subject.state == "half_open"
    assert subject.call(int) == 0
    assert subject.state == "closed"
    assert subject.last_exception is None
    assert subject.metrics.opened == 1
    assert subject.metrics.rejected == 1


def test_a_success_between_failures_starts_the_count_again(clock):
    subject = make(clock)
    for _ in range(5):
        failing(subject, 1)
        subject.call(int)
    assert subject.state == "closed"


def test_a_failing_probe_opens_it_for_a_whole_timeout_again(clock):
    subject = make(clock)
    failing(subject, 2)
    clock.advance(60)
    failing(subject, 1)
    clock.advance(59)
    assert subject.state == "open"


def test_the_four_ways_and_all_kinds_of_callables(clock):
    subject = make(clock, failure_threshold=1000)

    class Service:
        @subject
        def method(self, x):
            return x

        @subject
        @classmethod
        def of_class(cls, x):
            return cls.__name__, x

        @classmethod
        @subject
        def of_class_too(cls, x):
            return cls.__name__, x

        @subject
        @staticmethod
        def static(x):
            return x

        @subject
        async def amethod(self, x):
            return x

        async def __call__(self, x):
            return x

    service = Service()
    assert service.method(1) == service.static(1) == 1
    assert Service.of_class(1) == Service.of_class_too(1) == ("Service", 1)
    assert subject.call(functools.partial(divmod, 7), 2) == (3, 1)

    async def afunction(x):
        return x

    @subject
    def items(n):
        yield from range(n)

    @subject
    async def aitems():
        got = yield 1
        yield got

    async def main():
        assert await service.amethod(2) == 2
        assert await subject(service)(3) == 3
        assert is_coroutine_function(subject(afunction))
        assert await subject(functools.partial(afunction, 4))() == 4
        assert await subject.acall(afunction, 5) == 5
        assert await subject.call(afunction, 6) == 6
        assert await subject.acall(lambda: afunction(7)) == 7
        async with subject:
            pass
        stream = aitems()
        assert await anext(stream) == 1
        assert await stream.asend("sent") == "sent"
        await stream.aclose()
        with pytest.raises(TypeError, match="cannot be awaited"):
            await subject.acall(int)

    asyncio.run(main())
    asyncio.run(main())  # the same object, another event loop
    assert list(items(3)) == [0, 1, 2]
    with subject:
        pass
    with pytest.raises(TypeError, match="callables"):
        subject(3)


def test_a_block_that_fails_counts(clock):
    subject = make(clock, failure_threshold=1)
    with pytest.raises(ValueError, match="no"), subject:
        fail()
    with pytest.raises(CircuitOpenError), subject:
        raise AssertionError("must not be entered")


def test_nested_blocks_end_their_own_permits(clock):
    outer, inner = make(clock), make(clock)
    with outer, inner, outer:
        pass
    with pytest.raises(ValueError, match="no"), outer, inner:
        fail()
    assert outer.metrics.failures == inner.metrics.failures == 1


def test_what_is_recorded_and_ignored(clock):
    subject = make(clock, failure_threshold=1, record=(OSError,), ignore=(FileNotFoundError,))
    failing(subject, 3, FileNotFoundError)
    failing(subject, 3, ValueError)
    assert subject.state == "closed"
    failing(subject, 1, ConnectionError)
    assert subject.state == "open"


def test_an_ignored_failure_neither_counts_nor_resets(clock):
    subject = make(clock, ignore=(KeyError,))
    failing(subject, 1)
    failing(subject, 1, KeyError)
    failing(subject, 1)
    assert subject.state == "open"


def test_predicates_and_results(clock):
    subject = make(
        clock,
        failure_threshold=1,
        record=lambda exc: "bad" in str(exc),
        record_result=lambda status: status >= 500,
    )
    failing(subject, 1)
    assert subject.call(int, "404") == 404
    assert subject.state == "closed"
    assert subject.call(int, "503") == 503
    assert subject.state == "open"


def test_a_block_has_no_result_to_judge(clock):
    subject = make(clock, failure_threshold=1, record_result=lambda answer: answer.status >= 500)
    with subject:
        pass
    permit = subject.try_acquire()
    assert permit is not None
    permit.success()
    assert list(subject(lambda: (yield 1))()) == [1]
    assert subject.state == "closed"


def test_a_predicate_that_fails_leaks_no_permit(clock):
    subject = make(clock, failure_threshold=1, record_result=lambda result: 1 / result)
    failing(subject, 1)
    clock.advance(60)
    with pytest.raises(ZeroDivisionError):
        subject.call(int, 0)
    assert subject.metrics.probes == 0


def test_a_late_release_frees_no_place_of_later_probes(clock):
    breaker = CircuitBreaker(
        "b",
        CircuitBreakerConfig(failure_threshold=1, timeout=5, half_open_max_calls=2),
        clock=clock,
    )

    def take():
        permit = breaker.try_acquire()
        assert permit is not None
        return permit

    from_before = take()
    failing(breaker, 1)
    clock.advance(5)
    old, failed = take(), take()
    failed.failure()
    clock.advance(5)
    held = [take(), take()]
    from_before.release()
    old.release()
    assert breaker.try_acquire() is None
    held.pop().release()
    take()


def test_a_dropped_permit_is_given_back(clock):
    subject = make(clock, failure_threshold=1)
    failing(subject, 1)
    clock.advance(60)
    permit = subject.try_acquire()
    assert permit is not None
    assert subject.try_acquire() is None
    del permit
    gc.collect()
    assert subject.try_acquire() is not None


def test_an_abandoned_generator_gives_its_permit_back(clock):
    subject = make(clock, failure_threshold=1)
    failing(subject, 1)
    clock.advance(60)
    stream = subject(lambda: (yield 1))()
    next(stream)
    assert subject.metrics.probes == 1
    stream.close()
    assert subject.metrics.probes == 0
    assert subject.state == "half_open"


def test_count_window(clock):
    subject = make(clock, window=CountWindow(10), minimum_calls=10, failure_rate=0.5)
    failing(subject, 4)
    for _ in range(5):
        subject.call(int)
    assert subject.state == "closed"
    failing(subject, 1)
    assert subject.state == "open"


def test_a_success_that_completes_the_minimum_can_open_it(clock):
    subject = make(clock, window=CountWindow(100), minimum_calls=4, failure_rate=0.5)
    failing(subject, 3)
    assert subject.state == "closed"
    subject.call(int)
    assert subject.state == "open"


def test_a_minimum_above_the_window_is_the_window(clock):
    subject = make(clock, window=CountWindow(3))
    failing(subject, 3)
    assert subject.state == "open"


def test_time_window_forgets(clock):
    subject = make(clock, window=TimeWindow(10.0), minimum_calls=4, failure_rate=0.5)
    failing(subject, 3)
    clock.advance(10.2)
    for _ in range(3):
        subject.call(int)
    failing(subject, 1)
    assert subject.state == "closed"
    metrics = subject.metrics
    assert (metrics.calls, metrics.failures, metrics.failure_rate) == (4, 1, 0.25)
    failing(subject, 2)
    assert subject.state == "open"


def test_slow_calls(clock):
    subject = make(
        clock, window=CountWindow(4), slow_call_duration=2.0, slow_call_rate=0.5, minimum_calls=4
    )
    for seconds in (1, 2, 1):
        subject.call(clock.advance, seconds)
    assert subject.metrics.slow_calls == 1
    subject.call(clock.advance, 3)
    assert subject.state == "open"


def test_without_a_window_a_slow_call_is_a_failure(clock):
    subject = make(clock, slow_call_duration=2.0)
    subject.call(clock.advance, 2)
    subject.call(clock.advance, 2)
    assert subject.state == "open"


def test_forced_states(clock):
    subject = make(clock)
    subject.force_open()
    clock.advance(1e6)
    with pytest.raises(CircuitOpenError, match="forced-open"):
        subject.call(int)
    subject.disable()
    failing(subject, 10)
    assert (subject.state, subject.metrics.failures) == ("disabled", 0)
    subject.metrics_only()
    failing(subject, 10)
    assert (subject.state, subject.metrics.failures) == ("metrics_only", 10)
    subject.reset()
    assert (subject.state, subject.metrics.failures) == ("closed", 0)


def test_transitions_are_told_in_order_outside_the_lock(clock, events):
    subject = make(clock, failure_threshold=1)
    heard = []

    @subject.on_transition
    def hook(breaker, old, new):
        heard.append((str(old), str(new)))
        thread = threading.Thread(target=lambda: breaker.state)  # would hang if it were held
        thread.start()
        thread.join(5)
        assert not thread.is_alive()

    failing(subject, 1)
    clock.advance(60)
    subject.call(int)
    assert heard == [("closed", "open"), ("open", "half_open"), ("half_open", "closed")]
    assert [event.kind for event in events] == ["opened", "half_opened", "closed"]


def test_many_threads_lose_no_failure(clock):
    subject = make(clock, failure_threshold=4001)

    def work():
        for _ in range(1000):
            with pytest.raises(ValueError, match="no"):
                subject.call(fail)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert subject.metrics.failures == 4000


def test_probes_are_exact_among_threads_and_tasks_together(clock):
    subject = make(clock, failure_threshold=1, half_open_max_calls=3)
    for _ in range(50):
        failing(subject, 1)
        clock.advance(60)
        got: list[object] = []
        start = threading.Barrier(4, timeout=10)

        def in_thread(got=got, start=start):
            start.wait()
            got.extend(subject.try_acquire() for _ in range(3))

        async def in_tasks(got=got, start=start):
            async def one():
                await asyncio.sleep(0)
                got.append(subject.try_acquire())

            start.wait()
            await asyncio.gather(*(one() for _ in range(5)))

        threads = [threading.Thread(target=in_thread) for _ in range(2)]
        threads += [threading.Thread(target=asyncio.run, args=(in_tasks(),)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(got) == 16
        assert sum(permit is not None for permit in got) == subject.metrics.probes == 3
        got.clear()
        subject.reset()


def test_registry_evicts_what_is_idle(clock, events):
    registry = CircuitBreakerRegistry(
        CircuitBreakerConfig(failure_threshold=1), max_idle=100, clock=clock
    )
    registry.get("idle")
    held = registry.get("held")
    tripped = registry.get("tripped")
    failing(tripped, 1)
    tripped.force_open()
    clock.advance(100)
    registry.get("new")
    assert {breaker.name for breaker in registry} == {"tripped", "new"}
    assert registry.get("held") is held
    assert registry.get("tripped").state == "forced_open"
    assert "evicted" in [event.kind for event in events]
    with pytest.raises(ValueError, match="config"):
        registry.get("new", CircuitBreakerConfig(failure_threshold=9))


def test_module_functions():
    @circuit_breaker(failure_threshold=1)
    def one():
        fail()

    @circuit_breaker
    def two():
        return 2

    @with_circuit_breaker("shared-name")
    def three():
        fail()

    with pytest.raises(ValueError, match="no"):
        one()
    with pytest.raises(CircuitOpenError, match="one"):
        one()
    assert two() == 2
    for _ in range(5):
        with pytest.raises(ValueError, match="no"):
            three()
    assert get_circuit_breaker("shared-name").state == "open"
    reset_circuit_breaker("shared-name")
    assert get_circuit_breaker("shared-name").state == "closed"
    with pytest.raises(KeyError, match="unknown"):
        reset_circuit_breaker("unknown")


def test_execute_is_call_and_config_aliases(clock):
    config = CircuitBreakerConfig(recovery_timeout=3, expected_exceptions=KeyError)
    assert (config.timeout, config.record) == (3.0, (KeyError,))
    assert CircuitBreaker("x", config).execute(int, "3") == 3
    with pytest.raises(ValueError, match="recovery_timeout"):
        CircuitBreakerConfig(timeout=1, recovery_timeout=1)


def test_mocks_are_what_they_stand_for(clock):
    subject = make(clock)
    assert subject(Mock(return_value=1))(2) == 1
    assert subject.call(MagicMock(return_value=1), 2) == 1

    async def main():
        fetch = AsyncMock(side_effect=[ConnectionError("no"), "page"])
        with pytest.raises(ConnectionError):
            await subject(fetch)("url")
        assert subject.metrics.failures == 1
        assert await subject.acall(fetch, "url") == "page"

    asyncio.run(main())
