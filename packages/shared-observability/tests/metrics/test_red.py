"""Rate, errors and duration of every kind of function."""

import asyncio
import inspect

import pytest

from shared.observability import red


@pytest.fixture
def job(registry):
    return red("job", registry=registry)


@pytest.fixture
def counted(registry):
    """The requests, errors and durations so far."""

    def read():
        names = ("requests_total", "errors_total", "duration_seconds_count")
        return tuple(registry.get_sample_value(f"job_{name}") for name in names)

    return read


def test_a_function(job, counted):
    @job
    def plain(fail=False):
        if fail:
            raise ValueError("no")
        return 1

    assert plain() == 1
    assert plain.__name__ == "plain"
    assert counted() == (1, 0, 1)
    with pytest.raises(ValueError, match=r"^no$"):
        plain(fail=True)
    assert counted() == (2, 1, 2)


async def test_a_coroutine(job, counted):
    @job
    async def coroutine():
        await asyncio.sleep(0)
        return 1

    assert inspect.iscoroutinefunction(coroutine)
    assert await coroutine() == 1
    assert counted() == (1, 0, 1)
    task = asyncio.create_task(coroutine())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert counted() == (2, 0, 2), "cancellation is a request, not an error"


def test_a_generator(job, counted):
    @job
    def generator():
        got = yield 1
        yield got
        return 3

    running = generator()
    assert (next(running), running.send(5)) == (1, 5)
    assert counted() == (0, 0, 0), "it still runs"
    with pytest.raises(StopIteration) as stop:
        next(running)
    assert stop.value.value == 3
    assert counted() == (1, 0, 1)
    next(closed := generator())
    closed.close()
    assert counted() == (2, 0, 2), "closed early is a request, not an error"


async def test_an_async_generator(job, counted):
    @job
    async def agenerator():
        yield 1
        yield 2

    assert [item async for item in agenerator()] == [1, 2]
    assert counted() == (1, 0, 1)


def test_a_block(job, counted):
    with job, job:
        pass
    assert counted() == (2, 0, 2)
    with pytest.raises(OSError, match="disk"), job:
        raise OSError("disk")
    assert counted() == (3, 1, 3)


async def test_a_block_that_another_task_closes(registry):
    block = red("moved", registry=registry)
    await asyncio.create_task(_enter(block))
    block.__exit__(None, None, None)
    async with block:
        pass
    assert registry.get_sample_value("moved_requests_total") == 2
    assert registry.get_sample_value("moved_errors_total") == 0


async def _enter(block):
    block.__enter__()
