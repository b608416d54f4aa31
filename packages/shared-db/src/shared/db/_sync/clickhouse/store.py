# Generated from _async/clickhouse/store.py by generate_sync.py: change that file, not this one.
# fmt: off
"""ClickHouse through clickhouse-connect: one client for all, lost calls told apart."""

from __future__ import annotations

import time
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any

from shared.core.checks import seconds

from ..._base.errors import DatabaseError, OutcomeUnknown, PoolClosed, Unavailable
from ..._base.observe import keyword, observed
from ..._base.reasons import is_lasting, reason
from ..._base.sealed import Sealed, freed, shown
from ..._rules.chdb import claim_engine
from ..._rules.clickhouse import (
    INSERTS,
    REFUSALS,
    UNKNOWN_IDENTIFIER,
    client_arguments,
    comparison,
    deduplicates,
    driver,
    pool_manager,
    quoted,
    repeatable,
    what_was_lost,
)
from ..._rules.clickhouse_values import fit_rows, rule_of_type
from ..._rules.copy import BadRow
from ..lazy import Lazy
from ..runtime import IS_ASYNC, call, sleep

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..._rules.copy_values import Rule

_ON_TABLE = "SELECT engine, create_table_query, partition_key FROM system.tables WHERE database = {database:String} AND name = {table:String}"


