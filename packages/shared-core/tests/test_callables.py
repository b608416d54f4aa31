"""One place decides what kind a callable is, and wraps it as what it is."""

import functools
import inspect
import types
from typing import Any
from unittest.mock import AsyncMock, MagicMock, Mock

import pytest

from shared.core.callables import decorate, describe, kind_of, wrap


def plain(a=1):
    return a


async def coroutine(a=1):
    return a


def generator(a=1):
    got = yield a
    return got


async def async_generator(a=1):
    yield a


@types.coroutine
def by_generator():
    yield


class Callable:
    def __call__(self):
        return 1

    def plain(self):
        return self

    async def coroutine(self):
        return self

    @classmethod
    async def of_class(cls):
        return cls

    @staticmethod
    async def static():
        return 1

    @functools.singledispatchmethod
    async def dispatched(self, value):
        return value

    part = functools.partialmethod(coroutine)


class AsyncCallable:
    async def __call__(self):
        return 1


class PartialCallable:
    __call__ = functools.partialmethod(AsyncCallable.__call__)


class GeneratorCallable:
    def __call__(self):
        yield 1


@functools.singledispatch
async def dispatched(value):
    return value


def marked():
    return coroutine()


class Marked:
    def __call__(self):
        return coroutine()


mark: Any = getattr(inspect, "markcoroutinefunction", None)
if mark is None:  # Python 3.11
    from asyncio import coroutines

    def mark(fn):
        fn._is_coroutine = coroutines._is_coroutine  # type: ignore[attr-defined]


mark(marked)
mark(Marked.__call__)


@pytest.mark.parametrize(
    ("fn", "kind"),
    [
        (plain, "sync"),
        (len, "sync"),
        (dict, "sync"),
        (lambda a=1: coroutine(a), "sync"),
        (Callable(), "sync"),
        (Callable().plain, "sync"),
        (functools.partial(plain), "sync"),
        (functools.cache(plain), "sync"),
        (Mock(), "sync"),
        (MagicMock(), "sync"),
        (coroutine, "async"),
        (functools.partial(functools.partial(coroutine), 2), "async"),
        (Callable().coroutine, "async"),
        (Callable.of_class, "async"),
        (Callable.__dict__["of_class"], "async"),
        (Callable.__dict__["static"], "async"),
        (Callable.static, "async"),
        (Callable().part, "async"),
        (Callable.__dict__["part"], "async"),
        (Callable.__dict__["dispatched"], "async"),
        (Callable().dispatched, "async"),
        (AsyncCallable(), "async"),
        (PartialCallable(), "async"),
        (functools.partial(AsyncCallable()), "async"),
        (dispatched, "async"),
        (functools.cache(coroutine), "async"),
        (marked, "async"),
        (functools.partial(marked), "async"),
        (Marked(), "async"),
        (AsyncMock(), "async"),
        (AsyncMock().method, "async"),
        (AsyncCallable, "sync"),
        (generator, "generator"),
        (functools.partial(generator), "generator"),
        (GeneratorCallable(), "generator"),
        (async_generator, "async_generator"),
        (functools.partial(async_generator), "async_generator"),
        (by_generator, "sync"),
    ],
    ids=str,
)
def test_the_kind(fn, kind):
    assert kind_of(fn) == kind


def test_a_name_for_everything():
    assert describe(functools.partial(functools.partial(plain, 1))) == "plain"
    assert describe(Callable()) == "Callable"
    assert describe(Callable().coroutine) == "Callable.coroutine"
    method: Any = functools.partialmethod(plain)
    assert describe(method) == "plain"


def test_what_cannot_be_called_is_refused_when_decorated():
    with pytest.raises(TypeError, match="retry decorates callables, not 7"):
        decorate(7, lambda fn: fn, by="retry")  # type: ignore[type-var]


