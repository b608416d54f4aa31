# mypy: disable-error-code="func-returns-value, comparison-overlap"
"""No id crosses tasks, threads or pool workers, unless it is carried on purpose."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.observability import (
    ContextThreadPoolExecutor,
    bind,
    capture_logs,
    correlation,
    correlation_id,
    every,
    get_logger,
    log_context,
    propagate,
    sample,
    unbind,
)


async def test_a_thousand_tasks():
    log = get_logger("x")

    async def task(n):
        with correlation(f"id-{n}"), log_context(n=n):
            bind(bound=n)
            await asyncio.sleep(0)
            log.info("m", mine=n)
            await asyncio.to_thread(log.info, "thread", mine=n)
            await asyncio.sleep(0)
            log.info("m", mine=n)

    with capture_logs() as logs:
        await asyncio.gather(*(task(n) for n in range(1000)))
        log.info("outside")
    assert len(logs) == 3001
    for line in logs[:-1]:
        assert line["correlation_id"] == f"id-{line['mine']}"
        assert line["n"] == line["bound"] == line["mine"]
    assert not {"n", "bound", "correlation_id"} & set(logs[-1])


@pytest.mark.parametrize("use", ["with", "executor"])
def test_a_reused_thread_pool(use):
    log = get_logger("x")

    def with_block(n):
        with correlation(f"id-{n}"):
            log.info("m", mine=n)
        log.info("after")

    def with_bind(n):
        bind(correlation_id=f"id-{n}")
        log.info("m", mine=n)

    with capture_logs() as logs, correlation("submitter"):
        if use == "with":
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(with_block, range(200)))
        else:
            with ContextThreadPoolExecutor(4) as pool:
                list(pool.map(with_bind, range(200)))
                assert set(pool.map(lambda _: correlation_id(), range(50))) == {"submitter"}
    mine = [line for line in logs if line["message"] == "m"]
    assert len(mine) == 200
    assert all(line["correlation_id"] == f"id-{line['mine']}" for line in mine)
    assert all("correlation_id" not in line for line in logs if line["message"] == "after")


def test_a_plain_thread_starts_empty_and_propagate_carries():
    seen = []
    bind(user="ada")
    with correlation("here"):
        bind(gone="with the block")
        carried = propagate(lambda: (seen.append(correlation_id()), bind(user="bob")))
        threads = [threading.Thread(target=lambda: seen.append(correlation_id()))]
    threads += [threading.Thread(target=carried) for _ in range(20)]  # at once, in copies
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen, key=str) == sorted([None, *["here"] * 20], key=str)
    with capture_logs() as logs:
        get_logger("x").info("m")
    assert logs[0]["user"] == "ada"
    assert "gone" not in logs[0]


async def test_propagate_a_coroutine_function():
    async def job(x):
        bind(inside=x)
        await asyncio.sleep(0)
        return correlation_id()

    with correlation("a"):
        carried = propagate(job)
    assert await asyncio.gather(*(carried(n) for n in range(5))) == ["a"] * 5
    assert correlation_id() is None
    with capture_logs() as logs:
        get_logger("x").info("m")
    assert "inside" not in logs[0]


async def test_contexts_left_out_of_order_do_not_raise():
    async def numbers():
        with log_context(generator=True):
            yield 1
            yield 2

    generator = numbers()
    await anext(generator)
    await asyncio.create_task(generator.aclose())  # closed in another context
    unbind()
    with log_context(a=1):
        pass


def test_nested_correlations_and_fresh_ids():
    with correlation() as first, correlation("inner"):
        assert correlation_id() == "inner"
        assert len(first) == 32
    with correlation() as second:
        assert second != first


def test_every_counts_by_place_and_key():
    now = 0.0
    log = get_logger("x")

    def tick(key=None):
        if every(10, key=key, clock=lambda: now):
            log.info("tick", key=key)
            log.info("next")

    with capture_logs() as logs:
        for moment in [0, 1, 2, 9.9, 10, 11, 25]:
            now = moment
            tick()
        tick("other")
    shown = [line for line in logs if line["message"] == "tick"]
    assert [line.get("suppressed") for line in shown] == [None, 3, 1, None]
    assert all("suppressed" not in line for line in logs if line["message"] == "next")


def test_sample_counts_what_it_leaves_out():
    draws = iter([0.9, 0.5, 0.05, 0.05, 0.5, 0.0])
    with capture_logs() as logs:
        for _ in range(6):
            if sample(0.1, draw=lambda: next(draws)):
                get_logger("x").info("m")
    assert [line.get("suppressed") for line in logs] == [2, None, 1]


def test_every_under_threads_lets_one_through():
    hits = []

    def race():
        for _ in range(200):
            if every(1000, clock=lambda: 0.0):
                hits.append(1)

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(hits) == 1


@pytest.mark.parametrize("bad", [0, -1, float("nan"), True, "1"])
def test_bad_limits_are_named(bad):
    with pytest.raises(ValueError, match="seconds"):
        every(bad)
    if bad != 0:
        with pytest.raises(ValueError, match="p must be"):
            sample(bad)


def test_capture_logs_nests_and_restores():
    with capture_logs("DEBUG") as outer:
        get_logger("x").debug("one")
        with capture_logs() as inner:
            get_logger("x").debug("two")
        get_logger("x").debug("three")
    with capture_logs() as later:
        get_logger("x").debug("hidden")
    assert [line["message"] for line in outer] == ["one", "three"]
    assert [line["message"] for line in inner] == ["two"]
    assert later == []


async def test_blocks_decorate_every_kind():
    log = get_logger("x")

    @log_context(a=1)
    @correlation()
    def plain():
        log.info("plain")

    @correlation("c")
    @log_context(a=1)
    async def coroutine():
        await asyncio.sleep(0)
        log.info("coroutine")
        return 1

    @log_context(a=1)
    def generator():
        bind(inside=True)
        log.info("generator")
        yield 1
        log.info("generator")
        yield 2

    @log_context(a=1)
    async def agenerator():
        yield 1
        log.info("agenerator")
        yield 2

    with capture_logs() as logs:
        plain()
        plain()
        assert await asyncio.gather(coroutine(), coroutine()) == [1, 1]
        for _ in generator():
            log.info("outside")
        async for _ in agenerator():
            log.info("outside")
        log.info("outside")
    for line in logs:
        outside = line["message"] == "outside"
        assert ("a" in line) != outside
        assert ("inside" in line) == (line["message"] == "generator")
    ids = [line["correlation_id"] for line in logs[:2]]
    assert ids[0] != ids[1]
    assert {line["correlation_id"] for line in logs if line["message"] == "coroutine"} == {"c"}
