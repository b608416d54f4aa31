"""How the pool opens, probes and ends psycopg's connections."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import select
import socket
from typing import TYPE_CHECKING, Any

from ..._base.errors import Unavailable
from ..._base.sealed import Sealed, freed
from ..._base.sockets import hang_up
from ..._rules.postgres import IDLE, INERROR, INTRANS, driver, is_lasting, reason_of_refusal
from ..runtime import settled
from .session import Session, configured, noting

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import psycopg


_log = logging.getLogger("shared.db")
_LONGEST = 86_400.0  # libpq's own limit is that of an int


class Connector:
    """Opens, probes and closes psycopg's connections for the pool."""

    def __init__(
        self,
        arguments: Sealed,
        *,
        connect_timeout: float,
        prepare: bool,
        configure: Callable[[Any], Any] | None = None,
        reset: Callable[[Any], Any] | None = None,
    ) -> None:
        self._arguments = arguments
        self._connect_timeout = connect_timeout
        self._prepare = prepare
        self._configure = configure
        self._reset = reset

    async def open(self, timeout: float) -> psycopg.AsyncConnection[Any]:
        """Connect."""
        psycopg = driver()
        arguments = self._arguments.open()
        # libpq counts whole seconds and takes 1 for 2.
        arguments["connect_timeout"] = max(
            2, math.ceil(min(timeout, self._connect_timeout, _LONGEST))
        )
        try:
            connection = await psycopg.AsyncConnection.connect(**arguments)
        except (psycopg.OperationalError, OSError) as error:
            text = self._arguments.hide(reason_of_refusal(str(error)))
            lasting = is_lasting(text)
            failed = "refuses" if lasting else "cannot be reached"
            failure = Unavailable(
                f"PostgreSQL at {where(arguments)} {failed}: {text}",
                store="postgres",
                lasting=lasting,
            )
            cause = freed(error, self._arguments)
        except psycopg.Error as error:
            text = self._arguments.hide(str(error)).strip()
            failure = Unavailable(text, store="postgres", lasting=True)
            cause = freed(error, self._arguments)
        else:
            arguments.clear()
            await self._settle(connection)
            return connection  # type: ignore[no-any-return]
        del arguments
        raise failure from cause

    async def _settle(self, connection: Any) -> None:
        """Configure a new connection, and note what it is then."""
        if not self._prepare:
            connection.prepare_threshold = None
        try:
            if self._configure is not None:
                await configured(connection, self._configure)
        except BaseException:
            await connection.close()
            raise
        connection.cursor_factory = noting(connection.cursor_factory)
        connection.shared_db_session = Session(connection)

    async def close(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Close a connection."""
        await connection.close()

    async def reset(self, connection: psycopg.AsyncConnection[Any]) -> bool:
        """End the transaction that a holder left open; report whether the connection is usable."""
        status = connection.pgconn.transaction_status
        session: Session = vars(connection)["shared_db_session"]
        if status == IDLE and self._reset is None and session.intact(connection):
            return True
        if status not in {IDLE, INTRANS, INERROR}:
            return False
        try:
            if status != IDLE:
                await connection.rollback()
            if self._reset is not None:
                await settled(self._reset(connection))
                if connection.pgconn.transaction_status != IDLE:
                    await connection.rollback()
            if not session.intact(connection):
                await session.restore(connection, self._configure)
        except driver().Error:
            return False
        except Exception:  # noqa: BLE001 - the caller's own error matters; the connection is closed
            _log.exception("a connection could not be reset: it is closed")
            return False
        return bool(connection.pgconn.transaction_status == IDLE)

    async def interrupt(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Cancel the query, then hang up."""
        psycopg = driver()
        with contextlib.suppress(psycopg.Error, OSError):
            await connection.cancel_safe(timeout=1.0)
        with contextlib.suppress(psycopg.Error):
            hang_up(connection.pgconn.socket)

    def alive(self, connection: psycopg.AsyncConnection[Any]) -> bool:
        """Report whether the idle socket is silent: data or an end means that the server hung up."""
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

    def drop(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Close a connection whose event loop is closed."""
        connection.pgconn.finish()

    def orphan(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """In a forked child, replace the parent's socket by one without another end."""
        with contextlib.suppress(driver().Error, OSError):
            descriptor = connection.pgconn.socket
            here, there = socket.socketpair()
            with here, there:
                os.dup2(here.fileno(), descriptor, inheritable=False)


def where(arguments: Mapping[str, Any]) -> str:
    """Return the place of the server, without its secrets."""
    return f"{arguments.get('host', '')}:{arguments.get('port', '')}/{arguments.get('dbname', '')}"