def test_class_and_static_methods_stay_what_they_are():
    def twice(fn):
        def doubled(*args):
            return fn(*args) * 2

        return doubled

    class Shop:
        @classmethod
        def name(cls):
            return cls.__name__

        below = decorate(name, twice, by="twice")

        @staticmethod
        def two():
            return 2

        static = decorate(two, twice, by="twice")

    assert Shop.below() == "ShopShop"
    assert Shop().below() == "ShopShop"
    assert Shop.static() == Shop().static() == 4


def test_a_wrapper_of_an_object_has_its_name_and_not_its_state():
    class Client:
        """Calls."""

        def __init__(self):
            self.password = "hunter2"

        def __call__(self, a, b):
            return a - b

    wrapped: Any = decorate(Client(), lambda fn: lambda a, b: fn(b, a), by="x")
    assert wrapped(1, 3) == 2
    assert "Client" in wrapped.__qualname__
    assert not hasattr(wrapped, "password")


def test_single_dispatch_can_still_be_registered_on_the_wrapper():
    wrapped: Any = wrap(dispatched, lambda args, kwargs: Log([]))
    assert wrapped.register is dispatched.register


class Log:
    """A context that notes what happens to it."""

    def __init__(self, log):
        self.log = log

    def __enter__(self):
        self.log.append("enter")

    def __exit__(self, exc_type, exc, traceback):
        self.log.append(exc_type.__name__ if exc_type else "exit")

    def resume(self):
        self.log.append("resume")

    def suspend(self):
        self.log.append("suspend")


async def test_every_kind_is_wrapped_as_what_it_is():
    log = []

    def around(args, kwargs):
        log.append((args, kwargs))
        return Log(log)

    assert wrap(plain, around)(3) == 3
    assert await wrap(coroutine, around)(a=4) == 4
    assert list(wrap(generator, around)(5)) == [5]
    assert [item async for item in wrap(async_generator, around)(6)] == [6]
    calls = [((3,), {}), ((), {"a": 4}), ((5,), {}), ((6,), {})]
    assert log == [entry for call in calls for entry in (call, "enter", "exit")]
    for fn in (plain, coroutine, generator, async_generator):
        assert kind_of(wrap(fn, around)) == kind_of(fn)
        assert inspect.signature(wrap(fn, around)) == inspect.signature(fn)


def test_a_generator_gets_what_its_consumer_sends_throws_and_closes():
    def talk():
        try:
            got = yield "first"
            while True:
                try:
                    got = yield got
                except KeyError as error:
                    got = repr(error)
        finally:
            log.append("closed")

    log = []
    wrapped = wrap(talk, lambda args, kwargs: Log(log), stepwise=True)()
    assert next(wrapped) == "first"
    assert wrapped.send(2) == 2
    assert wrapped.throw(KeyError("k")) == "KeyError('k')"
    wrapped.close()
    steps = ["resume", "suspend"]
    assert log == ["enter", *steps * 3, "resume", "closed", "suspend", "GeneratorExit"]


def test_the_value_of_a_generator_is_returned():
    wrapped = wrap(generator, lambda args, kwargs: Log([]))()
    next(wrapped)
    with pytest.raises(StopIteration) as stop:
        wrapped.send("over")
    assert stop.value.value == "over"


async def test_an_async_generator_gets_what_its_consumer_sends_throws_and_closes():
    async def talk():
        try:
            got = yield "first"
            while True:
                try:
                    got = yield got
                except KeyError as error:
                    got = repr(error)
        finally:
            log.append("closed")

    log = []
    wrapped = wrap(talk, lambda args, kwargs: Log(log), stepwise=True)()
    assert await anext(wrapped) == "first"
    assert await wrapped.asend(2) == 2
    assert await wrapped.athrow(KeyError("k")) == "KeyError('k')"
    await wrapped.aclose()
    steps = ["resume", "suspend"]
    assert log == ["enter", *steps * 3, "resume", "closed", "suspend", "GeneratorExit"]
