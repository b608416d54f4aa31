"""Rate, errors and duration of every kind of function."""

import asyncio
import inspect

import pytest
from prometheus_client import CollectorRegistry

from shared.observability import (
    red,
)


@pytest.fixture
def registry():
    return CollectorRegistry()


async def test_red_counts_every_kind(registry):
    @red("job", registry=registry)
    def plain(fail=False):
        if fail:
            raise ValueError("no")

    @red("job", registry=registry)
    async def coroutine():
        await asyncio.sleep(0)
        return 1

    @red("job", registry=registry)
    def generator():
        got = yield 1
        yield got
        return 3

    @red("job", registry=registry)
    async def agenerator():
        yield 1
        yield 2

    plain()
    with pytest.raises(ValueError, match=r"^no$"):
        plain(fail=True)
    assert await coroutine() == 1
    running = generator()
    assert (next(running), running.send(5)) == (1, 5)
    with pytest.raises(StopIteration) as stop:
        next(running)
    assert stop.value.value == 3
    next(closed := generator())
    closed.close()
    assert [item async for item in agenerator()] == [1, 2]
    task = asyncio.create_task(coroutine())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    with red("job", registry=registry):
        pass
    assert registry.get_sample_value("job_requests_total") == 8
    assert registry.get_sample_value("job_errors_total") == 1
    assert registry.get_sample_value("job_duration_seconds_count") == 8
    assert inspect.iscoroutinefunction(coroutine)
    assert plain.__name__ == "plain"
