"""Blocks with a time limit: the rules of `asyncio.timeout`, one timer per loop, nothing left."""

import asyncio
import gc
import threading
import weakref
from contextlib import AsyncExitStack, suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.resilience import with_timeout
from shared.resilience._time.alarm import current_alarm
from shared.resilience.testing import VirtualClock, run_virtual

SECONDS = st.sampled_from([0.1, 0.35, 0.6, 1.05, 2.15, 5.0])
STEPS = st.recursive(
    st.lists(
        st.one_of(
            st.tuples(st.just("sleep"), st.sampled_from([0, 0.1, 0.5, 1.0, 1.5, 2.1])),
            st.sampled_from([("raise",), ("cancel",)]),
        ),
        max_size=3,
    ),
    lambda inner: st.lists(
        st.one_of(
            st.tuples(st.just("block"), SECONDS, inner),
            st.tuples(st.just("suppress"), inner),
            st.tuples(st.just("swallow"), inner),
            st.tuples(st.just("sleep"), st.sampled_from([0, 0.5, 1.5])),
        ),
        max_size=3,
    ),
    max_leaves=8,
)
# Never at the same time as a timeout: which of two comes first then is not defined.
CANCELS = st.lists(st.tuples(st.integers(0, 1), st.sampled_from([0.013, 0.113, 0.613, 1.013])))


async def run(steps, limit, told):
    task = asyncio.current_task()
    assert task is not None
    for what, *rest in steps:
        if what == "sleep":
            await asyncio.sleep(rest[0])
        elif what == "raise":
            raise LookupError
        elif what == "cancel":
            task.cancel()
        elif what == "suppress":
            try:
                await run(rest[0], limit, told)
            except (TimeoutError, LookupError) as exc:
                told.append(type(exc))
        elif what == "swallow":
            try:
                await run(rest[0], limit, told)
            except asyncio.CancelledError:
                told.append("swallowed")
        else:
            try:
                async with limit(rest[0]):
                    await run(rest[1], limit, told)
            finally:
                now = asyncio.get_running_loop().time()
                told.append((round(now, 6), task.cancelling()))


def outcome(programs, cancels, limit):
    """What becomes of two tasks that others cancel, and what they saw."""
    told: list[list[object]] = [[], []]

    async def main():
        tasks = [
            asyncio.create_task(run(steps, limit, said))
            for steps, said in zip(programs, told, strict=True)
        ]
        loop = asyncio.get_running_loop()
        for number, when in cancels:
            loop.call_later(when, tasks[number].cancel)
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(60)  # nothing comes late
        return [type(end) for end in ends]

    return run_virtual(main()), told


@given(programs=st.tuples(STEPS, STEPS), cancels=CANCELS)
# A task that was cancelled before, and did not uncancel, is late: that is a timeout.
@example(
    programs=([], [("swallow", [("cancel",), ("sleep", 0)]), ("block", 0.1, [("sleep", 0.1)])]),
    cancels=[],
)
def test_blocks_are_as_those_of_asyncio(programs, cancels):
    made: dict[float, object] = {}

    def shared(seconds):
        return made.setdefault(seconds, with_timeout(seconds))

    expected = outcome(programs, cancels, asyncio.timeout)
    assert outcome(programs, cancels, with_timeout) == expected
    assert outcome(programs, cancels, shared) == expected


def test_one_timer_for_all_blocks_and_none_for_those_that_ended():
    async def one(seconds):
        async with with_timeout(60.0 - seconds):  # those that are left first would end last
            await asyncio.sleep(seconds)

    async def main():
        alarm = current_alarm()
        await asyncio.gather(*(one((37 * n) % 1000 / 1000) for n in range(1000)))
        timers = [timer for timer in asyncio.get_running_loop()._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]
        assert len(timers) == 1
        assert len(alarm._sorted) < 250
        assert alarm.settle()
        assert (alarm.top, alarm._sorted, alarm.until) == (None, [], float("inf"))
        assert timers[0].cancelled()

    run_virtual(main())


def test_a_shorter_limit_inside_a_longer_one():
    clock = VirtualClock()
    limit = with_timeout(2.0)

    async def main():
        async with with_timeout(60.0), limit:
            with pytest.raises(TimeoutError):
                await with_timeout(asyncio.sleep(9), 1.0)
            assert clock() == 1.0
            with pytest.raises(TimeoutError):
                async with with_timeout(0.25):
                    await asyncio.sleep(9)
        async with with_timeout(60.0):
            await asyncio.gather(one(60), one(9), return_exceptions=True)

    async def one(seconds):
        async with limit:  # the same object in two tasks
            await asyncio.sleep(seconds)

    run_virtual(main(), clock)
    assert clock() == 3.25


