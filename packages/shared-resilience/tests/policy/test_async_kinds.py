"""What is async by any of its marks is async for every decorator: repeated, counted, replaced."""

import asyncio
import functools
import inspect
from typing import Any

import pytest

import shared.resilience as r


class Flaky:
    """Async callables of every kind; they fail as often as wanted."""

    left = 0

    async def method(self, *args):
        await asyncio.sleep(0)
        type(self).left -= 1
        if type(self).left >= 0:
            raise ConnectionError
        return "page"

    async def __call__(self, *args):
        return await self.method()


async def function(*args):
    return await Flaky().method()


dispatched = functools.singledispatch(function)


def marked(*args):
    return function()


if hasattr(inspect, "markcoroutinefunction"):  # 3.12
    marked = inspect.markcoroutinefunction(marked)


def methods(decorate):
    class Service:
        @classmethod
        @decorate
        async def class_above(cls, *args):
            return await function()

        @decorate
        @classmethod
        async def class_below(cls, *args):
            return await function()

        @staticmethod
        @decorate
        async def static_above(*args):
            return await function()

        @decorate
        @staticmethod
        async def static_below(*args):
            return await function()

        @decorate
        async def method(self, *args):
            return await function()

    return Service()


KINDS: dict[str, Any] = {
    "function": lambda decorate: decorate(function),
    "lambda": lambda decorate: decorate(lambda *args: function()),
    "partial": lambda decorate: decorate(functools.partial(function)),
    "partial of a lambda": lambda decorate: decorate(functools.partial(lambda *args: function())),
    "partial of an object": lambda decorate: decorate(functools.partial(Flaky())),
    "object": lambda decorate: decorate(Flaky()),
    "bound method": lambda decorate: decorate(Flaky().method),
    "single dispatch": lambda decorate: decorate(dispatched),
    "marked": lambda decorate: decorate(marked),
    **{
        name: lambda decorate, name=name: getattr(methods(decorate), name)
        for name in ("class_above", "class_below", "static_above", "static_below", "method")
    },
}
KIND = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@KIND
@pytest.mark.parametrize("decorate", [r.retry(3, 0), r.retry_with_backoff(2, delay=0)], ids=["retry", "backoff"])  # fmt: skip
async def test_it_is_repeated(kind, decorate):
    fetch = kind(decorate)
    Flaky.left = 2
    assert await fetch("x") == "page"


@KIND
async def test_it_is_counted(kind):
    breaker = r.CircuitBreaker("x", r.CircuitBreakerConfig(2))
    fetch = kind(breaker)
    Flaky.left = 2
    for _ in range(2):
        with pytest.raises(ConnectionError):
            await fetch("x")
    assert breaker.state == "open"


@KIND
async def test_it_is_replaced(kind):
    fetch = kind(r.Fallback("other"))
    Flaky.left = 1
    assert await fetch("x") == "other"


@KIND
async def test_another_provider_answers(kind):
    fetch = kind(r.with_fallback("a", ["b"]))
    Flaky.left = 1
    assert await fetch() == "page"


@KIND
def test_one_object_serves_two_event_loops_after_each_other(kind):
    pipeline = r.Pipeline(
        bulkhead=r.Bulkhead(1, 9),
        retry=r.Retry(3, 0),
        breaker=r.CircuitBreaker("x"),
        rate_limit=r.RateLimiter(99),
    )
    fetch = kind(pipeline)

    async def main():
        return await asyncio.gather(*(fetch("x") for _ in range(3)))

    for _ in range(2):
        Flaky.left = 1
        assert asyncio.run(main()) == ["page"] * 3
