"""log_calls, log_exceptions and deprecated, on every kind of function."""

import asyncio
import functools
import threading
import warnings

import pytest

from shared.observability import (
    capture_logs,
    deprecated,
    log_calls,
    log_exceptions,
    timed,
)


def alone(coroutine):
    """Run in a loop of its own; asyncio.run would forget the loop of pytest-asyncio."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


KINDS = ["plain", "coroutine", "generator", "agenerator"]


def make(kind, decorate):
    if kind == "plain":

        @decorate
        def work(x, password="p"):
            if x < 0:
                raise ValueError(f"bad {x}")
            return x
    elif kind == "coroutine":

        @decorate
        async def work(x, password="p"):
            await asyncio.sleep(0)
            if x < 0:
                raise ValueError(f"bad {x}")
            return x
    elif kind == "generator":

        @decorate
        def work(x, password="p"):
            yield x
            if x < 0:
                raise ValueError(f"bad {x}")
    else:

        @decorate
        async def work(x, password="p"):
            yield x
            if x < 0:
                raise ValueError(f"bad {x}")

    return work


def run(kind, work, x):
    if kind == "plain":
        return work(x)
    if kind == "coroutine":
        return alone(work(x))
    if kind == "generator":
        return list(work(x))[0]  # noqa: RUF015 - to the end

    async def drain():
        return [item async for item in work(x)][0]  # noqa: RUF015 - to the end

    return alone(drain())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "decorate",
    [log_calls, log_calls(level="WARNING"), log_exceptions, log_exceptions(level="CRITICAL"),
     timed, timed(name="other"), deprecated, deprecated("old", since="2.0")],
    ids=range(8),
)  # fmt: skip
def test_decorators_keep_behaviour(kind, decorate):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        with capture_logs() as logs:
            work = make(kind, decorate)
            assert work.__name__ == "work"
            assert run(kind, work, 3) == 3
            with pytest.raises(ValueError, match="bad -1"):
                run(kind, work, -1)
    for line in logs:
        assert line["logger"] == __name__
        assert line["function"] == "work"
        assert line["module"] == "test_decorators"


@pytest.mark.parametrize("kind", KINDS)
def test_log_calls(kind):
    with capture_logs() as logs:
        work = make(kind, log_calls(level="WARNING", logger="calls", result=True))
        run(kind, work, 3)
        with pytest.raises(ValueError, match="bad"):
            run(kind, work, -1)
    returned, raised = logs
    assert returned["message"].endswith("work returned")
    assert returned["arguments"] == {"x": 3}
    assert (returned["level"], returned["logger"]) == ("warning", "calls")
    assert ("result" in returned) == (kind in {"plain", "coroutine"})
    assert raised["message"].endswith("work raised")
    assert raised["error"] == "ValueError: bad -1"
    with capture_logs() as logs:
        work = make("plain", log_calls)
        work(1, password="hunter2")
    assert logs[0]["arguments"] == {"x": 1, "password": "[REDACTED]"}


def test_log_exceptions_logs_once():
    @log_exceptions
    @log_exceptions
    def inner():
        raise OSError("disk")

    @log_exceptions
    def outer():
        inner()

    with capture_logs() as logs, pytest.raises(OSError, match="disk"):
        outer()
    assert [line["message"] for line in logs] == ["inner failed"]
    assert logs[0]["exception"][0]["type"] == "OSError"


def test_cancellation_is_no_error():
    @log_exceptions
    async def wait():
        await asyncio.sleep(60)

    async def main():
        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with capture_logs() as logs:
        alone(main())
    assert logs == []


def test_deprecated_warns_each_time_and_logs_once():
    @deprecated("too slow", since="1.2", use="quick")
    def old():
        return 1

    with capture_logs() as logs:
        for _ in range(2):
            with pytest.warns(
                DeprecationWarning, match="old is deprecated since 1.2: too slow; use quick"
            ) as seen:
                assert old() == 1
            assert seen[0].filename == __file__
    assert len(logs) == 1


class Shop:
    @log_calls
    @classmethod
    def opened(cls, door):
        return cls, door

    @staticmethod
    @log_calls(result=True)
    def closed(door):
        return door

    @log_calls
    def __call__(self, door):
        return door


@pytest.mark.parametrize(
    ("call", "message", "result"),
    [
        (Shop.opened, "Shop.opened returned", (Shop, 1)),
        (Shop.closed, "Shop.closed returned", 1),
        (Shop(), "Shop.__call__ returned", 1),
        (log_calls(functools.partial(divmod, 7)), "divmod returned", (7, 0)),
    ],
)
def test_every_kind_of_callable(call, message, result):
    with capture_logs() as logs:
        assert call(1) == result
    assert [line["message"] for line in logs] == [message]
    assert "door" in logs[0]["arguments"] or message == "divmod returned"


@pytest.mark.parametrize("decorate", [log_calls, log_exceptions, timed, deprecated()])
def test_what_cannot_be_called_is_refused(decorate):
    with pytest.raises(TypeError, match="decorates callables, not 5"):
        decorate(5)


async def test_one_failed_future_awaited_by_three_requests_is_three_lines():
    future = asyncio.get_running_loop().create_future()
    future.set_exception(OSError("down"))

    @log_exceptions
    async def request():
        await future

    with capture_logs() as logs:
        await asyncio.gather(*(request() for _ in range(3)), return_exceptions=True)
    assert [line["message"].rpartition(".")[2] for line in logs] == ["request failed"] * 3
    assert vars(future.exception()) == {}


def test_an_exception_kept_and_raised_again_is_logged_again():
    error = ValueError("kept")

    @log_exceptions
    def inner():
        raise error

    @log_exceptions
    def outer():
        inner()

    with capture_logs() as logs:
        for _ in range(2):
            with pytest.raises(ValueError, match="kept"):
                outer()
    assert len(logs) == 2


async def test_one_line_through_generators_and_tasks():
    @log_exceptions
    async def inner():
        raise ValueError("x")

    @log_exceptions
    async def items():
        yield 1
        await asyncio.create_task(inner())

    @log_exceptions
    async def outer():
        async for _ in items():
            pass

    with capture_logs() as logs, pytest.raises(ValueError, match="x"):
        await outer()
    assert [line["message"].rpartition(".")[2] for line in logs] == ["inner failed"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_deprecated_logs_once_from_many_threads():
    @deprecated
    def old():
        return 1

    start = threading.Barrier(8)

    def call():
        start.wait()
        old()

    with capture_logs() as logs:
        threads = [threading.Thread(target=call) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(logs) == 1
