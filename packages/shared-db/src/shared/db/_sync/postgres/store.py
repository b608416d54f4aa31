# Generated from _async/postgres/store.py by generate_sync.py: change that file, not this one.
# fmt: off
"""PostgreSQL through psycopg: connections, cursors, transactions, COPY, streams, locks."""

from __future__ import annotations

import contextlib
import operator
import time
from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from shared.core.checks import function, refuse, seconds

from ..._base.errors import Unavailable
from ..._base.observe import keyword, observed
from ..._base.sealed import Sealed, freed, shown
from ..._base.settings import key_of
from ..._rules.copy import (
    COLUMNS,
    UNFIT,
    Again,
    BadRow,
    Plan,
    identifier,
    make_plan,
    peeked,
)
from ..._rules.frames import frame_columns, frame_rows
from ..._rules.postgres import connection_arguments, driver, isolation_level
from ..pool import Pool
from ..runtime import current_task, readable
from .checkout import Checkout
from .connector import Connector
from .locks import PostgresLock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import psycopg
    from psycopg.abc import Params


class Postgres:
    """One PostgreSQL database: a pool and what can be done with it.

    Made by `DatabaseConnections.initialize_postgres`.
    """

    store = "postgres"

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
        configure: Callable[[Any], Any] | None = None,
        reset: Callable[[Any], Any] | None = None,
        **arguments: Any,
    ) -> None:
        given = connection_arguments(arguments)
        self.name: str = name
        self.observers: list[Any] = []
        self._cursors: dict[Any, Any] = {}
        self._transactions: dict[Any, psycopg.Connection[Any]] = {}
        self.host: str = str(given.get("host", ""))
        self.port: int = int(given.get("port") or 5432)
        self.database: str = str(given.get("dbname", ""))
        self.connector: Connector = Connector(
            Sealed(given),
            connect_timeout=seconds("connect_timeout", connect_timeout, above=0, unlimited=True),
            prepare=not pgbouncer,
            configure=function("configure", configure, optional=True),
            reset=function("reset", reset, optional=True),
        )
        self.pool: Pool[psycopg.Connection[Any]] = Pool(
            self.connector,
            name=key_of("postgres", name),
            min_connections=min_connections,
            max_connections=max_connections,
            timeout=timeout,
            max_idle=max_idle,
            max_lifetime=max_lifetime,
        )

    def __repr__(self) -> str:
        return shown(self, self.name, f"{self.host}:{self.port}/{self.database}")

    def connection(
        self,
        *,
        read_only: bool = False,
        timeout: float | None = None,
        commit: bool = True,
        autocommit: bool = False,
    ) -> Checkout[psycopg.Connection[Any]]:
        """Return a connection of the pool for the time of a `with` block.

        It commits at the end of the block, and rolls back on an exception. What the block changed
        in the session (a role, the search path, a lock, `row_factory`) is undone when it ends.

        Args:
            read_only: Whether the transaction refuses changes.
            timeout: Seconds to wait for a connection; by default the pool's own.
            commit: Whether the block's changes persist.
            autocommit: Whether each statement is its own transaction, as `VACUUM` and
                `CREATE DATABASE` need it.

        Raises:
            ValueError: `autocommit` together with `read_only` or without `commit`.
        """
        if autocommit and (read_only or not commit):
            raise refuse("autocommit", "False with read_only=True or commit=False", value=True)
        cursors = self._observed_cursors if self.observers else None
        return Checkout(
            self.pool,
            timeout,
            read_only=read_only,
            commit=commit,
            autocommit=autocommit,
            cursors=cursors,
        )

    def _observed_cursors(self, own: Any) -> Any:
        """Return the class of cursors whose statements the observers see."""
        if own not in self._cursors:
            store = self

            class Cursor(own):  # type: ignore[misc]
                def execute(self, query: Any, *arguments: Any, **options: Any) -> Any:
                    with observed(store, keyword(query)):
                        return super().execute(query, *arguments, **options)

                def executemany(self, query: Any, *arguments: Any, **options: Any) -> Any:
                    with observed(store, keyword(query)):
                        return super().executemany(query, *arguments, **options)

            self._cursors[own] = Cursor
        return self._cursors[own]

    @contextmanager
    def cursor(
        self,
        *,
        commit: bool = True,
        timeout: float | None = None,
        read_only: bool = False,
        row_factory: Any = None,
        autocommit: bool = False,
    ) -> Iterator[psycopg.Cursor[Any]]:
        """Yield a cursor on its own connection; the arguments are those of `connection`."""
        options = {} if row_factory is None else {"row_factory": row_factory}
        with (
            self.connection(
                read_only=read_only, timeout=timeout, commit=commit, autocommit=autocommit
            ) as connection,
            connection.cursor(**options) as cursor,
        ):
            with self._reported(connection):
                yield cursor

    @contextlib.contextmanager
    def _reported(self, connection: Any) -> Iterator[None]:
        """Report a block that was never left: the collector ends its generator."""
        try:
            yield
        except GeneratorExit:
            self.pool.report(connection)
            raise

    def execute(
        self, query: Any, params: Params | None = None, *, autocommit: bool = False
    ) -> list[Any]:
        """Run one statement in its own transaction.

        Args:
            query: The statement.
            params: Its parameters.
            autocommit: Whether it runs outside a transaction block, as `VACUUM` needs it.

        Returns:
            Its rows, or an empty list if it has none.
        """
        with self.connection(autocommit=autocommit) as connection:
            cursor = connection.execute(query, params)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def transaction(
        self,
        savepoint: str | None = None,
        *,
        read_only: bool = False,
        isolation: str | None = None,
        timeout: float | None = None,
    ) -> Iterator[psycopg.Connection[Any]]:
        """Run a transaction: it persists as a whole at the end of the block, or not at all.

        Inside the block of another transaction of the same task or thread it is a savepoint on
        the same connection: it fails alone.

        Args:
            savepoint: The savepoint's name; by default a generated one.
            read_only: Whether changes are refused.
            isolation: `"read committed"`, `"repeatable read"` or `"serializable"`.
            timeout: Seconds to wait for a connection.

        Yields:
            An object with `execute` and `cursor`: psycopg's connection.

        Raises:
            ValueError: `isolation` is not one of those.
        """
        outer = self._transactions.get(current_task())
        if outer is not None:
            with outer.transaction(savepoint_name=savepoint):
                yield outer
            return
        level = isolation_level(isolation)
        with self.connection(read_only=read_only, timeout=timeout) as connection:
            if level is not None:
                connection.set_isolation_level(level)
            task = current_task()
            self._transactions[task] = connection
            try:
                with connection.transaction():
                    with self._reported(connection):
                        yield connection
            finally:
                del self._transactions[task]

    @contextmanager
    def pipeline(
        self, *, timeout: float | None = None
    ) -> Iterator[psycopg.Connection[Any]]:
        """Send statements without waiting for each other's answers, in one transaction.

        Args:
            timeout: Seconds to wait for a connection.

        Yields:
            An object with `execute` and `cursor`: psycopg's connection.
        """
        with self.connection(timeout=timeout) as connection, connection.pipeline():
            with self._reported(connection):
                yield connection

    def stream(
        self,
        query: Any,
        params: Params | None = None,
        *,
        size: int = 2000,
        row_factory: Any = None,
        timeout: float | None = None,
    ) -> Iterator[Any]:
        """Yield the rows of a query, fetched `size` at a time, in constant memory.

        Args:
            query: A SELECT.
            params: Its parameters.
            size: Rows fetched at once.
            row_factory: psycopg's, such as `psycopg.rows.dict_row`.
            timeout: Seconds to wait for a connection.

        Yields:
            One row after another.
        """
        options = {} if row_factory is None else {"row_factory": row_factory}
        with (
            self.connection(read_only=True, timeout=timeout) as connection,
            connection.cursor(name="shared_db_stream", **options) as cursor,
        ):
            cursor.itersize = size
            cursor.execute(query, params)
            for row in cursor:
                yield row

    def copy_rows(
        self,
        table: str,
        rows: Any,
        columns: Sequence[str] | None = None,
        *,
        timeout: float | None = None,
    ) -> int:
        """Write rows by COPY: the fastest way in, all rows or none.

        Args:
            table: The table; `schema.table` is allowed.
            rows: Sequences in the order of `columns`, or mappings by column name.
            columns: Their names; by default the first mapping's keys, or every column of the
                table that is not generated.
            timeout: Seconds to wait for a connection.

        Returns:
            How many rows were written.

        Raises:
            BadRow: A row was refused; it has the row's number.
            ValueError: A column or the table does not exist.
        """
        if isinstance(rows, (Mapping, str, bytes)):
            raise refuse("rows", "an iterable of rows", type(rows), TypeError)
        if not hasattr(rows, "__iter__"):
            rows = [row for row in rows]
        if columns is None:
            rows, columns = peeked(rows)
        with self.connection(timeout=timeout) as connection:
            plan = self._plan(connection, table, columns)
            plan.trusting = plan.trusting and isinstance(rows, list)
            try:
                return self._copy(connection, plan, table, rows)
            except Again:
                connection.rollback()
                plan.trusting = False
                return self._copy(connection, plan, table, rows)

    def copy_frame(self, table: str, frame: Any, *, timeout: float | None = None) -> int:
        """Write a frame by COPY; its columns go to the table's columns of the same names.

        Args:
            table: The table; `schema.table` is allowed.
            frame: Of pandas (missing values, NaN among them, become NULL; whole reals fit
                integer columns), polars (null becomes NULL, NaN stays NaN) or pyarrow.
            timeout: Seconds to wait for a connection.

        Returns:
            How many rows were written.

        Raises:
            BadRow: A row was refused; it has the row's number.
            ValueError: A column or the table does not exist.
            TypeError: It is not a frame.
        """
        columns = frame_columns(frame)
        with self.connection(timeout=timeout) as connection:
            plan = self._plan(connection, table, columns)
            plan.trusting = False
            return self._copy(
                connection, plan, table, frame_rows(frame, plan.integers, plan.decimals)
            )

    def _plan(self, connection: Any, table: str, columns: Sequence[str] | None) -> Plan:
        psycopg = driver()
        name = identifier(table).as_string(connection)
        try:
            cursor = connection.execute(COLUMNS, [name])
        except psycopg.errors.UndefinedTable:
            raise ValueError(f"table {table} does not exist") from None
        return make_plan(cursor.fetchall(), columns, table)

    def _copy(self, connection: Any, plan: Plan, table: str, rows: Any) -> int:
        psycopg = driver()
        count = 0
        try:
            with connection.cursor() as cursor, cursor.copy(plan.statement(table)) as copy:
                if plan.types is not None:
                    copy.set_types(plan.types)
                # What write_row does, without Python's steps between two rows: the formatter
                # returns data only when its buffer is full.
                form, send = copy.formatter.write_row, copy.writer.write
                for chunk, before, bad in plan.chunks(rows):
                    left = iter(chunk)
                    try:
                        for data in filter(None, map(form, left)):
                            send(data)
                    except psycopg.OperationalError:
                        raise
                    except (*UNFIT, psycopg.DataError, psycopg.ProgrammingError) as error:
                        if plan.trusting:
                            raise Again from None
                        place = len(chunk) - operator.length_hint(left)
                        bad = plan.blame(chunk[place - 1], error)
                        raise _bad_row(before + place, bad) from freed(error)
                    if bad is not None:
                        raise _bad_row(before + len(chunk) + 1, bad) from freed(bad)
                    count = before + len(chunk)
        except psycopg.Error as error:
            refused = plan.refused(error, rows)
            if refused is None:
                raise
            raise refused from freed(error)
        return count

    @contextmanager
    def advisory_lock(
        self, key: str | int, *, timeout: float | None = 10.0
    ) -> Iterator[None]:
        """Hold an advisory lock of PostgreSQL for the time of the block.

        The server frees it when the connection dies. For a token and a watch over the
        connection use `DatabaseConnections.lock` with `backend="postgres"`.

        Args:
            key: A number of 64 bits, or a name.
            timeout: Seconds to wait for it; None: no limit.

        Raises:
            LockTimeout: It did not come free in time.
        """
        with PostgresLock(self.pool, key, 1e9, timeout=timeout):
            yield

    def ping(self, timeout: float = 2.0) -> float:
        """Wait for an answer of the server.

        Returns:
            Seconds that it took.

        Raises:
            Unavailable: None came in time.
        """
        started = time.perf_counter()
        connection = self.pool.acquire(timeout)
        try:
            answered = self._answers(connection, timeout - (time.perf_counter() - started))
        finally:
            self.pool.release(connection)
        if not answered:
            raise Unavailable(
                f"PostgreSQL at {self.host}:{self.port} did not answer in {timeout:g} s",
                store="postgres",
            )
        return time.perf_counter() - started

    @staticmethod
    def _answers(connection: Any, timeout: float) -> bool:
        """Send an empty query; close the connection if its answer does not come in time."""
        pgconn = connection.pgconn
        deadline = time.monotonic() + timeout
        try:
            pgconn.send_query(b"")
            pgconn.flush()
            while True:
                pgconn.consume_input()
                while not pgconn.is_busy():
                    if pgconn.get_result() is None:
                        return True
                left = deadline - time.monotonic()
                if left <= 0 or not readable(pgconn.socket, left):
                    break
        except driver().Error:
            pass
        connection.close()
        return False

    def snapshot(self) -> dict[str, Any]:
        """Return the pool's figures: idle, in use, waiting, and counts since the start."""
        return self.pool.snapshot()

    def close(self, timeout: float = 10.0) -> dict[str, int]:
        """Close the pool, as `Pool.close` does."""
        return self.pool.close(timeout)


def _bad_row(number: int, error: Exception) -> BadRow:
    column = getattr(error, "column", None)
    return BadRow(number, str(error), column, getattr(error, "value", None))
