"""Container: each part made once, closed in reverse, whatever fails."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from abc import ABC, abstractmethod
from contextvars import ContextVar
from functools import partial
from typing import Protocol

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


class Database:
    def __init__(self, url):
        self.url = url


class WithDefault:
    def __init__(self, url="memory"):
        self.url = url


class Locating:
    def __init__(self, container):
        self.container = container


class Annotated:
    def __init__(self, c: Container):
        self.container = c


@pytest.mark.parametrize(
    ("key", "factory", "missing"),
    [
        (Database, None, "Database needs url"),
        ("db", Database, "'db' needs url"),
        ("db", partial(Database), "'db' needs url"),
        ("db", lambda c, other: c, "'db' needs c, other"),
        ("db", lambda *, c: c, "'db' needs c"),
    ],
)
def test_the_container_is_not_passed_as_something_else(key, factory, missing):
    with pytest.raises(TypeError, match=f"the factory of {missing}: register a function"):
        Container().register(key, factory)


def test_an_annotated_argument_that_is_no_container_is_refused():
    def make(url: str) -> str:
        return url

    with pytest.raises(TypeError, match="'db' needs url"):
        Container().register("db", make)


def test_who_receives_the_container():
    container = Container()

    def make(c: Container, size: int = 3, *rest: int) -> tuple[Container, int]:
        return c, size

    container.register(WithDefault)
    container.register(Locating)
    container.register(Annotated)
    container.register("function", make)
    container.register("partial", partial(make, size=4))
    assert container.resolve(WithDefault).url == "memory"
    assert container.resolve(Locating).container is container
    assert container.resolve(Annotated).container is container
    assert container.resolve("function") == (container, 3)
    assert container.resolve("partial") == (container, 4)


def test_an_abstract_key_needs_a_factory():
    class Store(Protocol):
        url: str

    class Base(ABC):
        @abstractmethod
        def go(self): ...

    container = Container()
    for key in (Store, Base):
        with pytest.raises(TypeError, match="is abstract: register a factory for it"):
            container.register(key)
    container.register(Store, WithDefault)
    assert container.resolve(Store).url == "memory"


async def test_closed_while_it_makes_something_closes_that_too():
    log: list[str] = []
    container = Container()
    go = asyncio.Event()

    async def slow():
        await go.wait()
        return AsyncPart("slow", log)

    async def session():
        await go.wait()
        log.append("session begins")
        yield "session"
        log.append("session ends")

    container.register("slow", slow)
    container.register("session", session)
    waiting = [asyncio.ensure_future(container.aresolve(key)) for key in ("slow", "session")]
    await asyncio.sleep(0)
    await container.aclose()
    go.set()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(r) for r in results] == [ContainerClosed, ContainerClosed]
    assert sorted(log) == ["closed slow", "made slow", "session begins", "session ends"]


def test_a_factory_that_closes_its_container_leaves_nothing_open():
    log: list[str] = []
    container = Container()

    def make(c):
        c.close()
        return Part("late", log)

    container.register("late", make)
    with pytest.raises(ContainerClosed, match="while it made 'late'"):
        container.resolve("late")
    assert log == ["made late", "closed late"]


async def test_an_async_generator_starts_and_ends_in_one_task_and_context():
    variable: ContextVar[str] = ContextVar("variable")
    tasks = []
    container = Container()

    async def scope():
        tasks.append(asyncio.current_task())
        token = variable.set("inside")
        async with asyncio.TaskGroup() as group:
            yield group
        variable.reset(token)
        tasks.append(asyncio.current_task())

    container.register("scope", scope)
    group = await asyncio.ensure_future(container.aresolve("scope"))
    job = group.create_task(asyncio.sleep(0, "done"))
    await container.aclose()
    assert job.result() == "done"
    assert tasks[0] is tasks[1]


async def test_a_scope_that_ends_on_its_own_is_made_again():
    ended = asyncio.Event()
    container = Container()

    async def scope():
        try:
            async with asyncio.timeout(None if ended.is_set() else 0):
                yield object()
        except TimeoutError:
            ended.set()

    container.register("scope", scope)
    one = await container.aresolve("scope")
    await ended.wait()
    await asyncio.sleep(0)
    assert await container.aresolve("scope") is not one
    await container.aclose()


def test_two_event_loops_after_each_other():
    log: list[str] = []
    container = Container()

    async def session():
        log.append("begin")
        try:
            yield object()
        finally:
            log.append("end")

    container.register("session", session)

    async def use():
        return await container.aresolve("session")

    one = asyncio.run(use())
    assert log == ["begin", "end"]  # with its loop
    assert asyncio.run(use()) is not one
    asyncio.run(container.aclose())
    assert log == ["begin", "end"] * 2


def test_the_tasks_of_two_event_loops_wait_for_one_factory():
    container = Container()
    entered, go = threading.Event(), threading.Event()
    made = []

    async def slow():
        entered.set()
        await asyncio.to_thread(go.wait)
        made.append(object())
        return made[-1]

    container.register("slow", slow)
    got = []
    threads = [
        threading.Thread(target=lambda: got.append(asyncio.run(aresolve()))) for _ in range(2)
    ]

    async def aresolve():
        if entered.is_set():
            asyncio.get_running_loop().call_soon(go.set)
        return await container.aresolve("slow")

    threads[0].start()
    entered.wait()
    threads[1].start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert got == made * 2


def test_what_close_cannot_close_aclose_still_can():
    log: list[str] = []
    container = Container()
    container.register("a", lambda: AsyncPart("a", log))
    container.resolve("a")
    with pytest.raises(ExceptionGroup):
        container.close()
    asyncio.run(container.aclose())
    assert log == ["made a", "closed a"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_fork_while_another_thread_makes_something(run):
    program = run("""
        import os, threading
        from shared.lifecycle import Container
        container = Container()
        inside, go = threading.Event(), threading.Event()
        def slow():
            inside.set()
            go.wait(30)
            return "slow"
        container.register("slow", slow)
        container.register("quick", lambda: "quick")
        thread = threading.Thread(target=container.resolve, args=("slow",))
        thread.start()
        inside.wait()
        child = os.fork()
        if child == 0:
            go.set()
            print(container.resolve("quick"), container.resolve("slow"))
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        go.set()
        thread.join()
    """)
    assert program.end() == 0, program.errors
    assert program.output == ["quick slow"]
