"""Rows to ClickHouse in batches: nothing dropped, nothing doubled, memory bounded."""

from __future__ import annotations

import logging
import struct
import threading
import time
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from shared.core import checks, forks

from ..._base.errors import DatabaseError, OutcomeUnknown, PoolClosed, Unavailable
from ..._base.reasons import described
from ..._base.sealed import freed
from ..._rules.batch import PASSING_CODES, Batch, WriterReport, checked, size_of, size_of_rows
from ..._rules.clickhouse import driver
from ..._rules.clickhouse_values import ROW_CODES
from ..._rules.copy import BadRow
from ..._rules.copy_values import MISFITS
from ..._rules.dead_letters import DeadLetters
from ..._rules.spill import Spill
from ..runtime import Background, Waiter, settled, sleep

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType

    from ..._rules.clickhouse_values import Part
    from ..._rules.copy import Misfit
    from .store import AsyncClickHouse

_log = logging.getLogger("shared.db")

# Batches that may wait besides the one that is filling.
_DEPTH = 3
# Rows whose size is estimated together.
_STEP = 256


class AsyncClickHouseWriter:
    """Writes rows in batches. Safe for any number of producers at once.

    A batch goes out when it has `max_rows` or `max_bytes`, or its first row is `max_delay` old.
    Batches are delivered one after another, so a producer's rows arrive in its order. Each has a
    deduplication token: a batch whose answer was lost is sent again and counts once. While the
    server is away, batches wait; when there are too many, the producers wait.

    Made by `AsyncDatabaseConnections.clickhouse_writer`.
    """

    def __init__(
        self,
        client: AsyncClickHouse,
        table: str,
        *,
        max_rows: int = 10_000,
        max_bytes: int = 16_000_000,
        max_delay: float = 1.0,
        spill: str | os.PathLike[str] | None = None,
        deduplicate: bool = True,
        on_bad_row: Callable[[Mapping[str, Any], BadRow], Any] | None = None,
        dead_letters: str | os.PathLike[str] | None = None,
        clock: Any = time.monotonic,
    ) -> None:
        self.table = table
        self.client = client
        self._max_rows = checks.whole("max_rows", max_rows)
        self._max_bytes = checks.whole("max_bytes", max_bytes)
        self._max_delay = checks.seconds("max_delay", max_delay, above=0, unlimited=True)
        self._deduplicate = deduplicate
        self._clock = clock
        self._on_bad_row = checks.function("on_bad_row", on_bad_row, optional=True)
        self._spill = Spill(spill, table) if spill is not None else None
        if dead_letters is None and self._spill is not None and on_bad_row is None:
            dead_letters = self._spill.refused
        self._dead_letters = None if dead_letters is None else DeadLetters(dead_letters)
        self._begin()
        if self._spill is not None:
            for path, rows in self._spill.recover():
                size = sum(map(size_of, rows))
                batch = Batch(list(rows), size, path.stem, path, sent=True)
                batch.first = self._accepted + 1
                self._accepted += len(rows)
                self._queue.append(batch)
                self._rows += len(rows)
        forks.renew(self)

    def _begin(self) -> None:
        self._mutex = threading.Lock()
        self._filling = Batch()
        self._since = 0.0
        self._queue: deque[Batch] = deque()
        self._rows = 0
        self._accepted = 0
        self._delivered = 0
        self._refused = 0
        self._kept: list[Mapping[str, Any]] = []  # refused, and taken by no one
        self._fault: BadRow | None = None
        self._told = True
        self.mended: int = 0
        self._full: deque[Waiter[None]] = deque()
        self._emptied: list[Waiter[bool]] = []
        self._wake: Waiter[None] | None = None
        self._sender: Background | None = None
        self._checked = False
        self._closed = False
        self._stop_at = float("inf")
        self._error: BaseException | None = None

    def renew_after_fork(self) -> None:
        """Start again in a forked child: the parent delivers what it has accepted."""
        forks.keep(self._filling, self._queue, self._sender)
        closed = self._closed
        self._begin()
        self._closed = closed
        if self._spill is not None:
            self._spill.forget()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        report = await self.close()
        if report.undelivered and exc is None:
            if self._fault is not None and report.undelivered == len(self._kept):
                raise self._fault
            raise Unavailable(
                f"{report.undelivered} rows were not delivered to {self.table}: {report.error}",
                store="clickhouse",
            ) from self._error

    @property
    def delivered(self) -> int:
        """Rows acknowledged by the server."""
        return self._delivered

    @property
    def pending(self) -> int:
        """Rows accepted and not yet delivered."""
        return self._rows

    async def write(self, row: Mapping[str, Any]) -> None:
        """Accept a row; wait while too much is undelivered.

        With `spill`, the row survives this process once this returns.

        Args:
            row: Column names and values; a column that is left out gets the table's default.

        Raises:
            PoolClosed: The writer is closed.
            DatabaseError: The server refused the table or the user for good.
        """
        await self.write_many((row,))

    async def write_many(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Accept rows, as `write` accepts one."""
        pending = list(checked(rows))
        start = 0
        while start < len(pending):
            start += await self._accept(pending, start)

    async def _accept(self, rows: list[dict[str, Any]], start: int) -> int:
        """Accept what there is room for; return how many rows."""
        while True:
            waiter: Waiter[None] | None = None
            with self._mutex:
                self._check()
                if self._is_full() and len(self._queue) >= _DEPTH:
                    waiter = Waiter()
                    self._full.append(waiter)
                    taken = 0
                else:
                    taken = self._take(rows, start)
            self._start()
            if waiter is None:
                return taken
            await waiter.wait(None)

    def _is_full(self) -> bool:
        """Report whether the batch that is filling may go out."""
        filling = self._filling
        return len(filling.rows) >= self._max_rows or filling.size >= self._max_bytes

    def _take(self, rows: list[dict[str, Any]], start: int) -> int:
        if self._is_full():
            self._seal()
        filling = self._filling
        room = self._max_rows - len(filling.rows)
        end = start
        size = 0
        limit = min(len(rows), start + room)
        while end < limit and (end == start or filling.size + size < self._max_bytes):
            step = min(limit, end + _STEP)
            size += size_of_rows(rows[end:step])
            end = step
        chunk = rows[start:end]
        if self._spill is not None:
            if filling.path is None:
                filling.path = self._spill.open()
                filling.token = filling.path.stem
            self._spill.append(chunk)
        if not filling.rows:
            self._since = self._clock()
            filling.first = self._accepted + 1
        self._accepted += len(chunk)
        filling.rows += chunk
        filling.size += size
        self._rows += len(chunk)
        if (len(filling.rows) >= self._max_rows or filling.size >= self._max_bytes) and len(
            self._queue
        ) < _DEPTH:
            self._seal()
        if self._wake is not None:
            self._wake.wake()
        return len(chunk)

    def _seal(self) -> None:
        if self._filling.rows:
            if self._spill is not None:
                self._spill.seal()
            self._queue.append(self._filling)
            self._filling = Batch()

    def _check(self) -> None:
        if self._error is not None:
            raise DatabaseError(f"writing to {self.table} failed: {self._error}") from self._error
        if self._closed:
            raise PoolClosed(f"the writer to {self.table} is closed")

    def _start(self) -> None:
        with self._mutex:
            if self._sender is None or (self._sender.done() and self._error is None and self._rows):
                self._sender = Background(f"shared.db writer {self.table}", self._run)

    async def flush(self) -> None:
        """Wait until everything accepted so far is delivered.

        Raises:
            BadRow: No column takes a row, and there is neither `on_bad_row` nor `dead_letters`;
                all other rows are delivered.
            DatabaseError: The server refused the table or the user.
            PoolClosed: The writer was closed and its time ran out.
        """
        await self._flush()
        if not self._told and self._fault is not None:
            self._told = True
            raise self._fault

    async def _flush(self) -> None:
        with self._mutex:
            if self._error is not None:
                self._check()
            if not self._rows:
                return
            self._since = float("-inf")
            waiter: Waiter[bool] = Waiter()
            self._emptied.append(waiter)
            if self._wake is not None:
                self._wake.wake()
        self._start()
        await waiter.wait(None)
        if not waiter.value:
            with self._mutex:
                self._check()

    async def close(self, timeout: float = 30.0) -> WriterReport:
        """Deliver what is left.

        Args:
            timeout: Seconds to try.

        Returns:
            What was delivered, what was not, and why.
        """
        with self._mutex:
            already = self._closed
            self._closed = True
            self._since = float("-inf")
            self._stop_at = self._clock() + timeout
            if self._wake is not None:
                self._wake.wake()
            while self._full:
                self._full.popleft().wake()
        if self._rows and self._error is None:
            self._start()
        if self._sender is not None:
            await self._sender.join(timeout + 1)
        if self._spill is not None and not already:
            self._spill.close()
        error = self._error or self._fault
        why = None if error is None else described(error)
        if self._rows and self._error is None:
            why = f"not delivered within {timeout:g} s"
        with self._mutex:
            left = [row for batch in (*self._queue, self._filling) for row in batch.left()]
        return WriterReport(
            delivered=self._delivered,
            undelivered=self._rows + len(self._kept),
            error=why,
            refused=self._refused,
            undelivered_rows=[*self._kept, *left],
        )

    async def _run(self) -> None:
        try:
            while True:
                batch, wait = self._next()
                if batch is not None:
                    if not await self._deliver(batch):
                        return
                    self._forget(batch)
                elif wait is None:
                    return
                else:
                    await wait[0].wait(wait[1])
        except BaseException as error:  # noqa: BLE001 - raised in every producer
            self._error = error
        finally:
            self._let_go()

    def _next(self) -> tuple[Batch | None, tuple[Waiter[None], float | None] | None]:
        """Return the next batch; or what to wait for; or neither: the end."""
        with self._mutex:
            due = self._since + self._max_delay - self._clock()
            if not self._queue and self._filling.rows and (due <= 0 or self._closed):
                self._seal()
            if self._clock() > self._stop_at:
                return None, None
            if self._queue:
                return self._queue[0], None
            self._end_flushes(delivered=True)
            if self._closed:
                return None, None
            self._wake = Waiter()
            return None, (self._wake, due if self._filling.rows else None)

    def _forget(self, batch: Batch) -> None:
        with self._mutex:
            self._queue.popleft()
            self._rows -= len(batch.rows) - len(batch.lost)
            self._delivered += len(batch.rows) - len(batch.lost)
            if self._spill is not None and batch.path is not None:
                self._spill.delivered(batch.path)
            if self._is_full():
                self._seal()
            while self._full:
                self._full.popleft().wake()

    def _let_go(self) -> None:
        """End every wait: nothing is sent any more."""
        with self._mutex:
            while self._full:
                self._full.popleft().wake()
            self._end_flushes(delivered=False)

    def _end_flushes(self, *, delivered: bool) -> None:
        while self._emptied:
            self._emptied.pop().give(delivered)

    async def _deliver(self, batch: Batch) -> bool:
        """Send a batch until the server has it; False if the time is up before that."""
        delay = 0.02
        errors = driver().driver.exceptions
        of_values = (errors.DataError, errors.ProgrammingError, *MISFITS, struct.error)
        parts = list(batch.parts())
        uncertain = batch.sent
        while parts:
            part = parts[0]
            try:
                await self._prepare()
                if not part.checked:
                    part, bad = await self._fitted(part)
                    for place, misfit in bad:
                        await self._refuse(batch, place, misfit)
                    parts[0] = part
                    if not part.places:
                        parts.pop(0)
                        continue
                names, columns = part.names, list(map(list, part.columns))
                await self.client.insert_once(self.table, names, columns, part.token)
                lacks = await self.client.lacks(self.table, names, columns) if uncertain else []
                if lacks:
                    # The server knows the token and lacks the rows: it was killed between the two.
                    # Under another token they are new to it.
                    self.mended += 1
                    again: list[Any] = [[column[row] for row in lacks] for column in columns]
                    places = [part.places[row] for row in lacks]
                    parts[0] = replace(
                        part, token=f"{part.token}-again", columns=again, places=places
                    )
                    continue
            except Unavailable as error:
                if error.lasting:
                    raise
                uncertain = uncertain or isinstance(error, OutcomeUnknown)
                lost: BaseException = error
            except (errors.Error, *MISFITS, struct.error) as error:
                code = getattr(error, "code", None)
                if code in ROW_CODES or (code is None and isinstance(error, of_values)):
                    # Of rows that were refused together, the bad ones are found by halves.
                    if len(part.places) > 1:
                        parts[:1] = part.halves()
                    else:
                        await self._refuse(batch, part.places[0], error)
                        parts.pop(0)
                    continue
                if code not in PASSING_CODES:
                    raise
                uncertain = True
                lost = freed(error)
            else:
                parts.pop(0)
                uncertain = batch.sent
                delay = 0.02
                continue
            if self._clock() + delay > self._stop_at:
                if self._closed:
                    self._error = lost
                return False
            await sleep(delay)
            delay = min(delay * 1.6, 0.5)
        return True

    async def _fitted(self, part: Part) -> tuple[Part, list[tuple[int, Misfit]]]:
        """Return a part with values that fit, and which rows do not; the table may have changed."""
        rules = await self.client.rules(self.table)
        found = part.fitted(rules, self.table)
        if found[1]:
            rules = await self.client.rules(self.table, fresh=True)
            found = part.fitted(rules, self.table)
        return found

    async def _refuse(self, batch: Batch, place: int, why: Exception) -> None:
        """Hand over a row that no column takes; without a taker it stays in the report."""
        row, number = batch.rows[place], batch.first + place
        column, value = getattr(why, "column", None), getattr(why, "value", None)
        error = BadRow(number, str(why).splitlines()[0], column, value)
        error.__cause__ = freed(why)
        taken = False
        try:
            if self._on_bad_row is not None:
                await settled(self._on_bad_row(row, error))
                taken = True
            if self._dead_letters is not None:
                self._dead_letters.add(row, error)
                taken = True
        except Exception:  # noqa: BLE001 - the other rows go on
            _log.exception("a refused row of %s could not be handed over", self.table)
        if taken:
            _log.warning("a row for %s was refused: %s", self.table, error)
        with self._mutex:
            batch.lost.add(place)
            self._rows -= 1
            if taken:
                self._refused += 1
            else:
                self._kept.append(row)
                self._fault, self._told = error, False

    async def _prepare(self) -> None:
        """Make sure that the table drops a batch that it has seen."""
        if self._checked:
            return
        if self._deduplicate and not await self.client.deduplicates(self.table, patience=0.0):
            await self.client.remember_tokens(self.table, patience=0.0)
        self._checked = True
