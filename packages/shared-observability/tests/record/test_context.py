"""No id crosses tasks or threads, unless it is carried on purpose."""

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
    extract,
    get_logger,
    log_context,
    propagate,
    unbind,
)
from shared.observability._record.context import CONTEXT


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

    def note():
        seen.append(correlation_id())
        bind(user="bob")

    bind(user="ada")
    with correlation("here"):
        bind(gone="with the block")
        carried = propagate(note)
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
    with capture_logs() as logs:
        with log_context(a=1):
            get_logger("x").info("inside")
        get_logger("x").info("outside")
    assert [line.get("a") for line in logs] == [1, None]
    assert all("generator" not in line for line in logs)


def test_nested_correlations_and_fresh_ids():
    with correlation() as first, correlation("inner"):
        assert correlation_id() == "inner"
        assert len(first) == 32
    with correlation() as second:
        assert second != first


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
        assert [*await asyncio.gather(coroutine(), coroutine())] == [1, 1]
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


def test_context_and_bound_fields(lines):
    log = get_logger("x").bind(a=1)
    bind(b=2)
    with log_context(c=3), correlation("id-1"):
        log.info("m", d=4)
    log.info("m")
    unbind("b")
    log.info("m")
    first, second, third = lines.records()
    assert {k: first[k] for k in "abcd"} == {"a": 1, "b": 2, "c": 3, "d": 4}
    assert first["correlation_id"] == "id-1"
    assert "c" not in second
    assert "correlation_id" not in second
    assert "b" not in third


def test_a_stack_has_no_frames_of_ours():
    @log_context(a=1)
    def work():
        get_logger("x").info("m", stack_info=True)

    with capture_logs() as logs:
        work()
    names = [frame["function"] for frame in logs[0]["stack"]]
    assert names[:2] == ["work", "test_a_stack_has_no_frames_of_ours"]


BLOCKS = [
    correlation("mine"),
    log_context(correlation_id="mine"),
    extract({"x-correlation-id": "mine"}),
]


@pytest.mark.parametrize("block", BLOCKS, ids=["correlation", "log_context", "extract"])
async def test_a_block_that_another_task_closes(block):
    with correlation("other"):
        other = asyncio.get_running_loop().create_future()

        async def closer():
            bind(kept=1)
            await other
            block.__exit__(None, None, None)
            return correlation_id()

        closing = asyncio.create_task(closer())
        await asyncio.sleep(0)

    async def serve():
        block.__enter__()
        bind(inside=1)
        assert correlation_id() == "mine"
        other.set_result(None)
        assert await closing == "other"
        with capture_logs() as logs:
            get_logger("x").info("the next request")
        return logs[0]

    line = await asyncio.create_task(serve())
    assert "correlation_id" not in line
    assert "inside" not in line


async def test_blocks_closed_out_of_order_leave_the_right_id():
    first, second = correlation("first"), log_context(step=2)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert correlation_id() is None
    with capture_logs() as logs:
        get_logger("x").info("m")
    assert logs[0]["step"] == 2
    second.__exit__(None, None, None)
    assert CONTEXT.get().raw == {}


async def test_one_block_shared_by_tasks_and_nested():
    shared = log_context(shared=1)

    async def task(n):
        with correlation(f"{n}"):
            with shared:
                await asyncio.sleep(0)
                with shared:
                    await asyncio.sleep(0)
                assert CONTEXT.get().raw == {"correlation_id": f"{n}", "shared": 1}
            assert CONTEXT.get().raw == {"correlation_id": f"{n}"}
        assert CONTEXT.get().raw == {}

    await asyncio.gather(*(task(n) for n in range(20)))


async def test_a_task_started_inside_keeps_the_id_after_the_block():
    go = asyncio.Event()

    async def background():
        await go.wait()
        return correlation_id()

    with correlation("request"):
        task = asyncio.create_task(background())
        await asyncio.sleep(0)
    go.set()
    assert await task == "request"


async def test_async_with():
    async with correlation("a") as value, log_context(x=1):
        assert value == correlation_id() == "a"
    assert CONTEXT.get().raw == {}
