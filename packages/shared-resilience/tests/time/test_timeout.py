"""Timeouts: who cancels, who is told, what is freed."""

import asyncio
import time

import pytest

from shared.resilience import deadline, with_timeout
from shared.resilience.testing import VirtualClock, run_virtual


def virtual(main):
    clock = VirtualClock()
    return run_virtual(main, clock), clock()


def test_the_three_forms():
    async def main():
        @with_timeout(1.0)
        async def slow():
            await asyncio.sleep(9)

        failures = 0
        for _ in range(2):
            try:
                await slow()
            except TimeoutError:
                failures += 1
        limit = with_timeout(1.0)
        for _ in range(2):  # one object, entered again
            try:
                async with limit:
                    await asyncio.sleep(9)
            except TimeoutError:
                failures += 1
        with pytest.raises(TimeoutError, match="1 s"):
            await with_timeout(asyncio.sleep(9), 1.0)
        assert await with_timeout(asyncio.sleep(9, 1), 1.0, default=None) is None
        assert await with_timeout(asyncio.sleep(0.5, "in time"), 1.0) == "in time"
        async with with_timeout(1.0), with_timeout(2.0):
            await asyncio.sleep(0.9)
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        return failures

    assert virtual(main()) == (4, pytest.approx(7.4))


def test_concurrent_blocks_of_one_object():
    limit = with_timeout(1.0)

    async def one(seconds):
        async with limit:
            await asyncio.sleep(seconds)

    async def main():
        return await asyncio.gather(*(one(s) for s in (0.5, 9, 0.9, 9)), return_exceptions=True)

    results, _ = virtual(main())
    assert [type(r) for r in results] == [type(None), TimeoutError, type(None), TimeoutError]


def test_a_block_that_never_suspends_leaves_no_timer_behind():
    async def main():
        for _ in range(100):
            async with with_timeout(0.001):
                pass
        await asyncio.sleep(1.0)  # no late timer cancels what comes after
        return "done"

    assert virtual(main()) == ("done", pytest.approx(1.0))


def test_awaitables_that_are_no_coroutines():
    async def main():
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        loop.call_later(0.5, future.set_result, "future")
        assert await with_timeout(future, 1.0) == "future"
        task = asyncio.create_task(asyncio.sleep(9))
        with pytest.raises(TimeoutError):
            await with_timeout(task, 1.0)
        assert task.cancelled()
        with pytest.raises(TypeError, match="awaitable"):
            with_timeout(3, 1.0)  # type: ignore[call-overload]

    virtual(main())


def test_cleanup_of_the_callee_may_take_its_time_and_its_result_counts():
    async def stubborn():
        try:
            await asyncio.sleep(9)
        except asyncio.CancelledError:
            await asyncio.sleep(2)
            return "finished anyway"

    async def main():
        assert await with_timeout(stubborn(), 1.0) == "finished anyway"
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0

    assert virtual(main())[1] == pytest.approx(3.0)


def test_both_cancellations_at_once_stay_a_cancellation():
    async def main():
        async def work():
            await with_timeout(asyncio.sleep(9), 1.0, "default")

        task = asyncio.create_task(work())
        asyncio.get_running_loop().call_later(1.0, task.cancel)
        await asyncio.wait([task])
        return task.cancelled()

    assert virtual(main())[0]


def test_no_time_left_closes_the_coroutine_without_running_it():
    async def never():
        raise AssertionError("must not run")

    async def main():
        coroutine = never()
        with pytest.raises(TimeoutError):
            await with_timeout(coroutine, 0)
        with pytest.raises(RuntimeError, match="cannot reuse"):
            await coroutine
        assert await with_timeout(never(), -1.0, "default") == "default"

    virtual(main())


def test_an_async_generator_has_one_time_for_all_items():
    @with_timeout(1.0)
    async def items():
        for number in range(10):
            await asyncio.sleep(0.02)
            yield number

    async def main():
        return [n async for n in items()]

    assert asyncio.run(main()) == list(range(10))

    @with_timeout(0.05)
    async def slow_items():
        yield 1
        await asyncio.sleep(9)

    async def slow_main():
        got = []
        with pytest.raises(TimeoutError):
            async for item in slow_items():
                got.append(item)
        return got

    assert asyncio.run(slow_main()) == [1]


def test_a_plain_function_needs_thread():
    with pytest.raises(TypeError, match="thread=True"):
        with_timeout(1.0)(len)
    with pytest.raises(TypeError, match="async with"), with_timeout(1.0):
        pass
    with pytest.raises(TypeError, match="generator"):
        with_timeout(1.0, thread=True)(lambda: (yield))


@pytest.mark.parametrize("suspends", [False, True])
def test_a_generator_that_was_left_leaves_no_timer_behind(suspends):
    async def items():
        async with with_timeout(5.0):
            if suspends:
                await asyncio.sleep(0)
            yield 1

    async def main():
        async for _ in items():
            break  # another task of the loop finalises it
        await asyncio.sleep(60)
        return "not cancelled"

    assert virtual(main())[0] == "not cancelled"


def test_blocks_of_one_object_that_end_out_of_their_order():
    limit, other = with_timeout(5.0), with_timeout(9.0)

    async def items():
        async with limit:
            yield 1

    async def main():
        stream = items()
        await anext(stream)
        async with other:  # entered after the generator's block, left after it
            await stream.aclose()
            with pytest.raises(TimeoutError, match="9 s"):
                async with with_timeout(20.0), other:
                    await asyncio.sleep(60)
            # The outer block of the same object was entered at the same time.
            await asyncio.sleep(0)

    with pytest.raises(TimeoutError, match="9 s"):
        virtual(main())


def test_virtual_time_is_exact_also_when_it_happens_to_be_the_real_time():
    clock = VirtualClock(time.monotonic())
    start = clock()

    async def busy_first():
        time.sleep(0.02)  # noqa: ASYNC251 - on purpose
        await asyncio.sleep(60)

    async def main():
        await with_timeout(busy_first(), 5.0, None)
        async with deadline(60.0), with_timeout(90.0):
            pass
        with pytest.raises(TimeoutError):
            async with with_timeout(5.0):
                await busy_first()

    run_virtual(main(), clock)
    assert clock() - start == pytest.approx(10.0, abs=1e-6)


def test_a_timeout_needs_a_task():
    block = with_timeout(1.0)

    async def outside():
        loop = asyncio.get_running_loop()
        failed = loop.create_future()

        def callback():
            try:
                _ = block.__aenter__()
            except RuntimeError as exc:
                failed.set_result(exc)

        loop.call_soon(callback)
        return await failed

    assert "task" in str(asyncio.run(outside()))
