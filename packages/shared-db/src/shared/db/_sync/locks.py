# Generated from ../_async/locks.py by generate_sync.py: change that file, not this one.
# fmt: off
"""Locks across processes, with fencing tokens.

A lock alone cannot keep two writers apart: a holder that was stopped past its time believes that
it still holds. The token does: it rises with every holder, and what is written to refuses a token
lower than one that it has seen.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
import uuid
from typing import TYPE_CHECKING, Any, Self

from .._errors import DatabaseError, LockLost, LockTimeout, Unavailable
from .._lock_scripts import ACQUIRE, NUMBERED, NUMBERS, RELEASE, RENEW
from .._postgres import driver
from .._sealed import scrub
from ._runtime import Background, Interrupter, Waiter, sleep

if TYPE_CHECKING:
    from types import TracebackType

    from .postgres import Postgres
    from .redis import RedisStore


def lock_key(name: str | int) -> int:
    """The 64 bits by which PostgreSQL knows a lock."""
    if isinstance(name, int):
        return name
    return int.from_bytes(
        hashlib.blake2b(name.encode(), digest_size=8).digest(), "big", signed=True
    )


class Lock:
    """A lock of one name, held for the time of a ``with`` block and renewed meanwhile.

    When it is lost (it ran out, or its server is gone) the block is cancelled and `LockLost` is
    raised; between the loss and the cancellation only the token protects.

    Attributes:
        name: What is locked.
        token: Rises with every holder; hand it to whatever the block writes to.
    """

    def __init__(self, name: str, ttl: float, *, timeout: float | None) -> None:
        if not ttl > 0:
            raise ValueError(f"ttl={ttl!r}: allowed is a number of seconds above 0")
        self.name = name
        self.ttl = ttl
        self.token = 0
        self._timeout = timeout
        self._held_until = 0.0
        self._lost: str | None = None
        self._stop: Waiter[None] | None = None
        self._keeper: Background | None = None
        self._interrupter: Interrupter | None = None
        self._process = 0

    @property
    def lost(self) -> bool:
        """Whether it is not held any more (a look at the clock, nothing is asked)."""
        return self._lost is not None or time.monotonic() >= self._held_until

    def check(self) -> None:
        """Raises if the lock is lost; for long loops that are not easily cancelled.

        Raises:
            LockLost: It is.
        """
        if self.lost:
            raise LockLost(f"lock {self.name!r} was lost: {self._lost or 'its time ran out'}")

    def __enter__(self) -> Self:
        try:
            self._wait()
        except BaseException:
            self._release()  # it may be ours without our knowing
            raise
        self._lost = None
        self._process = os.getpid()
        self._stop = Waiter()
        self._interrupter = Interrupter(LockLost)
        self._keeper = Background(f"shared.db lock {self.name}", self._keep)
        return self

    def _wait(self) -> None:
        deadline = None if self._timeout is None else time.monotonic() + self._timeout
        delay = 0.005
        while not self._acquire():
            if deadline is not None and time.monotonic() + delay > deadline:
                raise LockTimeout(f"lock {self.name!r} did not come free in {self._timeout:g} s")
            sleep(delay)
            delay = min(delay * 1.5, 0.1)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._stop is not None
        assert self._interrupter is not None
        assert self._keeper is not None
        if self._process != os.getpid():
            return  # a forked child: the parent holds the lock on
        interrupted = self._interrupter.end(error)
        self._stop.give(None)
        self._keeper.join(self.ttl)
        lost = self._lost or ("its time ran out" if time.monotonic() >= self._held_until else None)
        self._release()
        if lost is not None and (error is None or interrupted):
            message = f"lock {self.name!r} was lost: {lost}"
            raise LockLost(message) from (None if interrupted else error)

    def _keep(self) -> None:
        """Renews the lock; when it cannot before the time is up, ends the block."""
        assert self._stop is not None
        assert self._interrupter is not None
        while not self._stop.wait(self.ttl / 3):
            asked = time.monotonic()
            if asked >= self._held_until:
                self._lost = "its time ran out"
            else:
                try:
                    if self._renew():
                        self._held_until = asked + self.ttl
                        continue
                    self._lost = "it was taken away"
                except DatabaseError as error:
                    if time.monotonic() < self._held_until - self.ttl / 3:
                        continue
                    self._lost = str(error)
            self._interrupter.interrupt()
            while not self._stop.wait(self.ttl):
                self._interrupter.interrupt()
            return

    def _acquire(self) -> bool:
        raise NotImplementedError

    def _renew(self) -> bool:
        raise NotImplementedError

    def _release(self) -> None:
        raise NotImplementedError


class RedisLock(Lock):
    """A lock in Redis: a key that runs out, and a counter for the tokens."""

    def __init__(
        self, store: RedisStore, name: str, ttl: float, *, timeout: float | None
    ) -> None:
        super().__init__(name, ttl, timeout=timeout)
        # Renewals that wait for a server longer than the lock lives are no use.
        self._redis = store.impatient(min(store.timeout, ttl / 3))
        self._id = uuid.uuid4().hex
        self._keys = (f"shared-db:lock:{{{name}}}", f"shared-db:token:{{{name}}}")

    def _acquire(self) -> bool:
        asked = time.monotonic()
        try:
            answer = self._redis.eval(ACQUIRE, 2, *self._keys, self._id, int(self.ttl * 1000))
        except Unavailable:
            # Nobody knows whether it is ours: make sure that it is not, then ask again.
            self._release()
            return False
        if not answer:
            return False
        self.token = int(answer)
        self._held_until = asked + self.ttl
        return True

    def _renew(self) -> bool:
        return bool(self._redis.eval(RENEW, 1, self._keys[0], self._id, int(self.ttl * 1000)))

    def _release(self) -> None:
        with contextlib.suppress(DatabaseError):  # it runs out by itself
            self._redis.eval(RELEASE, 1, self._keys[0], self._id)


class PostgresLock(Lock):
    """An advisory lock of PostgreSQL: freed by the server the moment its connection dies."""

    def __init__(
        self, store: Postgres, name: str, ttl: float, *, timeout: float | None
    ) -> None:
        super().__init__(name, ttl, timeout=timeout)
        self._store = store
        self.key = lock_key(name)
        self._connection: Any = None

    def _acquire(self) -> bool:
        if self._connection is None:
            self._connection = self._store.pool.acquire(self._timeout)
            self._connection.set_autocommit(True)
        asked = time.monotonic()
        query = "SELECT pg_try_advisory_lock(%s)"
        taken = (self._connection.execute(query, [self.key])).fetchone()
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
            raise Unavailable(f"its connection was lost: {error}", store="postgres") from scrub(
                error
            )
        return True

    def _release(self) -> None:
        psycopg = driver()
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.execute("SELECT pg_advisory_unlock_all()")
            connection.set_autocommit(False)
        except psycopg.Error:
            connection.close()  # that frees it too
        self._store.pool.release(connection)
