"""The public API as a type-checked file that is never run."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Protocol

from shared.lifecycle import (
    ConnectionPool,
    ConnectionPoolConfig,
    Container,
    GracefulShutdown,
    HookFailure,
    ResourcePool,
    ShutdownReport,
    close_pools,
    get_pool,
    initialize_pools,
    managed,
    pooled_resource,
    register_pool,
    sd_notify,
)

shutdown = GracefulShutdown(drain_delay=5, hook_timeout=10, total_timeout=25)


@shutdown.on_shutdown
def bare() -> None: ...


@shutdown.on_shutdown(priority=10, timeout=2.5)
async def with_arguments() -> int:
    return 1


kept: Callable[[], None] = bare
shutdown.on_drain(bare)
shutdown.trigger()
report: ShutdownReport = shutdown.wait_for_signal()
failures: tuple[HookFailure, ...] = report.failures
code: int = report.exit_code
sent: bool = sd_notify("READY=1")

with shutdown.track():
    pass


async def main() -> None:
    async with shutdown.track():
        pass
    done: ShutdownReport = await shutdown.wait()
    async with shutdown.lifespan(None):
        print(done)


class Thing:
    def close(self) -> None: ...


pool: ResourcePool[Thing] = ResourcePool(
    "things",
    Thing,
    close=Thing.close,
    validate=lambda thing: True,
    config=ConnectionPoolConfig(min_size=1, max_size=4, timeout=5, max_lifetime=60, max_idle=None),
)
shifted: ResourcePool[Thing] = ResourcePool(
    Thing, Thing.close, lambda t: True, ConnectionPoolConfig()
)
pool.initialize()
with pool.acquire(timeout=1) as lent:
    thing: Thing = lent
size: int = pool.stats.size
left: int = pool.close(timeout=1)


class MyPool(ConnectionPool[Thing]):
    def _create_connection(self) -> Thing:
        return Thing()

    def _close_connection(self, connection: Thing) -> None:
        connection.close()

    def _validate_connection(self, connection: Thing) -> bool:
        return True


registered: MyPool = register_pool(MyPool("mine", ConnectionPoolConfig(max_size=2)))
found: ResourcePool[Thing] = get_pool("mine")
initialize_pools()
close_pools()


@pooled_resource("mine")
def work(thing: Thing, order: int, *, fast: bool = False) -> str:
    return str(order)


@pooled_resource("mine")
async def work_async(thing: Thing, order: int) -> str:
    return str(order)


@pooled_resource("mine")
def rows(thing: Thing, order: int) -> Iterator[str]:
    yield str(order)


@pooled_resource("mine")
async def rows_async(thing: Thing, order: int) -> AsyncIterator[str]:
    yield str(order)


class Service:
    @pooled_resource("mine")
    def work(self, thing: Thing, order: int) -> str:
        return str(order)

    @staticmethod
    @pooled_resource("mine")
    def static(thing: Thing, order: int) -> str:
        return str(order)


async def make() -> Thing:
    return Thing()


made_async: ResourcePool[Thing] = ResourcePool("made", create=make)
also_async: ConnectionPool[Thing] = ConnectionPool("made", create=make)
first: str = next(rows(order=1))
later: AsyncIterator[str] = rows_async(1)
method: str = Service().work(order=1)
static: str = Service.static(order=1)
done: str = work(1, fast=True)


class Closing(Protocol):
    def close(self) -> None: ...


container = Container()
container.register(Thing)
container.register(Closing, Thing)
closing: Closing = container.resolve(Closing)
container.register("name", lambda c: c.resolve(Thing), close=lambda t: t.close(), replace=True)
resolved: Thing = container.resolve(Thing)
container.close()


async def use() -> None:
    async with pool.acquire() as lent:
        inner: Thing = lent
    text: str = await work_async(1)
    later: Thing = await container.aresolve(Thing)
    async with managed(inner, later) as (one, two):
        print(one, two, text)
    waited: Awaitable[None] = initialize_pools()
    await waited
    await close_pools(timeout=1)
    also_closing: Closing = await container.aresolve(Closing)
    also_closing.close()
    await container.aclose()
    await pool.aclose()
    stopped: bool = await shutdown.asleep(1)
    print(stopped)
