# Generated from ../_async/checkout.py by generate_sync.py: change that file, not this one.
# fmt: off
"""A connection for the time of a ``with`` block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from .._errors import OutcomeUnknown, Unavailable
from .._observe import keyword, observed
from .._postgres import driver
from .._sealed import scrub

if TYPE_CHECKING:
    from types import TracebackType

    from .postgres import Postgres

C = TypeVar("C")


def observed_cursor(store: Postgres) -> Any:
    """A cursor whose statements the store's observers see."""
    if store.cursor_class is None:

        class Cursor(driver().Cursor):  # type: ignore[misc]
            def execute(self, query: Any, *arguments: Any, **options: Any) -> Any:
                with observed(store, keyword(query)):
                    return super().execute(query, *arguments, **options)

            def executemany(self, query: Any, *arguments: Any, **options: Any) -> Any:
                with observed(store, keyword(query)):
                    return super().executemany(query, *arguments, **options)

        store.cursor_class = Cursor
    return store.cursor_class


class Checkout(Generic[C]):
    """A connection for the time of a ``with`` block; one that is dropped unreturned is reported."""

    __slots__ = ("_commit", "_connection", "_pool", "_read_only", "_store", "_timeout")

    def __init__(
        self, store: Postgres, timeout: float | None, *, read_only: bool, commit: bool
    ) -> None:
        self._store = store
        self._pool = store.pool
        self._timeout = timeout
        self._read_only = read_only
        self._commit = commit
        self._connection: Any = None

    def __enter__(self) -> C:
        connection = self._connection = self._pool.acquire(self._timeout)
        if self._read_only:
            connection.set_read_only(True)
        if self._store.observers:
            connection.cursor_factory = observed_cursor(self._store)
        return cast("C", connection)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        connection, self._connection = self._connection, None
        if not self._pool.lent(connection):
            return  # a forked child: the parent ends its block itself
        try:
            finish(connection, error, commit=self._commit)
        finally:
            if (
                self._read_only
                and not connection.closed
                and connection.pgconn.transaction_status == 0
            ):
                connection.set_read_only(None)
            self._pool.release(connection)

    def __del__(self) -> None:
        if self._connection is not None:
            self._pool.abandon(self._connection)


def finish(connection: Any, error: BaseException | None, *, commit: bool) -> None:
    """Commits or rolls back; says clearly when the server was lost on the way.

    Raises:
        Unavailable: The server was lost before the commit: nothing was changed.
        OutcomeUnknown: It was lost while committing.
    """
    if error is None and connection.pgconn.transaction_status == 0:
        return
    psycopg = driver()
    if error is None and commit:
        changing = connection.pgconn.transaction_status in {1, 2}
        try:
            connection.commit()
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
            connection.rollback()
        except psycopg.Error:
            # The server rolls back when the connection is gone; the caller's own error matters.
            connection.close()
    if error is not None and isinstance(error, psycopg.OperationalError) and connection.closed:
        autocommitted = connection.autocommit
        kind = OutcomeUnknown if autocommitted else Unavailable
        message = f"the connection was lost: {error}".strip()
        raise kind(message, store="postgres") from scrub(error)
