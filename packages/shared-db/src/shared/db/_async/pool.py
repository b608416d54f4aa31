# ruff: noqa: ASYNC109 - the synchronous form has no scopes to cancel
"""A pool of connections that survives its server's restarts.

Connections are opened by those who need them: no worker threads, no backoff that outlasts an
outage. A connection is probed at checkout without a round trip: a readable idle socket means that
the server hung up.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from .._errors import PoolClosed, PoolExhausted, Unavailable
from .._forks import forgets_parent
from .._holder import Holder
from ._runtime import Background, Waiter, current_task, sleep

if TYPE_CHECKING:
    from collections.abc import Callable

C = TypeVar("C")

_log = logging.getLogger("shared.db")


class Driver(Protocol[C]):
    """What the pool needs to know about connections."""

    async def open(self, timeout: float) -> C:
        """Opens one; raises `Unavailable` when trying again may help."""
        ...

    async def close(self, connection: C) -> None:
        """Closes one, without waiting for the server."""
        ...

    async def reset(self, connection: C) -> bool:
        """Makes a returned one ready for the next; tells whether it is usable."""
        ...

    async def interrupt(self, connection: C) -> None:
        """Ends what is running on it, from outside."""
        ...

    def alive(self, connection: C) -> bool:
        """Whether an idle one still has its server, without a round trip."""
        ...

    def orphan(self, connection: C) -> None:
        """In a forked child: whatever is still said on it goes nowhere."""
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
        max_connections: How many there can be.
        timeout: Seconds that a checkout waits: for a free connection and for the server.
        max_idle: Seconds after which an idle connection above the minimum is closed.
        max_lifetime: Seconds after which a connection is replaced.
        clock: Monotonic seconds.
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
        if max_connections < 1 or not 0 <= min_connections <= max_connections:
            raise ValueError(
                f"min_connections={min_connections}, max_connections={max_connections}: "
                "allowed is 0 <= min_connections <= max_connections and max_connections >= 1"
            )
        if not timeout > 0:
            raise ValueError(f"timeout={timeout!r}: allowed is a number of seconds above 0")
        self.name: str = name
        self.min_connections = min_connections
        self.max_connections: int = max_connections
        self.timeout: float = timeout
        self._driver = driver
        self._max_idle = max_idle
        self._max_lifetime = max_lifetime
        self._clock = clock
        self._fresh()
        forgets_parent(self)

    def _fresh(self) -> None:
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

    def forget_parent(self) -> list[Any]:
        """In a forked child: the sockets belong to the parent."""
        connections = [entry.connection for entry in (*self._idle, *self._used.values())]
        for connection in connections:
            self._driver.orphan(connection)
        closed = self._closed
        self._fresh()
        self._closed = closed
        return connections

    def lent(self, connection: C) -> bool:
        """Whether a connection was taken and not returned, in this process."""
        return id(connection) in self._used

    @property
    def size(self) -> int:
        """Connections that exist or are being opened."""
        return len(self._idle) + len(self._used) + self._opening

    def snapshot(self) -> dict[str, Any]:
        """The pool's figures.

        Returns:
            ``idle``, ``in_use``, ``waiting``, ``max``, and counts since the start.
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
        """Who holds a connection: ``file:line in function (seconds)``, longest first."""
        now = self._clock()
        with self._mutex:
            held = [entry.holder for entry in self._used.values() if entry.holder]
        held.sort(key=lambda holder: holder.since)
        return [f"{holder.place} ({now - holder.since:.3g} s)" for holder in held]

    async def acquire(self, timeout: float | None = None) -> C:
        """Takes a connection.

        Args:
            timeout: Seconds to wait; the pool's own by default.

        Returns:
            A connection that its server has not hung up on.

        Raises:
            PoolExhausted: None came free in time.
            PoolClosed: The pool is closed.
            Unavailable: The server could not be reached in time.
        """
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
        """Waits in the queue. None: there is room to open a connection (counted as opening)."""
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
                await self._give_back(waiter.value())
            raise
        waited = self._clock() - started
        self._waited += waited
        with self._mutex:
            if not waiter.given:
                self._waiting.remove(waiter)
                self.counts["exhausted"] += 1
        if waiter.given:
            mine = waiter.value()
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
        """A connection was not opened: the next in the queue may try."""
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().give(None)
            else:
                self._opening -= 1
        self._tell_drained()

    async def _open(self, deadline: float) -> Entry[C]:
        """Opens a connection; while the server is away, tries until the deadline."""
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
        """Opens a connection; None when that failed and may be tried again."""
        try:
            return await self._driver.open(max(0.05, until - self._clock()))
        except Unavailable as error:
            if error.lasting or self._clock() >= until or self._closed:
                raise
        return None

    async def release(self, connection: C) -> None:
        """Returns a connection; one that is broken is replaced when needed."""
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
        """Closes the connections that nobody has needed for long: the oldest lie first."""
        limit = self._clock() - self._max_idle
        old = []
        with self._mutex:
            while len(self._idle) > self.min_connections and self._idle[0].idle_since < limit:
                old.append(self._idle.pop(0))
        for entry in old:
            await self._driver.close(entry.connection)

    async def _discard(self, entry: Entry[C], *, lost: bool = False) -> None:
        """Closes a connection; its room goes to the next in the queue."""
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
        """A checkout was dropped without being returned: report it and make room.

        The connection is closed, not reused: nobody knows what its holder was doing.
        """
        self.report(connection)
        with self._mutex:
            if self._used.pop(id(connection), None) is None:
                return
            if self._waiting and not self._closed:
                self._opening += 1
                self._waiting.popleft().give(None)

    def report(self, connection: C) -> None:
        """Says who took a connection and dropped it."""
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
        """Opens connections up to ``min_connections``."""
        while True:
            with self._mutex:
                if self._closed or self.size >= self.min_connections:
                    return
                self._opening += 1
            try:
                entry = await self._open(self._clock() + self.timeout)
            except Exception:  # noqa: BLE001  those who need a connection will say so
                return
            self._put(entry)

    async def close(self, timeout: float = 10.0) -> dict[str, int]:
        """Closes the pool: nothing new, and what runs may end.

        Args:
            timeout: Seconds for what runs; what outlasts it is cancelled.

        Returns:
            ``cancelled`` and ``finished``: how many checkouts ended how.
        """
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
