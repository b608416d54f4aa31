"""A pool of connections that survives its server's restarts.

The caller that needs a connection opens it: no worker threads, no backoff that outlasts an outage.
A connection is probed at checkout without a round trip: a readable idle socket means that the
server hung up.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from shared.core import checks, forks

from .._base.errors import PoolClosed, PoolExhausted, Unavailable
from .._base.holder import Holder
from .runtime import Background, Home, Waiter, current_task, sleep

if TYPE_CHECKING:
    from collections.abc import Callable

C = TypeVar("C")

_log = logging.getLogger("shared.db")


class Driver(Protocol[C]):
    """What the pool needs to know about connections."""

    async def open(self, timeout: float) -> C:
        """Open one; raise `Unavailable` if trying again may help."""
        ...

    async def close(self, connection: C) -> None:
        """Close one, without waiting for the server."""
        ...

    async def reset(self, connection: C) -> bool:
        """Make a returned one ready for the next caller; report whether it is usable."""
        ...

    async def interrupt(self, connection: C) -> None:
        """End what is running on it, from outside."""
        ...

    def alive(self, connection: C) -> bool:
        """Report whether an idle one still has its server, without a round trip."""
        ...

    def drop(self, connection: C) -> None:
        """Close one whose event loop is closed."""
        ...

    def orphan(self, connection: C) -> None:
        """In a forked child, send whatever is still written to it nowhere."""
        ...


class Entry(Generic[C]):
    """One connection of a pool."""

    __slots__ = ("born", "connection", "holder", "idle_since")

    def __init__(self, connection: C, now: float) -> None:
        self.connection = connection
        self.born = now
        self.idle_since = now
        self.holder: Holder | None = None


class AsyncPool(Generic[C]):
    """A pool of connections.

    Args:
        driver: How to open, close and probe a connection.
        name: For messages and figures.
        min_connections: How many stay open when idle, and are opened ahead after the first use.
        max_connections: The most connections at a time.
        timeout: Seconds that a checkout waits, for a free connection and for the server.
        max_idle: Seconds after which an idle connection above the minimum is closed.
        max_lifetime: Seconds after which a connection is replaced.
        clock: Returns monotonic seconds.

    Raises:
        ValueError: A number of connections or the timeout is out of range.
    """

    def __init__(
        self,
        driver: Driver[C],
        *,
        name: str,
        min_connections: int = 1,
        max_connections: int = 10,
        timeout: float = 5.0,
        max_idle: float = 300.0,
        max_lifetime: float = 3600.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        most = checks.whole("max_connections", max_connections)
        self.name: str = name
        self.min_connections: int = checks.whole(
            "min_connections", min_connections, least=0, most=most
        )
        self.max_connections: int = most
        self.timeout: float = checks.seconds("timeout", timeout, above=0, unlimited=True)
        self._driver = driver
        self._max_idle = checks.seconds("max_idle", max_idle, unlimited=True)
        self._max_lifetime = checks.seconds("max_lifetime", max_lifetime, unlimited=True)
        self._clock = clock
        self._home = Home()
        self._start()
        forks.renew(self)

    def _start(self) -> None:
        self._mutex = threading.Lock()
        self._idle: list[Entry[C]] = []
        self._used: dict[int, Entry[C]] = {}
        self._waiting: deque[Waiter[Entry[C] | None]] = deque()
        self._opening = 0
        self._closed = False
        self._filled = self.min_connections <= 1
        self._drained: Waiter[None] | None = None
        self.counts: dict[str, int] = {
            "opened": 0,
            "lost": 0,
            "exhausted": 0,
            "waits": 0,
            "leaked": 0,
        }
        self._waited = 0.0

    def renew_after_fork(self) -> None:
        """Start again in a forked child: the sockets belong to the parent."""
        connections = [entry.connection for entry in (*self._idle, *self._used.values())]
        forks.keep(connections)
        for connection in connections:
            self._driver.orphan(connection)
        closed = self._closed
        self._start()
        self._closed = closed

    def come_home(self) -> None:
        """Start again in another event loop: what belonged to a closed one is given up."""
        if self._home.moved():
            connections = [entry.connection for entry in (*self._idle, *self._used.values())]
            for connection in connections:
                self._driver.drop(connection)
            closed = self._closed
            self._start()
            self._closed = closed

    def lent(self, connection: C) -> bool:
        """Report whether a connection was taken and not returned, in this process."""
        return id(connection) in self._used

    @property
    def size(self) -> int:
        """Connections that exist or are being opened."""
        return len(self._idle) + len(self._used) + self._opening

    def snapshot(self) -> dict[str, Any]:
        """Return the pool's figures.

        Returns:
            `idle`, `in_use`, `waiting`, `max`, and counts since the start.
        """
        with self._mutex:
            return {
                "idle": len(self._idle),
                "in_use": len(self._used),
                "opening": self._opening,
                "waiting": len(self._waiting),
                "min": self.min_connections,
                "max": self.max_connections,
                "wait_seconds": self._waited,
                **self.counts,
            }

    def holders(self) -> list[str]:
        """Return the holders of connections: `file:line in function (seconds)`, longest first."""
        now = self._clock()
        with self._mutex:
            held = [entry.holder for entry in self._used.values() if entry.holder]
        held.sort(key=lambda holder: holder.since)
        return [f"{holder.place} ({now - holder.since:.3g} s)" for holder in held]

    async def acquire(self, timeout: float | None = None) -> C:
        """Take a connection.

        Args:
            timeout: Seconds to wait; by default the pool's own.

        Returns:
            A connection whose server has not hung up.

        Raises:
            PoolExhausted: None came free in time.
            PoolClosed: The pool is closed.
            Unavailable: The server could not be reached in time.
        """
        self.come_home()
        if timeout is not None:
            timeout = checks.seconds("timeout", timeout, unlimited=True)
        started = self._clock()
        while True:
            mine: Entry[C] | None = None
            waiter: Waiter[Entry[C] | None] | None = None
            with self._mutex:
                if self._closed:
                    raise PoolClosed(f"pool {self.name!r} is closed")
                if self._idle:
                    mine = self._idle.pop()
                    self._used[id(mine.connection)] = mine
                elif self.size < self.max_connections:
                    self._opening += 1
                else:
                    waiter = Waiter()
                    self._waiting.append(waiter)
            if waiter is not None:
                mine = await self._wait(waiter, started, timeout)
            if mine is None:
                mine = await self._open(started + (self.timeout if timeout is None else timeout))
            elif (
                not self._driver.alive(mine.connection) or started - mine.born > self._max_lifetime
            ):
                if self._clock() - started > (self.timeout if timeout is None else timeout):
                    await self._discard(mine, lost=True)
                    raise Unavailable(f"pool {self.name!r}: the server hangs up", store=self.name)
                await self._discard(mine, lost=True)
                continue
            mine.holder = Holder(started, current_task())
            if not self._filled:
                self._filled = True
                Background(f"shared.db fill {self.name}", self.fill)
            return mine.connection

    async def _wait(
        self, waiter: Waiter[Entry[C] | None], started: float, timeout: float | None
    ) -> Entry[C] | None:
        """Wait in the queue. None: there is room to open a connection (counted as opening)."""
        timeout = self.timeout if timeout is None else timeout
        self.counts["waits"] += 1
        try:
            await waiter.wait(max(0.0, timeout - (self._clock() - started)))
        except BaseException:
            with self._mutex:
                given = waiter.given
                if not given:
                    self._waiting.remove(waiter)
            if given:
                await self._give_back(waiter.value)
            raise
        waited = self._clock() - started
        self._waited += waited
        with self._mutex:
            if not waiter.given:
                self._waiting.remove(waiter)
                self.counts["exhausted"] += 1
        if waiter.given:
            mine = waiter.value
            if mine is None and self._closed:
                self._end_opening()
                raise PoolClosed(f"pool {self.name!r} was closed while waiting for a connection")
            return mine
        raise PoolExhausted(self.name, waited, len(self._used), self.holders())

    async def _give_back(self, entry: Entry[C] | None) -> None:
        if entry is not None:
            await self.release(entry.connection)
        else:
            self._end_opening()

    def _end_opening(self) -> None:
        """Let the next in the queue try: a connection was not opened."""
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().give(None)
            else:
                self._opening -= 1
        self._tell_drained()

    async def _open(self, deadline: float) -> Entry[C]:
        """Open a connection; while the server is away, try until the deadline."""
        delay = 0.01
        try:
            while (connection := await self._attempt(deadline - delay)) is None:
                await sleep(delay)
                delay = min(delay * 1.6, 0.15)
        except BaseException:
            self._end_opening()
            raise
        entry = Entry(connection, self._clock())
        with self._mutex:
            self._opening -= 1
            self._used[id(connection)] = entry
            self.counts["opened"] += 1
        return entry

    async def _attempt(self, until: float) -> C | None:
        """Open a connection; None if that failed and may be tried again."""
        try:
            return await self._driver.open(max(0.05, until - self._clock()))
        except Unavailable as error:
            if error.lasting or self._clock() >= until or self._closed:
                raise
        return None

    async def release(self, connection: C) -> None:
        """Return a connection; a broken one is closed, and its room is free again."""
        entry = self._used.get(id(connection))
        if entry is None:
            return
        usable = False
        try:
            usable = await self._driver.reset(connection)
        finally:
            if not usable:
                await self._discard(entry)
        if usable:
            self._put(entry)
            if len(self._idle) > self.min_connections:
                await self._trim()

    def _put(self, entry: Entry[C]) -> None:
        now = self._clock()
        entry.holder = None
        entry.idle_since = now
        close = None
        with self._mutex:
            if self._waiting and not self._closed:
                self._waiting.popleft().give(entry)
                return
            del self._used[id(entry.connection)]
            if self._closed:
                close = entry
            else:
                self._idle.append(entry)
        if close is not None:
            Background(f"shared.db close {self.name}", lambda: self._driver.close(entry.connection))
        self._tell_drained()

    async def _trim(self) -> None:
        """Close the connections that have been idle for long; the oldest come first."""
        limit = self._clock() - self._max_idle
        old = []
        with self._mutex:
            while len(self._idle) > self.min_connections and self._idle[0].idle_since < limit:
                old.append(self._idle.pop(0))
        for entry in old:
            await self._driver.close(entry.connection)

    async def _discard(self, entry: Entry[C], *, lost: bool = False) -> None:
        """Close a connection; its room goes to the next in the queue."""
        with self._mutex:
            if self._used.pop(id(entry.connection), None) is None:
                return
            if lost:
                self.counts["lost"] += 1
            if self._waiting and not self._closed:
                self._opening += 1
                self._waiting.popleft().give(None)
        await self._driver.close(entry.connection)
        self._tell_drained()

    def abandon(self, connection: C) -> None:
        """Report a checkout that was dropped without being returned, and make room.

        The connection is closed, not reused: what its holder was doing is unknown.
        """
        self.report(connection)
        with self._mutex:
            if self._used.pop(id(connection), None) is None:
                return
            if self._waiting and not self._closed:
                self._opening += 1
                self._waiting.popleft().give(None)

    def report(self, connection: C) -> None:
        """Log where a dropped connection was taken."""
        entry = self._used.get(id(connection))
        if entry is None:
            return
        with self._mutex:
            self.counts["leaked"] += 1
        stack = entry.holder.stack if entry.holder else ""
        _log.warning(
            "a connection of pool %r was never returned; it was taken by\n%s", self.name, stack
        )

    async def fill(self) -> None:
        """Open connections up to `min_connections`."""
        while True:
            with self._mutex:
                if self._closed or self.size >= self.min_connections:
                    return
                self._opening += 1
            try:
                entry = await self._open(self._clock() + self.timeout)
            except Exception:  # noqa: BLE001 - the next checkout reports it
                return
            self._put(entry)

    async def close(self, timeout: float = 10.0) -> dict[str, int]:
        """Close the pool: nothing new starts, what runs may end.

        Args:
            timeout: Seconds for what runs; what outlasts it is cancelled.

        Returns:
            `cancelled` and `finished`: how many checkouts were cut off, and how many ended.
        """
        self.come_home()
        with self._mutex:
            self._closed = True
            idle, self._idle = self._idle, []
            running = len(self._used)
            while self._waiting:
                # Counted as opening until its caller has seen that the pool is closed.
                self._opening += 1
                self._waiting.popleft().give(None)
        for entry in idle:
            await self._driver.close(entry.connection)
        if await self._drain(timeout):
            return {"cancelled": 0, "finished": running}
        left = list(self._used.values())
        for entry in left:
            if entry.holder is not None:
                _log.warning(
                    "pool %r is closing: cancelled what runs since\n%s",
                    self.name,
                    entry.holder.stack,
                )
            await self._driver.interrupt(entry.connection)
        await self._drain(1.0)
        return {"cancelled": len(left), "finished": running - len(left)}

    async def _drain(self, timeout: float) -> bool:
        with self._mutex:
            if not self._used and not self._opening:
                return True
            self._drained = Waiter()
        return await self._drained.wait(timeout)

    def _tell_drained(self) -> None:
        if self._drained is not None and not self._used and not self._opening:
            self._drained.give(None)
