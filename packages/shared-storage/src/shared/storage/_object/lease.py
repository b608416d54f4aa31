"""Locks in an object store: an object that its holder renews, and that others take when it does not.

No clocks are compared: who waits watches, on its own clock, whether the object changes.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from shared.core.checks import shown

from .._base.errors import KeyNotFound, LockLost, PreconditionFailed, StorageError
from .._base.records import Stat, Terms

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST = 3600.0  # seconds: what another's object may ask us to wait


class Leases:
    """The locks of one store.

    Args:
        read: Returns the content and the etag of an object.
        write: Writes an object.
        lasting: The seconds that a lock outlives its holder.
        monotonic: Returns seconds.
    """

    def __init__(
        self,
        read: Callable[[str], tuple[bytes, str]],
        write: Callable[[str, bytes, Terms], Stat],
        lasting: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self.write = write
        self.lasting = lasting
        self._monotonic = monotonic
        self._seen: dict[str, tuple[str, float]] = {}

    def attempt(self, path: str) -> Lease | None:
        """Take the lock at a path, if it is free or its holder is gone."""
        try:
            data, etag = self._read(path)
        except KeyNotFound:
            return self._take(path, Terms(if_absent=True))
        lasting = _lasting(data)
        now = self._monotonic()
        seen, since = self._seen.get(path, ("", 0.0))
        if lasting and seen != etag:
            self._seen[path] = etag, now
            return None
        if lasting and now - since <= lasting:
            return None
        return self._take(path, Terms(if_match=etag))

    def _take(self, path: str, terms: Terms) -> Lease | None:
        self._seen.pop(path, None)
        lease = Lease(self, path)
        try:
            lease.start(terms)
        except PreconditionFailed:
            return None
        return lease


class Lease:
    """A lock in our hands: a thread renews it."""

    def __init__(self, leases: Leases, path: str) -> None:
        self._leases = leases
        self._path = path
        self._token = secrets.token_hex(8)
        self._renewals = 0
        self._pid = os.getpid()
        self._etag = ""
        self._lost = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="shared.storage lock", daemon=True)

    def start(self, terms: Terms) -> None:
        """Write it; a PreconditionFailed if somebody was faster."""
        self._write(terms, self._leases.lasting)
        self._thread.start()

    def _write(self, terms: Terms, lasting: float) -> None:
        self._renewals += 1  # an etag may be a hash of the content: each is different
        data = json.dumps([lasting, self._token, self._renewals]).encode()
        self._etag = self._leases.write(self._path, data, terms).etag

    def _run(self) -> None:
        renewed = time.monotonic()
        while not self._stop.wait(self._leases.lasting / 3):
            try:
                self._write(Terms(if_match=self._etag), self._leases.lasting)
            except PreconditionFailed:
                self._lost = True
                return
            except StorageError:
                if time.monotonic() - renewed > self._leases.lasting:
                    self._lost = True
                    return
            else:
                renewed = time.monotonic()

    def release(self) -> None:
        """Mark it free.

        Raises:
            LockLost: It was not ours any more.
        """
        if self._pid != os.getpid():
            return  # a forked child: it is the parent's
        self._stop.set()
        self._thread.join()
        if not self._lost:
            with suppress(PreconditionFailed):
                self._write(Terms(if_match=self._etag), 0)
                return
        raise LockLost(f"the lock {shown(self._path)} was taken over: it was not renewed in time")


def _lasting(data: bytes) -> float:
    """Return for how long an unchanged lock holds; 0 for a free one."""
    try:
        found: Any = json.loads(data)[0]
        return min(max(float(found), 0.0), _LONGEST)
    except (ValueError, TypeError, LookupError):
        return _LONGEST
