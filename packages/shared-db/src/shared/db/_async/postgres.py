"""PostgreSQL through psycopg: connections, cursors, transactions, COPY, streams, locks."""

from __future__ import annotations

import math
import select
import socket
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .._errors import OutcomeUnknown, Unavailable
from .._postgres import connection_arguments, driver, is_lasting
from .._sealed import Sealed, scrub, without
from .pool import AsyncPool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from types import TracebackType

    import psycopg
    from psycopg.abc import Params, Query

C = TypeVar("C")


class Connector:
    """Opens, probes and closes psycopg's connections for the pool."""

    def __init__(self, arguments: Sealed, *, connect_timeout: float, prepare: bool) -> None:
        self._arguments = arguments
        self._connect_timeout = connect_timeout
        self._prepare = prepare

    async def open(self, timeout: float) -> psycopg.AsyncConnection[Any]:
        """Connects."""
        psycopg = driver()
        arguments = self._arguments.open()
        # libpq counts whole seconds and takes 1 for 2.
        arguments["connect_timeout"] = max(2, math.ceil(min(timeout, self._connect_timeout)))
        try:
            connection = await psycopg.AsyncConnection.connect(**arguments)
        except (psycopg.OperationalError, OSError) as error:
            text = without(str(error), arguments).strip()
            failure = Unavailable(
                f"PostgreSQL at {where(arguments)}: {text}",
                store="postgres",
                lasting=is_lasting(text),
            )
            cause = scrub(error)
        except psycopg.Error as error:
            text = without(str(error), arguments).strip()
            failure = Unavailable(text, store="postgres", lasting=True)
            cause = scrub(error)
        else:
            if not self._prepare:
                connection.prepare_threshold = None
            return connection
        del arguments
        raise failure from cause

    async def close(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Closes."""
        await connection.close()

    async def reset(self, connection: psycopg.AsyncConnection[Any]) -> bool:
        """Ends what a holder left open and its settings."""
        psycopg = driver()
        status = connection.pgconn.transaction_status
        if status == 0:
            return True
        if status in {2, 3}:
            try:
                await connection.rollback()
            except psycopg.Error:
                return False
            return connection.pgconn.transaction_status == 0
        return False

    async def interrupt(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Cancels the query, then hangs up."""
        psycopg = driver()
        try:
            await connection.cancel_safe(timeout=1.0)
        except (psycopg.Error, OSError):
            pass
        try:
            with socket.socket(fileno=_duplicate(connection.pgconn.socket)) as hung:
                hung.shutdown(socket.SHUT_RDWR)
        except (psycopg.Error, OSError):
            pass

    def alive(self, connection: psycopg.AsyncConnection[Any]) -> bool:
        """Whether the idle socket is silent: data or an end means that the server hung up."""
        if connection.closed:
            return False
        try:
            descriptor = connection.pgconn.socket
            if not hasattr(select, "poll"):
                return not select.select([descriptor], [], [], 0)[0]
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            return not poll.poll(0)
        except (driver().Error, OSError, ValueError):
            return False


def _duplicate(descriptor: int) -> int:
    import os

    return os.dup(descriptor)


def where(arguments: Mapping[str, Any]) -> str:
    """The server without its secrets."""
    return f"{arguments.get('host', '')}:{arguments.get('port', '')}/{arguments.get('dbname', '')}"


class Checkout(Generic[C]):
    """A connection for the time of a ``with`` block; one that is dropped unreturned is reported."""

    __slots__ = ("_commit", "_connection", "_pool", "_read_only", "_timeout")

    def __init__(
        self, pool: AsyncPool[Any], timeout: float | None, *, read_only: bool, commit: bool
    ) -> None:
        self._pool = pool
        self._timeout = timeout
        self._read_only = read_only
        self._commit = commit
        self._connection: Any = None

    async def __aenter__(self) -> C:
        connection = await self._pool.acquire(self._timeout)
        if self._read_only:
            await connection.set_read_only(True)
        self._connection = connection
        return connection  # type: ignore[no-any-return]

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        connection, self._connection = self._connection, None
        try:
            await finish(connection, error, commit=self._commit)
        finally:
            if (
                self._read_only
                and not connection.closed
                and connection.pgconn.transaction_status == 0
            ):
                await connection.set_read_only(None)
            await self._pool.release(connection)

    def __del__(self) -> None:
        if self._connection is not None:
            self._pool.abandon(self._connection)


async def finish(connection: Any, error: BaseException | None, *, commit: bool) -> None:
    """Commits or rolls back; says clearly when the server was lost on the way.

    Raises:
        Unavailable: The server was lost before the commit: nothing was changed.
        OutcomeUnknown: It was lost while committing.
    """
    psycopg = driver()
    if error is None and commit:
        changing = connection.pgconn.transaction_status in {1, 2}
        try:
            await connection.commit()
        except psycopg.OperationalError as lost:
            if not connection.broken:
                raise
            if changing:
                message = f"the connection was lost while committing: {lost}".strip()
                raise OutcomeUnknown(message, store="postgres") from scrub(lost)
            raise Unavailable(
                f"the connection was lost: {lost}".strip(), store="postgres"
            ) from scrub(lost)
        return
    if connection.pgconn.transaction_status in {2, 3}:
        try:
            await connection.rollback()
        except psycopg.Error:
            # The server rolls back when the connection is gone; the caller's own error matters.
            await connection.close()
    if isinstance(error, psycopg.OperationalError) and connection.closed:
        autocommitted = connection.autocommit
        kind = OutcomeUnknown if autocommitted else Unavailable
        raise kind(f"the connection was lost: {error}".strip(), store="postgres") from scrub(error)


class AsyncPostgres:
    """One PostgreSQL database: a pool and what can be done with it.

    Made by `AsyncDatabaseConnections.initialize_postgres`.
    """

    def __init__(
        self,
        name: str = "default",
        *,
        min_connections: int = 1,
        max_connections: int = 10,
        timeout: float = 5.0,
        connect_timeout: float = 5.0,
        max_idle: float = 300.0,
        max_lifetime: float = 3600.0,
        pgbouncer: bool = False,
        **arguments: Any,
    ) -> None:
        given = connection_arguments(arguments)
        self.name = name
        self.host = str(given.get("host", ""))
        self.port = int(given.get("port") or 5432)
        self.database = str(given.get("dbname", ""))
        self.connector = Connector(
            Sealed(given), connect_timeout=connect_timeout, prepare=not pgbouncer
        )
        self.pool: AsyncPool[psycopg.AsyncConnection[Any]] = AsyncPool(
            self.connector,
            name=name,
            min_connections=min_connections,
            max_connections=max_connections,
            timeout=timeout,
            max_idle=max_idle,
            max_lifetime=max_lifetime,
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} {self.host}:{self.port}/{self.database}>"

    def connection(
        self, *, read_only: bool = False, timeout: float | None = None, commit: bool = True
    ) -> Checkout[psycopg.AsyncConnection[Any]]:
        """A connection of the pool. Commits at the end of the block, rolls back on an exception."""
        return Checkout(self.pool, timeout, read_only=read_only, commit=commit)

    @asynccontextmanager
    async def cursor(
        self,
        *,
        commit: bool = True,
        timeout: float | None = None,
        read_only: bool = False,
        row_factory: Any = None,
    ) -> AsyncIterator[psycopg.AsyncCursor[Any]]:
        """A cursor on a connection of its own."""
        options = {} if row_factory is None else {"row_factory": row_factory}
        async with self.connection(
            read_only=read_only, timeout=timeout, commit=commit
        ) as connection:
            async with connection.cursor(**options) as cursor:
                yield cursor

    async def execute(self, query: Query, params: Params | None = None) -> list[Any]:
        """Runs one statement in a transaction of its own.

        Returns:
            Its rows, or an empty list when it has none.
        """
        async with self.connection() as connection:
            cursor = await connection.execute(query, params)
            return await cursor.fetchall() if cursor.description else []

    async def ping(self, timeout: float = 2.0) -> float:
        """Asks the server for an answer.

        Returns:
            Seconds that it took.

        Raises:
            Unavailable: None came in time.
        """
        started = time.perf_counter()
        async with self.connection(timeout=timeout) as connection:
            await connection.execute("SELECT 1")
        return time.perf_counter() - started

    def snapshot(self) -> dict[str, Any]:
        """The pool's figures: idle, in use, waiting, and counts since the start."""
        return self.pool.snapshot()

    async def close(self, timeout: float = 10.0) -> dict[str, int]:
        """Closes the pool, as `AsyncPool.close` does."""
        return await self.pool.close(timeout)
