"""Which callables a hook may be."""

from __future__ import annotations

import functools
import logging

import pytest

from shared.lifecycle import GracefulShutdown


class Thing:
    def __init__(self, log):
        self.log = log

    def method(self):
        self.log.append("method")

    async def later(self):
        self.log.append("later")

    async def __call__(self):
        self.log.append("call")

    @classmethod
    def of_class(cls, log=None):
        pass

    @staticmethod
    async def static():
        pass


def test_every_kind_that_returns_is_served():
    log: list[str] = []
    thing = Thing(log)

    shutdown = GracefulShutdown(0)
    for hook in (
        thing.method,
        thing.later,
        thing,
        functools.partial(log.append, "partial"),
        lambda: thing.later(),  # noqa: PLW0108 - a lambda that returns a coroutine
        Thing.of_class,
        Thing.static,
        staticmethod(thing.method),
    ):
        shutdown.on_shutdown(hook)
    shutdown.trigger()
    report = shutdown.join()
    assert report.failures == ()
    assert log == ["method", "later", "partial", "call", "later", "method"]


def generator():
    yield


async def async_generator():
    yield


@pytest.mark.parametrize("register", ["on_shutdown", "on_drain"])
@pytest.mark.parametrize(
    ("hook", "why"),
    [
        (generator, "a function that returns, not one that yields"),
        (async_generator, "a function that returns, not one that yields"),
        (Thing.method, r"callable without arguments \(self\)"),
        (lambda *, key: key, r"callable without arguments \(key\)"),
        (classmethod(lambda cls: None), "callable"),
        (3, "callable"),
    ],
)
def test_what_could_not_run_is_refused_at_once(register, hook, why):
    with pytest.raises(TypeError, match=f"must be {why}, not"):
        getattr(GracefulShutdown(), register)(hook)


def test_a_drain_function_may_want_the_seconds():
    seen = []
    shutdown = GracefulShutdown(0)
    shutdown.on_drain(lambda seconds: seen.append(seconds))  # noqa: PLW0108 - it needs that name
    shutdown.on_drain(lambda: seen.append("none"))
    shutdown.trigger()
    assert shutdown.join().clean
    assert sorted(map(str, seen)) == ["0.0", "none"]


def test_a_watchdog_is_a_plain_function():
    async def well():
        return True

    with pytest.raises(TypeError, match="watchdog must be a plain function, not"):
        GracefulShutdown(watchdog=well)  # type: ignore[arg-type]


def test_a_watchdog_that_raises_does_not_end_the_thread_that_acts_on_signals(caplog):
    shutdown = GracefulShutdown(0, watchdog=lambda: 1 / 0)  # type: ignore[arg-type, return-value]
    with caplog.at_level(logging.ERROR, "shared.lifecycle"):
        assert shutdown._is_well() is False
    assert "the watchdog function failed" in caplog.text
