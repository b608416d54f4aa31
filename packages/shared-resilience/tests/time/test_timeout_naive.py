"""Behaviour that toys get wrong, timeouts: ours passes, the naive twin must fail each check."""

import asyncio
import concurrent.futures
import contextvars
import functools
import threading
import warnings

import pytest

from shared.resilience import with_timeout
from shared.resilience.testing import run_virtual


def naive(twin):
    return pytest.param(twin, marks=pytest.mark.xfail(raises=AssertionError, strict=True))


def wait_for(awaitable, seconds, *default):
    """`asyncio.wait_for`, with everything that may come out of it caught."""

    async def run():
        try:
            return await asyncio.wait_for(awaitable, seconds)
        except (TimeoutError, asyncio.CancelledError):
            if default:
                return default[0]
            raise TimeoutError from None

    return run()


def in_a_pool(seconds, *, thread=False, max_threads=1):
    """A decorator that runs any function in a pool and waits for its result so long."""

    def decorate(fn):
        @functools.wraps(fn)
        def limited(*args):
            with concurrent.futures.ThreadPoolExecutor(max_threads) as pool:
                return pool.submit(fn, *args).result(seconds)

        return limited

    return decorate


calls = pytest.mark.parametrize("limit", [with_timeout, naive(wait_for)])
threads = pytest.mark.parametrize("limit", [with_timeout, naive(in_a_pool)])


@calls
def test_outer_cancellation_stays_a_cancellation(limit):
    async def main():
        task = asyncio.create_task(limit(asyncio.sleep(100), 50.0, "default"))
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert run_virtual(main())


@calls
def test_the_callees_own_timeout_is_not_swallowed_by_the_default(limit):
    async def raises_by_itself():
        await asyncio.sleep(0)
        raise TimeoutError("database")

    async def main():
        try:
            return await limit(raises_by_itself(), 5.0, "default")
        except TimeoutError as exc:
            return str(exc)

    assert run_virtual(main()) == "database"


@calls
def test_a_coroutine_is_closed_though_its_task_never_started(limit):
    closed = []

    class Resource:
        def __del__(self):
            closed.append(True)

    async def never_started(resource):
        raise AssertionError("must not run")

    async def main():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            task = asyncio.create_task(limit(never_started(Resource()), 5.0))
            task.cancel()
            await asyncio.wait([task])
            del task
            return [str(w.message) for w in caught]

    assert run_virtual(main()) == []
    assert closed


@threads
def test_a_plain_function_is_refused(limit):
    refused = False
    try:
        limit(1.0)(len)
    except TypeError as exc:
        refused = "thread=True" in str(exc)
    assert refused


@threads
def test_in_a_thread_the_context_is_copied(limit):
    variable = contextvars.ContextVar("variable", default="unset")
    variable.set("mine")
    assert limit(5.0, thread=True)(variable.get)() == "mine"


@threads
def test_in_a_thread_the_caller_is_freed_at_the_deadline(limit):
    release, finished = threading.Event(), threading.Event()

    @limit(0.05, thread=True)
    def stuck():
        release.wait(10 if limit is with_timeout else 0.3)
        finished.set()

    with pytest.raises(TimeoutError):
        stuck()
    freed_before = not finished.is_set()
    release.set()
    assert finished.wait(10)
    assert freed_before


@threads
def test_in_a_thread_a_stuck_call_keeps_its_slot_until_it_really_ends(limit):
    release, begun, ended = threading.Event(), [], threading.Semaphore(0)

    @limit(0.05, thread=True, max_threads=1)
    def stuck():
        begun.append(threading.current_thread())
        release.wait(10 if limit is with_timeout else 0.4)
        ended.release()

    for _ in range(2):
        with pytest.raises(TimeoutError):
            stuck()
    assert len(begun) == 1
    release.set()
    begun[0].join(10)
    stuck()  # there is room again
    assert len(begun) == 2


def test_the_docs_say_that_the_function_goes_on():
    assert "the function goes on" in (with_timeout.__doc__ or "")
