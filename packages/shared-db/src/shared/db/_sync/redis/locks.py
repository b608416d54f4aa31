# Generated from _async/redis/locks.py by generate_sync.py: change that file, not this one.
# fmt: off
"""A lock in Redis."""

from __future__ import annotations

import contextlib
import time
import uuid
from typing import TYPE_CHECKING

from ..._base.errors import DatabaseError, Unavailable
from ..._rules.lock_scripts import ACQUIRE, RELEASE, RENEW
from ..locks import Lock

if TYPE_CHECKING:
    from .store import RedisStore


class RedisLock(Lock):
    """A lock in Redis: a key that runs out, and a counter for the tokens."""

    def __init__(
        self, store: RedisStore, name: str, ttl: float, *, timeout: float | None
    ) -> None:
        super().__init__(name, ttl, timeout=timeout)
        # A renewal that waits for a server longer than the lock lives does not help.
        self._redis = store.impatient(min(store.timeout, self.ttl / 3))
        self._id = uuid.uuid4().hex
        self._keys = (f"shared-db:lock:{{{name}}}", f"shared-db:token:{{{name}}}")

    def _acquire(self) -> bool:
        asked = time.monotonic()
        try:
            answer = self._redis.eval(ACQUIRE, 2, *self._keys, self._id, int(self.ttl * 1000))
        except Unavailable as error:
            if error.lasting:
                raise
            # It may be ours: make sure that it is not, then ask again.
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