class ClickHouse(Lazy):
    """One ClickHouse database, with the methods of clickhouse-connect's client.

    A call waits for a restarting server. A call that was lost after it was sent is
    repeated if it reads, or if it inserts into a table that deduplicates; otherwise it is an
    `OutcomeUnknown`. Safe to share: sessions are off, so any number of calls may run at once.

    Made by `DatabaseConnections.initialize_clickhouse`.
    """

    store = "clickhouse"

    def __init__(
        self,
        name: str = "default",
        *,
        timeout: float = 5.0,
        connect_timeout: float = 5.0,
        query_timeout: float = 300.0,
        max_connections: int = 32,
        **arguments: Any,
    ) -> None:
        super().__init__()
        given = client_arguments(arguments)
        self.name: str = name
        self.timeout: float = seconds("timeout", timeout, unlimited=True)
        connect_timeout = min(seconds("connect_timeout", connect_timeout, unlimited=True), 86_400)
        query_timeout = min(seconds("query_timeout", query_timeout, unlimited=True), 31_536_000)
        self.embedded: bool = str(given.get("dsn", "")).startswith("chdb:")
        self.host: str = "" if self.embedded else str(given.get("host", ""))
        self.port: int = int(given.get("port") or 8123)
        self.database: str = str(given.get("database") or "default")
        if not self.embedded:
            given.setdefault("connect_timeout", int(max(1, connect_timeout)))
            given.setdefault("send_receive_timeout", int(max(1, query_timeout)))
        self._arguments = Sealed(given)
        self._max_connections = max_connections
        self._tables: dict[tuple[str, str], bool] = {}
        self._rules: dict[str, dict[str, Rule]] = {}
        self._hang_up: Callable[[], None] = _nothing

    def __repr__(self) -> str:
        where = "chdb" if self.embedded else f"{self.host}:{self.port}"
        return shown(self, self.name, f"{where}/{self.database}")

    def client(self) -> Any:
        """Return the driver's own client, made when first used.

        Raises:
            Unavailable: The server cannot be reached.
            PoolClosed: `close` was called.
        """
        self.come_home()
        if self._client is None:
            with self._making:
                self.check_open()
                if self._client is None:
                    self._client = self._make()
        return self._client

    def check_open(self) -> None:
        """Raise if it is closed.

        Raises:
            PoolClosed: `close` was called.
        """
        if self._closed:
            raise PoolClosed(f"ClickHouse {self.name!r} is closed")

    def _make(self) -> Any:
        arguments = self._arguments.open()
        if self.embedded:
            claim_engine()
            return call(lambda: driver().get_client(**arguments))
        arguments.setdefault("autogenerate_session_id", False)
        if not IS_ASYNC:
            arguments["pool_mgr"], self._hang_up = pool_manager(arguments, self._max_connections)
        else:
            arguments["connector_limit"] = arguments["connector_limit_per_host"] = (
                self._max_connections
            )
        try:
            client = driver(tasks=IS_ASYNC).get_client(**arguments)
        except driver().driver.exceptions.DatabaseError as error:
            if getattr(error, "code", None) not in REFUSALS:
                raise
            said = self._arguments.hide(str(error).splitlines()[0])
            raise Unavailable(
                f"ClickHouse at {self.host}:{self.port} refuses: {said}",
                store=self.store,
                lasting=True,
            ) from freed(error, self._arguments)
        finally:
            arguments.clear()  # a report with the variables of every frame would show them
        request = client._backend.request  # noqa: SLF001 - the driver has no public seam; a test guards it

        def once(*positional: Any, **keywords: Any) -> Any:
            # The driver repeats an insert whose answer was lost, whether or not the table
            # deduplicates. `_try` knows, and repeats what may be repeated.
            insert = not keywords.get("server_wait", True)
            if insert:
                keywords["retryable"] = False
            try:
                return request(*positional, **keywords)
            except Exception as error:
                error.only_read = bool(keywords.get("retryable"))  # type: ignore[attr-defined]
                raise

        client._backend.request = once  # noqa: SLF001 - as above
        if IS_ASYNC:
            self._hang_up = client._backend.force_close  # noqa: SLF001 - as above
        return client

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)

        def method(*arguments: Any, **keywords: Any) -> Any:
            if name == "insert":
                arguments, keywords = self._checked(arguments, keywords)
            return self._call(name, arguments, keywords)

        method.__name__ = name
        return method

    def rules(
        self, table: str, *, fresh: bool = False, patience: float | None = 0.0
    ) -> dict[str, Rule]:
        """Return what each column of a table takes (queried once per table).

        Args:
            table: Its name, with or without the database.
            fresh: Whether the table is queried again.
            patience: Seconds to wait for an unreachable server; None: the client's own.
        """
        if fresh or table not in self._rules:
            found = self._call("query", (f"DESCRIBE TABLE {quoted(table)}",), {}, patience)
            self._rules[table] = {
                row[0]: rule_of_type(row[1])
                for row in found.result_rows
                if row[2] not in {"MATERIALIZED", "ALIAS"}
            }
        return self._rules[table]

    def _checked(
        self, arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return an insert's arguments with values that fit; `BadRow` if one does not."""
        given = dict(zip(("table", "data", "column_names", "database"), arguments, strict=False))
        given |= keywords
        table, rows, names = given.get("table"), given.get("data"), given.get("column_names", "*")
        if (
            not table
            or not isinstance(rows, (list, tuple))
            or not all(isinstance(row, (list, tuple)) for row in rows)
            or any(given.get(word) for word in ("context", "column_types", "column_type_names"))
        ):
            return arguments, keywords
        if given.get("database") and "." not in table:
            table = f"{given['database']}.{table}"
        rules = self.rules(table, patience=None)
        names = list(rules) if names == "*" else [names] if isinstance(names, str) else list(names)
        columns = bool(given.get("column_oriented"))
        data = list(zip(*rows, strict=True)) if columns else rows
        try:
            ready = fit_rows(data, names, rules)
        except BadRow:
            ready = fit_rows(data, names, self.rules(table, fresh=True, patience=None))
        if columns:
            ready = list(map(list, zip(*ready, strict=True)))
        if len(arguments) > 1:
            return (arguments[0], ready, *arguments[2:]), keywords
        return arguments, {**keywords, "data": ready}

    def _call(
        self,
        name: str,
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
        patience: float | None = None,
    ) -> Any:
        if not self.observers:
            return self._try(name, arguments, keywords, patience)
        query = keywords.get("query", keywords.get("cmd", arguments[0] if arguments else ""))
        operation = "INSERT" if name in INSERTS else keyword(query)
        with observed(self, operation):
            return self._try(name, arguments, keywords, patience)

    def _try(
        self,
        name: str,
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
        patience: float | None = None,
    ) -> Any:
        again = repeatable(name, arguments, keywords)
        if name in INSERTS and keywords.get("context") is None:
            again = self._token(name, arguments, keywords)
        deadline = time.monotonic() + (self.timeout if patience is None else patience)
        delay = 0.02
        while True:
            try:
                client = self.client()
                self._calls += 1
                try:
                    if self.embedded:
                        return call(partial(getattr(client, name), *arguments, **keywords))
                    return getattr(client, name)(*arguments, **keywords)
                finally:
                    self._calls -= 1
            except (driver().driver.exceptions.Error, OSError) as error:
                lost = what_was_lost(error)
                if lost is None:
                    raise
                text = self._lost(lost, name, error)
                lasting = is_lasting(error)
                cause = freed(error)
                if lost == "sent" and not again and not lasting:
                    raise OutcomeUnknown(text, store=self.store) from cause
                if lasting or time.monotonic() + delay > deadline:
                    raise Unavailable(text, store=self.store, lasting=lasting) from cause
            sleep(delay)
            delay = min(delay * 1.6, 0.15)

    def _lost(self, lost: str, name: str, error: BaseException) -> str:
        how = "cannot be reached" if lost == "unsent" else f"was lost during {name}"
        return f"ClickHouse at {self.host}:{self.port} {how}: {reason(error)}"

    def _token(self, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> bool:
        """Set an insert's token; report whether it may be repeated with it."""
        table = keywords.get("table", arguments[0] if arguments else None)
        if table is None:
            return False
        settings = dict(keywords.get("settings") or {})
        if "insert_deduplication_token" in settings and name == "insert":
            return False  # the caller repeats it: see the writer
        settings.setdefault("insert_deduplication_token", str(uuid.uuid4()))
        if not self.deduplicates(table, keywords.get("database")):
            return False
        keywords["settings"] = settings
        block = keywords.get("insert_block", arguments[2] if len(arguments) > 2 else b"")
        return name != "raw_insert" or isinstance(block, (bytes, str))

    def insert_once(
        self, table: str, names: list[str], columns: list[list[Any]], token: str
    ) -> None:
        """Insert columns under a token, without waiting for an unreachable server.

        Raises:
            Unavailable: The server is away, or (`OutcomeUnknown`) its answer was lost.
        """
        keywords = {
            "column_names": names,
            "column_oriented": True,
            "settings": {"insert_deduplication_token": token},
        }
        self._call("insert", (table, columns), keywords, patience=0.0)

    def lacks(self, table: str, names: list[str], columns: list[list[Any]]) -> list[int]:
        """Return which rows of a batch a plain MergeTree table lacks though it knows its token.

        The server records a token before it puts a part in its place: killed in between, it knows
        the token of rows it does not have. A batch is one part in each of its partitions, so
        a partition lacks its rows if it has none of them. They are compared on the server, in its
        own types.

        Args:
            table: Its name, with or without the database.
            names: The columns' names.
            columns: Their values.

        Returns:
            The positions of those rows; none if the server cannot compare.

        Raises:
            Unavailable: The server is away.
        """
        if self.embedded:
            return []
        front, _, back = table.replace("`", "").rpartition(".")
        values = {"database": front or self.database, "table": back}
        asked = self._call("query", (_ON_TABLE,), {"parameters": values}, patience=0.0)
        found = asked.result_rows
        if not found or found[0][0] != "MergeTree":
            return []
        session = {"session_id": str(uuid.uuid4())}
        context = self._call("create_insert_context", (table, names), {}, patience=0.0)
        rows = {
            "data": [range(len(columns[0])), *columns],
            "column_names": ["shared_db_row", *names],
            "column_types": [
                driver().datatypes.registry.get_from_name("UInt64"),
                *context.column_types,
            ],
            "column_oriented": True,
        }
        create, *selects = comparison(table, names, found[0][2])
        client = self.client()
        try:
            client.command(create, settings=session)
            client.insert("shared_db_probe", **rows, settings=session)
            settings = {**session, "transform_null_in": 1}
            for select in selects:
                try:
                    answer = client.query(select, settings=settings)
                except driver().driver.exceptions.DatabaseError as error:
                    if getattr(error, "code", None) != UNKNOWN_IDENTIFIER:
                        raise
                else:
                    return [row for (row,) in answer.result_rows]
        except driver().driver.exceptions.Error as error:
            lost = what_was_lost(error)
            if lost is not None:
                raise Unavailable(
                    self._lost(lost, "a comparison", error), store=self.store
                ) from freed(error)
        return []

    def deduplicates(
        self, table: str, database: str | None = None, *, patience: float | None = None
    ) -> bool:
        """Report whether a table drops an insert whose token it has seen (queried once per table).

        Args:
            table: Its name, with or without the database.
            database: The database if the name has none.
            patience: Seconds to wait for an unreachable server; by default the client's own.

        Returns:
            True for replicated tables and for those with `non_replicated_deduplication_window`.
        """
        front, dot, back = table.replace("`", "").rpartition(".")
        key = (front if dot else (database or self.database), back)
        if key not in self._tables:
            values = {"database": key[0], "table": key[1]}
            asked = self._call("query", (_ON_TABLE,), {"parameters": values}, patience)
            rows = asked.result_rows
            if not rows:
                return False
            self._tables[key] = deduplicates(*rows[0][:2])
        return self._tables[key]

    def remember_tokens(
        self, table: str, window: int = 1000, *, patience: float | None = None
    ) -> None:
        """Make a table of the MergeTree family drop inserts whose token it has seen.

        Args:
            table: Its name, with or without the database.
            window: How many of the last inserts it remembers.
            patience: Seconds to wait for an unreachable server; by default the client's own.

        Raises:
            DatabaseError: It is not of the MergeTree family, or this user may not alter it.
        """
        statement = f"ALTER TABLE {quoted(table)} MODIFY SETTING non_replicated_deduplication_window = {window:d}"
        try:
            self._call("command", (statement,), {}, patience)
        except driver().driver.exceptions.DatabaseError as error:
            raise DatabaseError(
                f"{table} cannot drop repeated batches, so a lost answer could double rows: use a table of "
                "the MergeTree family, or pass deduplicate=False to accept that"
            ) from freed(error)
        self._tables.clear()

    def ping(self, timeout: float = 2.0) -> float:
        """Wait for an answer of the server.

        Returns:
            Seconds that it took.

        Raises:
            Unavailable: None came.
        """
        started = time.perf_counter()
        try:
            client = self.client()
        except (driver().driver.exceptions.Error, OSError) as error:
            lasting = is_lasting(error)
            raise Unavailable(
                self._lost(what_was_lost(error) or "sent", "connecting", error),
                store=self.store,
                lasting=lasting,
            ) from freed(error)
        if self.embedded:
            call(lambda: client.command("SELECT 1"))
        elif not client.ping(timeout):
            raise Unavailable(
                f"ClickHouse at {self.host}:{self.port} does not answer", store=self.store
            )
        return time.perf_counter() - started

    def snapshot(self) -> dict[str, Any]:
        """Return figures: calls in flight and the most connections."""
        return {"in_use": self._calls, "max": self._max_connections}

    def close(self, timeout: float = 10.0) -> dict[str, int]:
        """Close the client once what runs has ended; what outlasts the timeout is cut off."""
        self.come_home()
        self._closed = True
        running = self._calls
        self._drain(timeout)
        cancelled = self._calls
        if cancelled:
            self._hang_up()
            self._drain(1.0)
        client, self._client = self._client, None
        if client is not None:
            if self.embedded:
                call(client.close)
            else:
                client.close()
                if not IS_ASYNC:
                    client.http.clear()
        return {"cancelled": cancelled, "finished": running - cancelled}

    def _drain(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while self._calls and time.monotonic() < deadline:
            sleep(0.01)


def _nothing() -> None:
    """Do nothing: there is no connection to hang up."""
