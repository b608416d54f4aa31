# Generated from _async/postgres/checkout.py by generate_sync.py: change that file, not this one.
# fmt: off
"""A connection for the time of a `with` block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from ..._base.errors import OutcomeUnknown, Unavailable
from ..._base.sealed import freed
from ..._rules.postgres import ACTIVE, IDLE, INERROR, INTRANS, driver

if TYPE_CHECKING:
    from types import TracebackType

    from ..pool import Pool

C = TypeVar("C")


class Checkout(Generic[C]):
    """A connection for the time of a `with` block; one that is dropped unreturned is reported."""

    __slots__ = (
        "_autocommit",
        "_commit",
        "_connection",
        "_cursors",
        "_pool",
        "_read_only",
        "_timeout",
    )

    def __init__(
        self,
        pool: Pool[Any],
        timeout: float | None,
        *,
        read_only: bool,
        commit: bool,
        autocommit: bool = False,
        cursors: Any = None,
    ) -> None:
        self._pool = pool
        self._timeout = timeout
        self._read_only = read_only
        self._commit = commit
        self._autocommit = autocommit
        self._cursors = cursors  # makes the class of the connection's cursors from its own
        self._connection: Any = None

    def __enter__(self) -> C:
        connection = self._connection = self._pool.acquire(self._timeout)
        if self._read_only:
            connection.set_read_only(True)
        if self._autocommit:
            connection.set_autocommit(True)
        if self._cursors is not None:
            connection.cursor_factory = self._cursors(connection.cursor_factory)
        return cast("C", connection)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        connection, self._connection = self._connection, None
        if not self._pool.lent(connection):
            return  # a forked child: the parent ends its block itself
        try:
            finish(connection, exc, commit=self._commit)
        finally:
            self._pool.release(connection)

    def __del__(self) -> None:
        if self._connection is not None:
            self._pool.abandon(self._connection)


def finish(connection: Any, error: BaseException | None, *, commit: bool) -> None:
    """Commit or roll back; raise a clear error if the server was lost meanwhile.

    Raises:
        Unavailable: The server was lost before the commit: nothing was changed.
        OutcomeUnknown: It was lost while committing.
    """
    status = connection.pgconn.transaction_status
    if error is None and status == IDLE:
        return
    psycopg = driver()
    if error is None and commit:
        try:
            connection.commit()
        except psycopg.OperationalError as lost:
            if not connection.broken:
                raise
            if status in {ACTIVE, INTRANS}:
                raise OutcomeUnknown(
                    f"the connection was lost while committing: {lost}".strip(), store="postgres"
                ) from freed(lost)
            raise Unavailable(
                f"the connection was lost: {lost}".strip(), store="postgres"
            ) from freed(lost)
        return
    if status in {INTRANS, INERROR}:
        try:
            connection.rollback()
        except psycopg.Error:
            # The server rolls back when the connection is gone; the caller's own error matters.
            connection.close()
    if error is not None and isinstance(error, psycopg.OperationalError) and connection.closed:
        kind = OutcomeUnknown if connection.autocommit else Unavailable
        raise kind(f"the connection was lost: {error}".strip(), store="postgres") from freed(error)
