# Generated from _async/connections.py by generate_sync.py: change that file, not this one.
# fmt: off
"""All the stores of a service in one place."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self, Unpack, cast

from shared.core.checks import choice

from .._base.errors import DatabaseError, NotConfigured, Unavailable
from .._base.observe import OpenTelemetryObserver, PrometheusObserver
from .._base.reports import CloseReport, Ping, answer_of, values_of
from .._base.sealed import Sealed, freed
from .._base.settings import STORES, arguments_from, from_environment, key_of
from .checks import Check
from .clickhouse.store import ClickHouse
from .clickhouse.writer import ClickHouseWriter
from .postgres.locks import PostgresLock
from .postgres.store import Postgres
from .qdrant import Qdrant
from .redis.locks import RedisLock
from .redis.store import RedisStore
from .runtime import gather

if TYPE_CHECKING:
    import os
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from contextlib import AbstractContextManager
    from types import TracebackType

    import psycopg
    from redis import Redis

    from .._base.observe import Observer
    from .._base.options import (
        ClickHouseOptions,
        PostgresOptions,
        QdrantOptions,
        RedisOptions,
    )
    from .._rules.batch import WriterReport
    from .._rules.copy import BadRow
    from .locks import Lock
    from .postgres.checkout import Checkout

    Closed = tuple[dict[str, int], int]

_CLASSES: dict[str, Any] = {
    "postgres": Postgres,
    "clickhouse": ClickHouse,
    "qdrant": Qdrant,
    "redis": RedisStore,
}
# Any of these describes a store by itself; otherwise the settings do.
_PLACES = ("url", "host", "path", "location", "dsn", "service", "conninfo", "hostaddr")


class DatabaseConnections:
    """The stores of a service. Nothing connects before it is used.

    A context manager that closes everything at the end. There may be several stores of a kind,
    each with its own name.

    `get_<kind>(name)` returns a store, the object that `initialize_<kind>` returned.
    `get_<kind>_client(name)` returns what has the driver's methods: for ClickHouse and Qdrant the
    store itself, for Redis the driver's client. The properties `postgres`, `clickhouse`, `qdrant`
    and `redis` are the default ones, `redis` being the client.

    Example:
        >>> from shared.db import DatabaseConnections
        >>> db = DatabaseConnections()
        >>> db.initialize_redis(host="localhost", max_connections=20)
        <RedisStore 'default' localhost:6379/0>
        >>> db.postgres
        Traceback (most recent call last):
        shared.db.NotConfigured: POSTGRES_HOST is not set...
    """

    def __init__(self) -> None:
        self._stores: dict[tuple[str, str], Any] = {}
        self._waiting: dict[str, Sealed] = {}
        self._writers: list[Any] = []
        self._instruments: list[Observer] = []
        self._closed = False

    @property
    def described(self) -> bool:
        """Whether any store is described."""
        return bool(self._stores or self._waiting)

    def describe(self, settings: Any = None) -> None:
        """Describe every store named by the settings, as `from_settings` does."""
        if settings is None:
            from shared.config import settings
        self._waiting = {kind: Sealed(values) for kind, values in arguments_from(settings).items()}

    @classmethod
    def from_settings(cls, settings: Any = None) -> Self:
        """Describe every store named by the settings.

        Args:
            settings: Settings of `shared.config` (by default `shared.config.settings`), a mapping
                of variables, or the `settings` of embedded stores (one or a list).

        Returns:
            Connections, not yet open.
        """
        self = cls()
        self.describe(settings)
        return self

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Self:
        """Describe every store from the environment, `.env` and secret files.

        Args:
            env: Variables instead of the environment's.

        Returns:
            Connections, not yet open.
        """
        self = cls()
        try:
            found = from_environment(env)
        except ValueError as error:
            env = None  # as in `_initialize`
            raise freed(error)  # noqa: B904 - it is the error itself
        self._waiting = {kind: Sealed(values) for kind, values in found.items()}
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close_all()

    def __repr__(self) -> str:
        known = {key_of(*store) for store in self._stores} | self._waiting.keys()
        return f"<{type(self).__name__} {' '.join(sorted(known))}>"

    def _initialize(self, kind: str, name: str, options: Any) -> Any:
        arguments = cast("dict[str, Any]", options)
        given = arguments
        if not any(arguments.get(word) is not None for word in _PLACES):
            waiting = self._waiting.get(kind)
            if waiting is None:
                waiting = Sealed(from_environment(None)[kind])
            given = waiting.open() | arguments
        if (kind, name) in self._stores and not self._closed:
            raise DatabaseError(
                f"{kind} {name!r} is initialized already: close it first, or choose another name"
            )
        try:
            made = _CLASSES[kind](name=name, **given)
        except (TypeError, ValueError) as error:
            # A report with the variables of every frame shows what was given, in none of our frames.
            given.clear()
            arguments.clear()
            raise freed(error)  # noqa: B904 - it is the error itself
        self._closed = False
        self._stores[kind, name] = made
        for observer in self._instruments:
            made.observers.append(observer)
            observer.add(made)
        return made

    def initialize_postgres(
        self, *, name: str = "default", **options: Unpack[PostgresOptions]
    ) -> Postgres:
        """Describe a PostgreSQL database; without options, from the settings.

        Args:
            name: The name for the getters.
            options: `url`, or `host`, `port`, `database`, `user`, `password`; `min_connections`
                (1), `max_connections` (10), `timeout` seconds for a checkout (5),
                `connect_timeout` (5), `max_idle` (300), `max_lifetime` (3600), `pgbouncer`
                (False; True turns prepared statements off), `configure` and `reset` (functions of
                a connection, plain or async: called when it is opened, and each time that it
                comes back), and every parameter of libpq, such as `sslmode="verify-full"` and
                `sslrootcert`.

        Returns:
            The database; nothing is connected yet.

        Raises:
            ValueError: A malformed URL or a pool size out of range.
        """
        return self._initialize("postgres", name, options)  # type: ignore[no-any-return]

    def initialize_clickhouse(
        self, *, name: str = "default", **options: Unpack[ClickHouseOptions]
    ) -> ClickHouse:
        """Describe a ClickHouse database; without options, from the settings.

        Args:
            name: The name for the getters.
            options: `url` (also `chdb://memory` and `chdb:///path`), or `host`, `port`,
                `database`, `user`, `password`; `timeout` seconds to wait for the server (5),
                `connect_timeout` (5), `query_timeout` (300), `max_connections` (32), and the
                arguments of `clickhouse_connect.get_client`.

        Returns:
            The database; nothing is connected yet.

        Raises:
            ValueError: A malformed URL.
        """
        return self._initialize("clickhouse", name, options)  # type: ignore[no-any-return]

    def initialize_qdrant(
        self, *, name: str = "default", **options: Unpack[QdrantOptions]
    ) -> Qdrant:
        """Describe a Qdrant server; without options, from the settings.

        Args:
            name: The name for the getters.
            options: `url` (also `:memory:` and `path:/folder`), or `host`, `port`, `api_key`;
                `timeout` seconds to wait for the server (5), `query_timeout` (30), and the
                arguments of `qdrant_client.QdrantClient`.

        Returns:
            The store; nothing is connected yet.

        Raises:
            ValueError: A malformed URL.
        """
        return self._initialize("qdrant", name, options)  # type: ignore[no-any-return]

    def initialize_redis(
        self, *, name: str = "default", **options: Unpack[RedisOptions]
    ) -> RedisStore:
        """Describe a Redis database; without options, from the settings.

        Args:
            name: The name for the getters.
            options: `url`, or `host`, `port`, `database`, `user`, `password`; `timeout` seconds
                to wait for the server or a free connection (5), `connect_timeout` (2),
                `socket_timeout` for an answer (5), `max_connections` (50), `sentinels` with
                `service`, and the arguments of redis-py's connections.

        Returns:
            The database; nothing is connected yet.

        Raises:
            ValueError: A malformed URL.
        """
        return self._initialize("redis", name, options)  # type: ignore[no-any-return]

    def _get(self, kind: str, name: str) -> Any:
        store = self._stores.get((kind, name))
        if store is None:
            if name != "default" or kind not in self._waiting:
                variable = f"{kind.upper()}_HOST"
                message = None
                if name != "default":
                    message = (
                        f"{kind} {name!r} is not known: call initialize_{kind}(name={name!r}, ...)"
                    )
                raise NotConfigured(variable, message)
            store = self._initialize(kind, name, {})
        return store

    @property
    def postgres(self) -> Postgres:
        """The default PostgreSQL database."""
        return self.get_postgres()

    @property
    def clickhouse(self) -> ClickHouse:
        """The default ClickHouse database."""
        return self.get_clickhouse()

    @property
    def qdrant(self) -> Qdrant:
        """The default Qdrant server."""
        return self.get_qdrant()

    @property
    def redis(self) -> Redis:
        """The client of the default Redis database."""
        return self.get_redis_client()

    def get_postgres(self, name: str = "default") -> Postgres:
        """Return a PostgreSQL database by name.

        Raises:
            NotConfigured: It was never described.
        """
        return self._get("postgres", name)  # type: ignore[no-any-return]

    def get_clickhouse(self, name: str = "default") -> ClickHouse:
        """Return a ClickHouse database by name.

        Raises:
            NotConfigured: It was never described.
        """
        return self._get("clickhouse", name)  # type: ignore[no-any-return]

    def get_qdrant(self, name: str = "default") -> Qdrant:
        """Return a Qdrant server by name.

        Raises:
            NotConfigured: It was never described.
        """
        return self._get("qdrant", name)  # type: ignore[no-any-return]

    def get_redis(self, name: str = "default") -> RedisStore:
        """Return a Redis database by name; its `client` is the driver's.

        Raises:
            NotConfigured: It was never described.
        """
        return self._get("redis", name)  # type: ignore[no-any-return]

    def get_clickhouse_client(self, name: str = "default") -> ClickHouse:
        """Return what has the driver's methods: the ClickHouse database itself.

        Raises:
            NotConfigured: It was never described.
        """
        return self.get_clickhouse(name)

    def get_qdrant_client(self, name: str = "default") -> Qdrant:
        """Return what has the driver's methods: the Qdrant server itself.

        Raises:
            NotConfigured: It was never described.
        """
        return self.get_qdrant(name)

    def get_redis_client(self, name: str = "default") -> Redis:
        """Return the driver's client of a Redis database.

        Raises:
            NotConfigured: It was never described.
        """
        return self.get_redis(name).client

    def get_postgres_connection(
        self,
        *,
        name: str = "default",
        read_only: bool = False,
        timeout: float | None = None,
        autocommit: bool = False,
    ) -> Checkout[psycopg.Connection[Any]]:
        """Return a connection for the time of a `with` block.

        It commits at the end of the block; on an exception it rolls back and raises it.

        Args:
            name: The database's name.
            read_only: Whether the transaction refuses changes.
            timeout: Seconds to wait for a connection; by default the pool's own.
            autocommit: Whether each statement is its own transaction, as `VACUUM` needs it.

        Returns:
            A context manager that yields psycopg's connection. What the block changed in the
            session (a role, the search path, a lock, `row_factory`) is undone when it ends.

        Raises:
            ValueError: `autocommit` together with `read_only`.
        """
        return self.get_postgres(name).connection(
            read_only=read_only, timeout=timeout, autocommit=autocommit
        )

    def get_postgres_cursor(
        self,
        *,
        commit: bool = True,
        name: str = "default",
        read_only: bool = False,
        timeout: float | None = None,
        row_factory: Any = None,
        autocommit: bool = False,
    ) -> AbstractContextManager[psycopg.Cursor[Any]]:
        """Return a cursor for the time of a `with` block, on its own connection.

        Args:
            commit: Whether the block's changes persist; an exception undoes them either way.
            name: The database's name.
            read_only: Whether the transaction refuses changes.
            timeout: Seconds to wait for a connection; by default the pool's own.
            row_factory: psycopg's, such as `psycopg.rows.dict_row`.
            autocommit: Whether each statement is its own transaction, as `VACUUM` needs it.

        Returns:
            A context manager that yields psycopg's cursor.
        """
        return self.get_postgres(name).cursor(
            commit=commit,
            read_only=read_only,
            timeout=timeout,
            row_factory=row_factory,
            autocommit=autocommit,
        )

    def clickhouse_writer(
        self,
        table: str,
        max_rows: int = 10_000,
        *,
        max_bytes: int = 16_000_000,
        max_delay: float = 1.0,
        spill: str | os.PathLike[str] | None = None,
        deduplicate: bool = True,
        on_bad_row: Callable[[Mapping[str, Any], BadRow], Any] | None = None,
        dead_letters: str | os.PathLike[str] | None = None,
        name: str = "default",
    ) -> ClickHouseWriter:
        """Return a writer of rows in batches, closed with these connections.

        Args:
            table: The table, with or without its database.
            max_rows: Rows in a batch.
            max_bytes: About how many bytes of values in a batch.
            max_delay: Seconds that a row waits for its batch to fill.
            spill: A folder where accepted rows survive this process until they are delivered.
            deduplicate: Whether the table must drop a batch that it has; a table of the MergeTree
                family that does not do so yet is altered to remember the last 1000 batches.
            on_bad_row: Called with each row that no column takes and its `BadRow`; all other rows
                are delivered.
            dead_letters: A file for such rows, one line of JSON per row; by default, with `spill`
                and without `on_bad_row`, `refused.jsonl` in the table's folder there.
            name: The name of the ClickHouse database.

        Returns:
            The writer.

        Raises:
            ValueError: A limit that is not above 0.
            PoolClosed: These connections are closed.
        """
        client = self.get_clickhouse(name)
        client.check_open()
        writer = ClickHouseWriter(
            client,
            table,
            max_rows=max_rows,
            max_bytes=max_bytes,
            max_delay=max_delay,
            spill=spill,
            deduplicate=deduplicate,
            on_bad_row=on_bad_row,
            dead_letters=dead_letters,
        )
        self._writers.append(writer)
        return writer

    def lock(
        self,
        name: str,
        ttl: float = 10.0,
        *,
        backend: str = "redis",
        timeout: float | None = 10.0,
        store: str = "default",
    ) -> Lock:
        """Return a lock that has one holder at a time in all processes, with a fencing token.

        Args:
            name: What is locked.
            ttl: Seconds that it lives without a sign of its holder, which renews it meanwhile.
            backend: `"redis"`, or `"postgres"` (freed the moment its connection dies).
            timeout: Seconds to wait for it; None: no limit.
            store: The name of the Redis or PostgreSQL database.

        Returns:
            A context manager with `.token`; it raises `LockTimeout` if the lock does not come
            free, and `LockLost` if it was lost, after cancelling the block.

        Raises:
            ValueError: `backend` or `ttl` is not allowed.
        """
        if choice("backend", backend, ("redis", "postgres")) == "redis":
            return RedisLock(self.get_redis(store), name, ttl, timeout=timeout)
        return PostgresLock(self.get_postgres(store).pool, name, ttl, timeout=timeout)

    def _described(self) -> dict[str, Any]:
        """Return every described store, by `kind` or `kind:name`."""
        for kind in self._waiting:
            if (kind, "default") not in self._stores:
                self._initialize(kind, "default", {})
        order = sorted(self._stores, key=lambda store: (STORES.index(store[0]), store[1]))
        return {key_of(*store): self._stores[store] for store in order}

    def ping(self, timeout: float = 2.0) -> dict[str, Ping]:
        """Ping every store at once.

        Args:
            timeout: Seconds for each answer.

        Returns:
            A `Ping` per store, by `kind` or `kind:name`.
        """
        stores = self._described()

        def asked(check: Check) -> Callable[[], float]:
            def ask() -> float:
                started = time.perf_counter()
                check()
                return time.perf_counter() - started

            return ask

        checks = [Check(store, timeout) for store in stores.values()]
        answers = gather(map(asked, checks))
        return {name: answer_of(answer) for name, answer in zip(stores, answers, strict=True)}

    def initialize_all_databases(
        self, required: Iterable[str] = (), timeout: float = 10.0
    ) -> dict[str, Ping]:
        """Connect every described store.

        Args:
            required: Those that must answer, such as `{"postgres"}`.
            timeout: Seconds for each answer.

        Returns:
            A `Ping` per store.

        Raises:
            Unavailable: A required store does not answer.
            NotConfigured: A required store is not described.
        """
        wanted = {required} if isinstance(required, str) else set(required)
        stores = self._described()
        for name in sorted(wanted - stores.keys()):
            raise NotConfigured(f"{name.partition(':')[0].upper()}_HOST")
        report = self.ping(timeout)
        missing = {name: report[name].error for name in sorted(wanted) if not report[name].ok}
        if missing:
            reasons = "; ".join(f"{name}: {error}" for name, error in missing.items())
            raise Unavailable(
                f"required stores do not answer: {reasons}", store=next(iter(missing))
            )
        return report

    def health_checks(self, timeout: float = 0.5) -> dict[str, Callable[[], None]]:
        """Return a callable per store that raises if it does not answer.

        Args:
            timeout: Seconds until no answer is an error.

        Returns:
            Callables by `kind` or `kind:name`.
        """
        return {name: Check(store, timeout) for name, store in self._described().items()}

    def snapshot(self) -> dict[str, dict[str, Any]]:
        """Return the figures of every store in use: connections idle, in use, waited for."""
        return {key_of(*key): store.snapshot() for key, store in self._stores.items()}

    def instrument(self, *, prometheus: Any = None, opentelemetry: Any = None) -> None:
        """Report calls and pools to Prometheus or OpenTelemetry, from now on.

        Spans and labels name operations (`SELECT`, `GET`), never values.

        Args:
            prometheus: A registry of prometheus-client, for the metrics `shared_db_*`.
            opentelemetry: A tracer or meter provider, a list of both, or True for the global
                ones; for spans and the metrics of the conventions for database clients.

        Raises:
            DriverMissing: prometheus-client or opentelemetry-api is not installed.
            TypeError: It is not a provider.
        """
        made: list[Observer] = []
        if prometheus is not None:
            made.append(PrometheusObserver(prometheus))
        if opentelemetry is not None:
            made.append(OpenTelemetryObserver(opentelemetry))
        self._instruments += made
        for store in self._stores.values():
            for observer in made:
                store.observers.append(observer)
                observer.add(store)

    def close_all(self, timeout: float = 10.0) -> CloseReport:
        """Close every store: nothing new starts, what runs may end.

        Args:
            timeout: Seconds for what runs; what outlasts it is cancelled and counted.

        Returns:
            What was cancelled, what finished, what writers could not deliver.
        """
        deadline = time.monotonic() + timeout

        def left() -> float:
            return max(0.0, deadline - time.monotonic())

        def ended(writer: Any) -> Callable[[], WriterReport]:
            return lambda: writer.close(left())

        def closed(store: Any) -> Callable[[], Closed]:
            def close() -> Closed:
                writers = [writer for writer in self._writers if writer.client is store]
                reports = gather(map(ended, writers))
                figures = store.close(left())
                return figures, sum(report.undelivered for report in values_of(reports))

            return close

        stores = {key_of(*key): store for key, store in self._stores.items()}
        results = gather(map(closed, stores.values()))
        self._closed = True
        self._writers.clear()
        figures, undelivered = zip(*values_of(results), strict=True) if results else ((), ())
        return CloseReport(
            cancelled=sum(figure["cancelled"] for figure in figures),
            finished=sum(figure["finished"] for figure in figures),
            stores=dict(zip(stores, figures, strict=True)),
            undelivered=sum(undelivered),
        )
