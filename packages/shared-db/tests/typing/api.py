"""The public API as a type-checked file that is never run."""

import asyncio
from typing import TYPE_CHECKING, Any

import shared.db as package
from shared.db import (
    AsyncClickHouse,
    AsyncClickHouseWriter,
    AsyncDatabaseConnections,
    AsyncPostgres,
    ClickHouse,
    ClickHouseWriter,
    CloseReport,
    DatabaseConnections,
    DatabaseError,
    Ping,
    PoolExhausted,
    Postgres,
    PostgresOptions,
    Qdrant,
    RedisStore,
    Unavailable,
    WriterReport,
    embedded,
)

if TYPE_CHECKING:
    import psycopg
    from redis import Redis

names: list[str] = package.__all__


def synchronous() -> None:
    """The synchronous form."""
    with (
        embedded.postgres(fsync=True) as store,
        DatabaseConnections.from_settings(store.settings) as db,
    ):
        url: str = store.url
        pid: int | None = store.pid
        postgres: Postgres = db.initialize_postgres(url=url, max_connections=pid or 5)
        with db.get_postgres_connection(read_only=True, timeout=5) as connection:
            row: Any = connection.execute("SELECT 1").fetchone()
        with db.get_postgres_cursor(commit=True) as cursor:
            cursor.execute("SELECT 1", row)
        with postgres.transaction("point") as tx, postgres.pipeline() as pipeline:
            inner: psycopg.Connection[Any] = tx
            pipeline.execute("SELECT 1")
            inner.execute("SELECT 1")
        written: int = postgres.copy_rows("t", [(1,)], ["n"]) + postgres.copy_frame("t", object())
        for each in postgres.stream("SELECT 1", [written]):
            print(each)
        with postgres.advisory_lock("key"):
            pass
        clickhouse: ClickHouse = db.clickhouse
        qdrant: Qdrant = db.qdrant
        redis: Redis = db.redis
        same: tuple[ClickHouse, Qdrant] = db.get_clickhouse(), db.get_qdrant()
        clients: tuple[ClickHouse, Qdrant] = db.get_clickhouse_client(), db.get_qdrant_client()
        store_of_redis: RedisStore = db.initialize_redis(name="cache", host="h", ssl=True)
        redis = db.get_redis("cache").client
        options: PostgresOptions = {"host": "h", "sslmode": "verify-full", "max_connections": 3}
        db.initialize_postgres(name="reports", **options)
        print(same, clients, store_of_redis.client is redis, db.get_redis_client("cache"))
        print(clickhouse.query("SELECT 1"), qdrant.count("c"), redis.get("k"))
        writer: ClickHouseWriter = db.clickhouse_writer(
            "t", 1, max_bytes=1, max_delay=1, spill="s", deduplicate=False, name="default"
        )
        writer.write({"n": 1})
        report: WriterReport = writer.close(5)
        print(report.delivered, report.undelivered)
        with db.lock("name", ttl=5, backend="postgres") as lock:
            token: int = lock.token
            print(token)
        answers: dict[str, Ping] = db.initialize_all_databases(required={"postgres"})
        for check in db.health_checks().values():
            check()
        db.instrument(prometheus=object(), opentelemetry=object())
        closed: CloseReport = db.close_all(timeout=10)
        print(answers, closed.cancelled, db.snapshot())


async def asynchronous() -> None:
    """The asynchronous form."""
    async with AsyncDatabaseConnections.from_env({}) as db:
        postgres: AsyncPostgres = db.postgres
        async with db.get_postgres_cursor() as cursor:
            await cursor.execute("SELECT 1")
        async with postgres.transaction() as tx:
            await tx.execute("SELECT 1")
        async for row in postgres.stream("SELECT 1"):
            print(row)
        clickhouse: AsyncClickHouse = db.clickhouse
        writer: AsyncClickHouseWriter = db.clickhouse_writer("t")
        await writer.write({"n": 1})
        async with db.lock("name") as lock:
            lock.check()
        answers: dict[str, Ping] = await db.ping()
        for check in db.health_checks().values():
            await check()
        print(await clickhouse.query("SELECT 1"), answers)


def errors() -> None:
    """Errors carry what they know."""
    try:
        asyncio.run(asynchronous())
    except PoolExhausted as error:
        held: list[str] = error.holders
        print(error.pool, error.waited, error.in_use, held)
    except Unavailable as error:
        print(error.store, error.lasting)
    except DatabaseError as error:
        print(error.__cause__)
