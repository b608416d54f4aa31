"""Container: each part made once, closed in reverse, whatever fails."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from shared.lifecycle import (
    CircularDependency,
    Container,
    ContainerClosed,
    NotRegistered,
)


class Part:
    log: list[str]

    def __init__(self, name, log):
        self.name = name
        self.log = log
        log.append(f"made {name}")

    def close(self):
        self.log.append(f"closed {self.name}")


class AsyncPart(Part):
    close = None  # type: ignore[assignment]

    async def aclose(self):
        await asyncio.sleep(0)
        self.log.append(f"closed {self.name}")


def test_lazy_once_and_closed_in_reverse():
    log: list[str] = []
    container = Container()
    container.register("c", lambda c: (c.resolve("b"), Part("c", log))[1])
    container.register("b", lambda c: (c.resolve("a"), Part("b", log))[1])
    container.register("a", lambda: Part("a", log))
    container.register("unused", lambda: Part("unused", log))
    assert log == []
    with container:
        assert container.resolve("c") is container.resolve("c")
        assert log == ["made a", "made b", "made c"]
    assert log[3:] == ["closed c", "closed b", "closed a"]
    with pytest.raises(ContainerClosed):
        container.resolve("a")
    container.close()


def test_threads_get_the_same_one():
    made = []

    def factory():
        time.sleep(0.01)
        made.append(object())
        return made[-1]

    container = Container()
    container.register("slow", factory)
    got = []
    threads = [
        threading.Thread(target=lambda: got.append(container.resolve("slow"))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert set(got) == set(made)


def test_a_cycle_is_named():
    container = Container()
    container.register("a", lambda c: c.resolve("b"))
    container.register("b", lambda c: c.resolve("c"))
    container.register("c", lambda c: c.resolve("a"))
    with pytest.raises(CircularDependency, match="'a' -> 'b' -> 'c' -> 'a'"):
        container.resolve("a")


async def test_a_cycle_between_two_tasks_is_named_too():
    container = Container()

    async def a(c):
        await asyncio.sleep(0)
        return await c.aresolve("b")

    async def b(c):
        await asyncio.sleep(0)
        return await c.aresolve("a")

    container.register("a", a)
    container.register("b", b)
    results = await asyncio.wait_for(
        asyncio.gather(container.aresolve("a"), container.aresolve("b"), return_exceptions=True),
        5,
    )
    assert [type(r) for r in results] == [CircularDependency, CircularDependency]


async def test_async_factories_run_once_and_end_in_reverse():
    log: list[str] = []
    container = Container()

    async def database():
        await asyncio.sleep(0)
        return AsyncPart("database", log)

    async def orders(c):
        one, two = await asyncio.gather(c.aresolve("database"), c.aresolve("database"))
        assert one is two
        return Part("orders", log)

    async def session():
        log.append("session begins")
        yield "session"
        log.append("session ends")

    container.register("database", database)
    container.register("orders", orders)
    container.register("session", session)
    async with container:
        cancelled = asyncio.ensure_future(container.aresolve("orders"))
        await asyncio.sleep(0)
        cancelled.cancel()
        one, two = await asyncio.gather(*(container.aresolve("orders") for _ in range(2)))
        assert one is two
        assert await container.aresolve("session") == "session"
        assert container.resolve("database").name == "database"
    assert log == [
        "made database",
        "made orders",
        "session begins",
        "session ends",
        "closed orders",
        "closed database",
    ]


def test_what_cannot_be_closed_is_named_and_the_rest_is_closed():
    log: list[str] = []
    container = Container()
    container.register("a", lambda: Part("a", log))
    container.register("b", lambda: AsyncPart("b", log))
    container.register("c", lambda: 1, close=lambda _: 1 / 0)
    for key in "abc":
        container.resolve(key)
    with pytest.raises(ExceptionGroup) as caught:
        container.close()
    assert [type(e) for e in caught.value.exceptions] == [ZeroDivisionError, TypeError]
    assert "'b'" in str(caught.value.exceptions[1])
    assert log[-1] == "closed a"


def test_wrong_use_is_explained():
    container = Container()
    container.register(Part, lambda: Part("x", []))
    with pytest.raises(ValueError, match="Part is registered already"):
        container.register(Part, lambda: Part("x", []))
    container.register(Part, lambda: Part("y", []), replace=True)
    assert container.resolve(Part).name == "y"
    with pytest.raises(ValueError, match="made already"):
        container.register(Part, lambda: Part("z", []), replace=True)
    with pytest.raises(NotRegistered, match="'cache' is not registered; registered: Part"):
        container.resolve("cache")
    with pytest.raises(TypeError, match="must be callable"):
        container.register("cache", 3)  # type: ignore[arg-type]

    async def later():
        return 1

    container.register("later", later)
    with pytest.raises(TypeError, match="aresolve"):
        container.resolve("later")
    container.register("fails", lambda: 1 / 0)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            container.resolve("fails")