def test_each_end_has_its_time():
    clock = VirtualClock()
    kept = with_timeout(1.0)

    async def one(seconds):
        with pytest.raises(TimeoutError):
            async with with_timeout(seconds):
                await asyncio.sleep(9)
        return clock()

    async def main():
        ends = await asyncio.gather(one(2.0), one(1.0), one(3.0))
        assert list(ends) == [2.0, 1.0, 3.0]
        stack = AsyncExitStack()
        async with kept:
            await stack.enter_async_context(with_timeout(0.875))  # left after the one around
        await asyncio.sleep(0.5)
        with pytest.raises(TimeoutError):
            async with kept:  # a second from now, not from when it was entered first
                await asyncio.sleep(0.125)
                await stack.aclose()
                await asyncio.sleep(9)
        assert clock() == 4.5

    run_virtual(main(), clock)


def test_a_real_loop_is_woken_for_each_end():
    async def late(limit):
        with pytest.raises(TimeoutError):
            async with limit:
                await asyncio.sleep(30)

    async def main():
        async with with_timeout(60.0):
            await late(with_timeout(0.02))
            with pytest.raises(TimeoutError):
                await with_timeout(asyncio.sleep(30), 0.02)
        await asyncio.gather(*(late(with_timeout(seconds)) for seconds in (0.04, 0.02, 0.06)))

    asyncio.run(asyncio.wait_for(main(), 20))


def test_who_was_being_cancelled_before_can_still_be_late():
    async def main():
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0)
        with pytest.raises(TimeoutError):
            async with with_timeout(1.0):
                await asyncio.sleep(9)
        assert task.cancelling() == 1

    run_virtual(main())


def test_nested_blocks_of_one_object_end_from_the_inside():
    clock = VirtualClock()
    limit = with_timeout(1.0)

    async def first():
        async with limit:
            await asyncio.sleep(0.25)

    async def second():
        async with limit:  # while the first is in it
            await asyncio.sleep(0.5)
            async with limit:  # when the first has left it
                pass
            await asyncio.sleep(9)

    async def main():
        return await asyncio.gather(first(), second(), return_exceptions=True)

    ends = run_virtual(main(), clock)
    assert [type(end) for end in ends] == [type(None), TimeoutError]
    assert clock() == 1.0


def test_a_timer_that_is_left_over_moves_no_virtual_clock():
    clock = VirtualClock()

    async def main():
        async with with_timeout(60.0):
            await asyncio.sleep(1.0)
        await asyncio.to_thread(threading.Event().wait, 0.01)

    run_virtual(main(), clock)
    assert clock() == 1.0


def test_a_block_keeps_nothing_of_its_task():
    limit = with_timeout(3600.0)

    class Thing:
        pass

    async def use(thing):
        async with limit, with_timeout(3600.0):
            await asyncio.sleep(0)

    async def main():
        thing = Thing()
        gone = weakref.ref(thing)
        await asyncio.gather(use(thing), use(thing))
        del thing
        gc.collect()
        assert gone() is None

    asyncio.run(main())


def test_one_object_in_several_threads_and_tasks_at_once():
    limit = with_timeout(0.05)
    barrier = threading.Barrier(3)
    ends: list[object] = []

    async def one(seconds):
        async with limit:
            await asyncio.sleep(seconds)

    async def main():
        barrier.wait()
        return await asyncio.gather(*map(one, (9, 0, 9, 0)), return_exceptions=True)

    threads = [threading.Thread(target=lambda: ends.extend(asyncio.run(main()))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert [type(end) for end in ends] == [TimeoutError, type(None)] * 6
    asyncio.run(one(0))  # and it is as good as new


def test_blocks_that_end_without_a_loop():
    limit = with_timeout(60.0)

    async def wait():
        async with limit:
            await asyncio.Event().wait()

    loop = asyncio.new_event_loop()
    coroutines = [wait() for _ in range(3)]
    tasks = [loop.create_task(coroutine) for coroutine in coroutines]
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()
    for task, coroutine in zip(tasks, coroutines, strict=True):
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        coroutine.close()
    assert limit.task is None
    assert not limit._others


@pytest.mark.parametrize("seconds", [1, 1.5])
def test_a_loop_that_has_no_room_for_attributes(seconds):
    class Bare(asyncio.SelectorEventLoop):
        def __setattr__(self, name, value):
            if name == "_shared_resilience_alarm":
                raise AttributeError(name)
            super().__setattr__(name, value)

    async def main():
        with pytest.raises(TimeoutError):
            async with with_timeout(seconds / 100):
                await asyncio.sleep(9)
        return current_alarm() is current_alarm()

    with asyncio.Runner(loop_factory=Bare) as runner:
        assert runner.run(main())
