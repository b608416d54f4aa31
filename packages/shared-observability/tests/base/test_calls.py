"""Every decorator on every kind of callable: asynchronous ones are observed until they end."""

import asyncio
import functools
import inspect

import pytest
from prometheus_client import CollectorRegistry

from shared.observability import (
    benchmark,
    capture_logs,
    correlation,
    correlation_id,
    log_calls,
    log_context,
    log_exceptions,
    propagate,
    red,
    timed,
    trace_span,
)


async def fails(x):
    await asyncio.sleep(0)
    raise ValueError(x)


async def echo(x):
    await asyncio.sleep(0)
    return x, correlation_id()


class Service:
    async def __call__(self, x):
        return await self.inner(x)

    def __init__(self, inner):
        self.inner = inner


def marked(inner):
    def fn(x):
        return inner(x)

    return inspect.markcoroutinefunction(fn) if hasattr(inspect, "markcoroutinefunction") else inner


def plain(inner):
    def fn(x):
        return inner(x)

    return fn


def dispatched(inner):
    return functools.singledispatch(inner)


def static(inner):
    def make(decorate):
        class Home:
            method = decorate(staticmethod(inner))

        return Home.method

    return make


def of_class(inner):
    def make(decorate):
        class Home:
            method = decorate(classmethod(lambda _cls, x: inner(x)))

        return Home.method

    return make


KINDS = {
    "async": lambda inner: lambda decorate: decorate(inner),
    "lambda": lambda inner: lambda decorate: decorate(lambda x: inner(x)),  # noqa: PLW0108 - it is the case
    "plain": lambda inner: lambda decorate: decorate(plain(inner)),
    "partial": lambda inner: lambda decorate: decorate(functools.partial(inner)),
    "object": lambda inner: lambda decorate: decorate(Service(inner)),
    "marked": lambda inner: lambda decorate: decorate(marked(inner)),
    "dispatched": lambda inner: lambda decorate: decorate(dispatched(inner)),
    "static": static,
    "class": of_class,
}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_failure_after_the_first_await_is_seen(kind):
    registry, seconds = CollectorRegistry(), []
    observed = {
        "red": red("x", registry=registry),
        "timed": timed(report=lambda _name, second: seconds.append(second)),
        "log_calls": log_calls,
        "log_calls with result": log_calls(result=True),
        "log_exceptions": log_exceptions,
        "trace_span": trace_span("x"),
    }
    with capture_logs() as logs:
        for name, decorate in observed.items():
            fn = KINDS[kind](fails)(decorate)
            with pytest.raises(ValueError, match=name):
                await fn(name)
    assert registry.get_sample_value("x_errors_total") == 1
    assert registry.get_sample_value("x_requests_total") == 1
    assert len(seconds) == 1
    endings = [line["message"].rpartition(" ")[2] for line in logs]
    assert endings == ["raised", "raised", "failed"]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_result_and_its_context_come_through(kind):
    with capture_logs() as logs:
        assert await KINDS[kind](echo)(log_calls(result=True))(3) == (3, None)
        assert await KINDS[kind](echo)(correlation("a"))(3) == (3, "a")
        assert await KINDS[kind](echo)(log_context(x=1))(3) == (3, None)
        with correlation("carried"):
            carried = KINDS[kind](echo)(propagate)
        assert await carried(3) == (3, "carried")
    assert correlation_id() is None
    assert logs[0]["result"] == [3, None]
    assert len(logs) == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_benchmarks_await(kind):
    result = await KINDS[kind](echo)(benchmark(iterations=3))(3)
    assert (result.iterations, result.result) == (3, (3, None))


def test_a_generator_is_no_benchmark():
    def numbers():
        yield 1

    with pytest.raises(TypeError, match="fn must be a function or coroutine function"):
        benchmark(iterations=1)(numbers)


async def test_propagate_carries_into_generators():
    def numbers():
        yield correlation_id()
        yield correlation_id()

    async def later():
        yield correlation_id()
        await asyncio.sleep(0)
        yield correlation_id()

    with correlation("a"):
        one, two = propagate(numbers), propagate(later)
    seen = []
    for value in one():
        seen += [value, correlation_id()]
    async for value in two():
        seen += [value, correlation_id()]
    assert seen == ["a", None] * 4
