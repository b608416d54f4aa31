# Generated from _async/postgres/locks.py by generate_sync.py: change that file, not this one.
# fmt: off
"""An advisory lock of PostgreSQL."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

from ..._base.errors import Unavailable
from ..._base.sealed import freed
from ..._rules.lock_scripts import NUMBERED, NUMBERS, lock_key
from ..._rules.postgres import driver
from ..locks import Lock

if TYPE_CHECKING:
    from ..pool import Pool


class PostgresLock(Lock):
    """An advisory lock of PostgreSQL: freed by the server the moment its connection dies."""

    def __init__(
        self, pool: Pool[Any], name: str | int, ttl: float, *, timeout: float | None
    ) -> None:
        super().__init__(str(name), ttl, timeout=timeout)
        self._pool = pool
        self._key = lock_key(name)
        self._connection: Any = None

    def _acquire(self) -> bool:
        if self._connection is None:
            self._connection = self._pool.acquire(self._timeout)
            self._connection.set_autocommit(True)
        asked = time.monotonic()
        query = "SELECT pg_try_advisory_lock(%s)"
        taken = (self._connection.execute(query, [self._key])).fetchone()
        if not taken[0]:
            return False
        made = driver().errors
        with contextlib.suppress(made.UniqueViolation, made.DuplicateObject, made.DuplicateTable):
            self._connection.execute(NUMBERS)  # others may be making it at this moment
        row = (self._connection.execute(NUMBERED, [self.name])).fetchone()
        self.token = int(row[0])
        self._held_until = asked + self.ttl
        return True

    def _renew(self) -> bool:
        psycopg = driver()
        try:
            self._connection.execute("SELECT 1")
        except psycopg.Error as error:
            self._held_until = 0.0
            raise Unavailable(f"its connection was lost: {error}", store="postgres") from freed(
                error
            )
        return True

    def _release(self) -> None:
        psycopg = driver()
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.execute("SELECT pg_advisory_unlock(%s)", [self._key])
        except psycopg.Error:
            connection.close()  # that frees it too
        except BaseException:
            connection.close()
            raise
        finally:
            self._pool.release(connection)
