"""One policy on every kind of callable, used in every way."""

import asyncio
import functools
import inspect
import sys
from typing import Any
from unittest.mock import AsyncMock, MagicMock, Mock

import pytest

from shared.resilience import CircuitBreaker, CircuitBreakerConfig

# Before Python 3.12 a callable object can pass for one in asyncio's eyes only.
is_coroutine_function = (
    inspect.iscoroutinefunction if sys.version_info >= (3, 12) else asyncio.iscoroutinefunction
)
POLICY = CircuitBreaker("kinds", CircuitBreakerConfig(1000))
CALL: Any = POLICY.call
ACALL: Any = POLICY.acall


@pytest.fixture(autouse=True)
def reset():
    POLICY.reset()


class Service:
    @POLICY
    def method(self, x):
        return x

    @POLICY
    @classmethod
    def of_class(cls, x):
        return cls.__name__, x

    @classmethod
    @POLICY
    def of_class_too(cls, x):
        return cls.__name__, x

    @POLICY
    @staticmethod
    def static(x):
        return x

    @POLICY
    async def amethod(self, x):
        return x

    async def __call__(self, x):
        return x


async def afunction(x):
    return x


def returns_a_coroutine(x):
    return afunction(x)


PLAIN = {
    "method": (Service().method, 1),
    "static method": (Service().static, 1),
    "class method, decorated": (Service.of_class, ("Service", 1)),
    "class method of a decorated function": (Service.of_class_too, ("Service", 1)),
    "call": (functools.partial(CALL, abs), 1),
    "call of a partial": (functools.partial(CALL, functools.partial(divmod, 7)), (7, 0)),
    "partial": (POLICY(functools.partial(divmod, 7)), (7, 0)),
    "mock": (POLICY(Mock(return_value=5)), 5),
    "call of a mock": (functools.partial(CALL, MagicMock(return_value=5)), 5),
}


@pytest.mark.parametrize(("call", "expected"), PLAIN.values(), ids=PLAIN)
def test_plain_callables(call, expected):
    assert call(1) == expected


ASYNC = {
    "method": Service().amethod,
    "callable object": POLICY(Service()),
    "function": POLICY(afunction),
    "partial": POLICY(functools.partial(afunction)),
    "acall": functools.partial(ACALL, afunction),
    "acall of a partial": functools.partial(ACALL, functools.partial(afunction)),
    "call": functools.partial(CALL, afunction),
    "acall of a plain function": functools.partial(ACALL, returns_a_coroutine),
    "acall of a callable object": functools.partial(ACALL, Service()),
}


@pytest.mark.parametrize("call", ASYNC.values(), ids=ASYNC)
def test_async_callables(call):
    async def main():
        return await call(1)

    assert asyncio.run(main()) == 1
    assert asyncio.run(main()) == 1  # the same object, another event loop


@pytest.mark.parametrize("fn", [afunction, Service(), functools.partial(afunction, 1)])
def test_what_is_async_stays_async(fn):
    assert is_coroutine_function(POLICY(fn))


def test_a_generator():
    @POLICY
    def items(n):
        yield from range(n)

    assert list(items(3)) == [0, 1, 2]


async def test_an_async_generator_gets_what_is_sent():
    @POLICY
    async def items():
        got = yield 1
        yield got

    stream = items()
    assert await anext(stream) == 1
    assert await stream.asend("sent") == "sent"
    await stream.aclose()


async def test_blocks():
    with POLICY as entered:
        assert entered is POLICY
    async with POLICY as entered:
        assert entered is POLICY


async def test_a_result_that_cannot_be_awaited():
    with pytest.raises(TypeError, match="cannot be awaited"):
        await POLICY.acall(int)  # type: ignore[arg-type]


def test_what_cannot_be_called():
    with pytest.raises(TypeError, match="CircuitBreaker decorates callables, not 3"):
        POLICY(3)  # type: ignore[type-var]


async def test_an_async_mock_is_async():
    fetch = AsyncMock(side_effect=[ConnectionError("no"), "page"])
    with pytest.raises(ConnectionError):
        await POLICY(fetch)("url")
    assert POLICY.metrics.failures == 1
    assert await POLICY.acall(fetch, "url") == "page"
