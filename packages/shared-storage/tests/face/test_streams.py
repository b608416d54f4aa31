"""Asynchronous streams that end before their time."""

import asyncio
import threading

import pytest

from shared.storage import FileStore, LockTimeout, MemoryStore


@pytest.fixture(params=["file", "object"])
def store(request, make_store):
    return make_store(request.param)


async def test_a_cancelled_stream_leaves_the_old_object_and_is_closed(store):
    await store.aput("k", b"old")
    started, closed = asyncio.Event(), []

    async def stream():
        try:
            yield b"x" * 100
            started.set()
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    task = asyncio.ensure_future(store.aput("k", stream()))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert closed == [True]
    assert await store.aget("k") == b"old"
    assert [stat.key async for stat in store.alist()] == ["k"]


async def test_the_loop_runs_on_while_files_are_written(tmp_path):
    store = FileStore(tmp_path / "store")
    beats = 0

    async def beat():
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0)

    async def stream():
        for _ in range(20):
            yield bytes(1 << 18)

    task = asyncio.ensure_future(beat())
    before = beats
    await store.aput("k", stream())
    assert beats > before + 20
    task.cancel()


async def test_a_task_that_gives_up_a_lock_does_not_keep_it(tmp_path):
    for store in (MemoryStore(), FileStore(tmp_path / "store")):
        async with store.lock("k"):
            waiting = asyncio.ensure_future(store.lock("k").aacquire())
            await asyncio.sleep(0.01)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        async with store.lock("k", timeout=30):
            with pytest.raises(LockTimeout):
                store.lock("k", timeout=0).acquire()


def test_one_store_in_several_loops_and_threads(tmp_path):
    for store in (MemoryStore(), FileStore(tmp_path / "store", fsync=False)):

        async def work(number, store=store):
            for turn in range(5):
                async with store.lock("n"):
                    await store.aput("n", b"%d" % (int(await store.aget("n")) + 1))
                await store.aput(f"{number}/{turn}", b"x")

        store.put("n", b"0")
        threads = [
            threading.Thread(target=lambda number=number: asyncio.run(work(number)))
            for number in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert store.get("n") == b"20"
        assert len(list(store.list())) == 21
