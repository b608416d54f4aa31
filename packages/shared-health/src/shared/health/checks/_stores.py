"""Checks of stores, by the smallest query that each of them answers.

They accept the service's own client, from any library, and look at its methods, so that
no driver is imported here. Sync and async clients alike.

A client without a time limit may hang for ever on a network that swallows packets, and
its check with it, even when the store is long back. So the check stops waiting
after `timeout` seconds; keep that above the timeout of `Health.add`, which is the one
that counts a failure.
"""

from __future__ import annotations

import select
import time
from typing import TYPE_CHECKING, Any

from shared.core.callables import kind_of

from .._base.times import bounded

if TYPE_CHECKING:
    from collections.abc import Callable


def postgres(pool: Any, *, timeout: float = 2.0) -> Callable[[], Any]:
    """Check PostgreSQL with `SELECT 1` over a connection of the pool.

    Args:
        pool: A pool of psycopg_pool or asyncpg, an engine of SQLAlchemy (each sync or
            async), a connection, or a function that returns a context manager around one.
        timeout: Seconds to wait for a connection, and then for the answer.

    Example:
        >>> import contextlib, sqlite3
        >>> checked = postgres(lambda: contextlib.closing(sqlite3.connect(":memory:")))
        >>> checked()
    """
    timeout = bounded(timeout)

    def lend() -> Any:
        if hasattr(pool, "getconn") and hasattr(pool, "connection"):
            return pool.connection(timeout=timeout)  # psycopg_pool
        if hasattr(pool, "acquire"):
            return pool.acquire(timeout=timeout)  # asyncpg
        if hasattr(pool, "connect") and hasattr(pool, "dialect"):
            return pool.connect()  # SQLAlchemy
        if hasattr(pool, "execute") or hasattr(pool, "cursor"):
            return None  # a connection
        return pool()

    def check() -> Any:
        context = lend()
        if context is None:
            return _select(pool, timeout)
        if hasattr(context, "__aenter__") and not hasattr(context, "__enter__"):
            return _select_async(context)
        with context as connection:
            return _select(connection, timeout)

    return check


async def _select_async(context: Any) -> None:
    async with context as connection:
        if hasattr(connection, "fetchval"):
            await connection.fetchval("SELECT 1")  # asyncpg
        elif hasattr(connection, "exec_driver_sql"):
            await connection.exec_driver_sql("SELECT 1")  # SQLAlchemy
        else:
            await connection.execute("SELECT 1")  # psycopg


def _select(connection: Any, timeout: float) -> Any:
    if hasattr(connection, "fetchval"):
        return _ended(connection.fetchval("SELECT 1"))  # a connection of asyncpg
    if hasattr(connection, "pgconn"):
        if hasattr(connection, "__aenter__"):
            return _ended(connection.execute("SELECT 1"))
        return _select_bounded(connection, timeout)
    if hasattr(connection, "exec_driver_sql"):
        connection.exec_driver_sql("SELECT 1")
        return None
    cursor = connection.cursor()
    try:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    finally:
        cursor.close()
    return None


async def _ended(awaitable: Any) -> None:
    await awaitable


def _select_bounded(connection: Any, timeout: float) -> None:
    """Query over psycopg's libpq connection: psycopg itself waits without a limit."""
    pg = connection.pgconn
    pg.send_query(b"SELECT 1")
    end = time.monotonic() + timeout
    try:
        while pg.flush():
            _wait(pg.socket, end, write=True)
        while True:
            while pg.is_busy():
                _wait(pg.socket, end)
                pg.consume_input()
            result = pg.get_result()
            if result is None:
                return
            if message := result.error_message:
                raise ConnectionError(message.decode("utf-8", "replace").strip())
    except TimeoutError:
        connection.close()  # with an answer still to come it is useless
        raise


def _wait(descriptor: int, end: float, *, write: bool = False) -> None:
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError("the server did not answer")
    # poll, since select cannot handle a descriptor above 1023; Windows has no poll.
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT if write else select.POLLIN)
        poll.poll(left * 1000)
    else:
        select.select([] if write else [descriptor], [descriptor] if write else [], [], left)


def redis(client: Any, *, timeout: float = 2.0) -> Callable[[], Any]:
    """Check Redis or Valkey with `PING`.

    A sync client of redis-py or valkey-py is not used itself: the check has its own
    connection, with the client's settings but without its retries. They would hide an
    outage for seconds, and its pool may be busy with other work.

    Args:
        client: A client of redis-py or valkey-py, sync or async, or an object with `ping()`.
        timeout: Seconds to wait for a connection, and then for the answer.
    """
    timeout = bounded(timeout)
    pool = getattr(client, "connection_pool", None)
    settings = getattr(pool, "connection_kwargs", None)
    make = getattr(pool, "connection_class", None)
    if (
        not isinstance(settings, dict)
        or make is None
        or kind_of(getattr(make, "connect", bool)) == "async"
    ):
        return client.ping  # type: ignore[no-any-return]
    settings = {
        **settings,
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        "retry": None,
        "retry_on_timeout": False,
        "retry_on_error": [],
    }
    connection: Any = None

    def ping() -> None:
        nonlocal connection
        if connection is None:
            connection = make(**settings)
        try:
            try:
                _ping(connection)
            except OSError:
                # Closed while idle, by a restart or a time limit: try once more, with a new one.
                connection.disconnect()
                _ping(connection)
        except BaseException:
            connection.disconnect()
            raise

    return ping


def _ping(connection: Any) -> None:
    connection.connect()
    connection.send_command("PING", check_health=False)
    connection.read_response()


def clickhouse(client: Any, *, timeout: float = 2.0) -> Callable[[], Any]:
    """Check ClickHouse with its ping, or `SELECT 1` if the client has none.

    The ping needs no session, so it cannot collide with a query that the service runs
    over the same client at that moment.

    Args:
        client: A client of clickhouse-connect, sync or async; or an object with `execute`.
        timeout: Seconds to wait for the answer, if the client accepts a limit.
    """
    timeout = bounded(timeout)
    ping = getattr(client, "ping", None)
    if ping is None:
        return lambda: client.execute("SELECT 1") and None
    import inspect

    try:
        takes_timeout = "timeout" in inspect.signature(ping).parameters
    except (TypeError, ValueError):
        takes_timeout = False

    def check() -> Any:
        answer = ping(timeout=timeout) if takes_timeout else ping()
        return _answered(answer) if hasattr(answer, "__await__") else _require(answer)

    return check


async def _answered(awaitable: Any) -> None:
    _require(await awaitable)


def _require(answer: Any) -> None:
    if answer is False:
        raise ConnectionError("the server does not answer the ping")


def qdrant(client: Any) -> Callable[[], Any]:
    """Check Qdrant by querying the names of its collections.

    Args:
        client: A client of qdrant-client, sync or async. Its own `timeout` bounds a hung answer.
    """

    def check() -> Any:
        answer = client.get_collections()
        return _ended(answer) if hasattr(answer, "__await__") else None

    return check
