"""The pool as a base class."""

from __future__ import annotations

import pytest

from shared.lifecycle import ConnectionPool, ConnectionPoolConfig


class Thing:
    alive = True
    closed = False

    def close(self):
        self.closed = True


def test_a_dead_resource_is_replaced():
    made = []

    class Mine(ConnectionPool[Thing]):
        def _create_connection(self):
            made.append(Thing())
            return made[-1]

        def _validate_connection(self, connection):
            return connection.alive

        def _close_connection(self, connection):
            connection.closed = True

    pool = Mine("mine", ConnectionPoolConfig(max_size=3))
    with pool.connection(), pool.connection(), pool.connection():
        pass
    for thing in made:
        thing.alive = False
    with pool.connection() as fresh:
        assert fresh.alive
        assert pool.stats.size == 3 - 2  # every dead one is closed, not only the first
    assert [thing.closed for thing in made] == [True, True, True, False]


@pytest.mark.parametrize(
    ("args", "options"),
    [
        ((Thing,), {}),
        (("db", Thing), {}),
        (("db",), {"create": Thing}),
    ],
)
def test_functions_do_instead_of_hooks(args, options):
    options["config"] = ConnectionPoolConfig(max_size=3)
    pool = ConnectionPool(*args, **options)
    assert (pool.name, pool.config.max_size) == ("db" if "db" in args else "Thing", 3)
    with pool.connection() as thing:
        pass
    pool.close()
    assert thing.closed


def test_a_pool_without_a_way_to_create_is_refused():
    with pytest.raises(TypeError, match="'db' needs a create function, or a subclass"):
        ConnectionPool("db", ConnectionPoolConfig())


async def test_async_hooks():
    class Mine(ConnectionPool[Thing]):
        async def _create_connection(self):
            return Thing()

        async def _close_connection(self, connection):
            connection.closed = True

        async def _validate_connection(self, connection):
            return connection.alive

    pool = Mine("mine")
    async with pool.connection() as dead:
        dead.alive = False
    async with pool.connection() as thing:
        assert thing is not dead
    assert dead.closed
    assert await pool.aclose() == 0
    assert thing.closed


def test_a_default_config_of_the_class():
    class Mine(ConnectionPool[Thing]):
        def _create_connection(self):
            return Thing()

        def _get_default_config(self):
            return ConnectionPoolConfig(min_size=5, max_size=20)

    assert (Mine("mine").config.min_size, Mine("mine").config.max_size) == (5, 20)
    assert Mine("mine", ConnectionPoolConfig(max_size=2)).config.max_size == 2
