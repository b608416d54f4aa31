"""Speed of shared-db against its peers: `python run.py [--quick]` writes RESULTS.md.

Every ratio is the median of rounds in which ours and the peer take turns, in one process, against
the same embedded server. PostgreSQL runs with fsync on.
"""

import argparse
import gc
import importlib.metadata
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from shared.db import DatabaseConnections, embedded

HERE = Path(__file__).parent
LIBRARIES = (
    "psycopg",
    "psycopg-pool",
    "sqlalchemy",
    "pandas",
    "clickhouse-connect",
    "chdb",
    "redis",
)


def seconds(function, before=None):
    if before is not None:
        before()
    gc.collect()
    gc.disable()
    started = time.perf_counter()
    function()
    taken = time.perf_counter() - started
    gc.enable()
    return taken


def ratios(ours, peer, rounds, before=None):
    """The median of ours / peer; the order changes from round to round."""
    found = []
    for number in range(rounds):
        order = (ours, peer) if number % 2 else (peer, ours)
        taken = {function: seconds(function, before) for function in order}
        pair = taken[ours], taken[peer]
        found.append(pair[0] / pair[1])
    return statistics.median(found)


class Report:
    def __init__(self):
        self.lines = []

    def add(self, what, bar, measured, met, note=""):
        self.lines.append((what, bar, measured, "met" if met else "**missed**", note))
        print(
            f"{what:<58} {bar:<12} {measured:<10} {'met' if met else 'MISSED'}  {note}", flush=True
        )

    def write(self, quick):
        versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES)
        head = [
            "# Speed of shared-db",
            "",
            f"Written by `benchmarks/run.py{' --quick' if quick else ''}` on {time.strftime('%Y-%m-%d')}.",
            f"{platform.machine()}, {os.cpu_count()} CPUs, {platform.system()} {platform.release()},",
            f"Python {platform.python_version()}; {versions}.",
            "",
            "Each figure is the median of rounds in which ours and the peer take turns.",
            "",
            "| What | Bar | Measured | | Note |",
            "|---|---|---|---|---|",
        ]
        rows = [f"| {' | '.join(line)} |" for line in self.lines]
        (HERE / "RESULTS.md").write_text("\n".join([*head, *rows]) + "\n", "utf-8")


def bench_checkout(report, db, store, quick):
    import psycopg_pool

    count = 2000 if quick else 10_000
    with psycopg_pool.ConnectionPool(store.url, min_size=1, max_size=10, open=True) as peer:
        peer.wait()

        def theirs():
            for _ in range(count):
                with peer.connection():
                    pass

        def ours():
            for _ in range(count):
                with db.get_postgres_connection():
                    pass

        ours()
        theirs()
        ratio = ratios(ours, theirs, 5 if quick else 9)
    report.add(
        "checkout and return, against psycopg_pool", "<= 1.3x", f"{ratio:.2f}x", ratio <= 1.3
    )


def bench_copy(report, db, quick):
    count = 20_000 if quick else 200_000
    rows = [(n, f"name {n}", n / 7) for n in range(count)]
    db.postgres.execute("CREATE TABLE copied (id bigint, name text, value double precision)")

    def ours():
        db.postgres.copy_rows("copied", rows)

    def raw():
        statement = "COPY copied (id, name, value) FROM STDIN (FORMAT BINARY)"
        with (
            db.get_postgres_connection() as connection,
            connection.cursor() as cursor,
            cursor.copy(statement) as copy,
        ):
            copy.set_types(["int8", "text", "float8"])
            for row in rows:
                copy.write_row(row)

    singles = rows[: 200 if quick else 1000]

    def single():
        for row in singles:
            with db.get_postgres_cursor() as cursor:
                cursor.execute("INSERT INTO copied VALUES (%s, %s, %s)", row)

    ours()
    raw()

    def before():
        # Neither pays for the other's write-ahead log.
        db.postgres.execute("TRUNCATE copied")
        with db.get_postgres_connection() as connection:
            connection.execute("CHECKPOINT")

    ratio = 1 / ratios(ours, raw, 5 if quick else 11, before)
    report.add(
        "copy_rows, against raw COPY binary",
        ">= 0.95x",
        f"{ratio:.2f}x",
        ratio >= 0.95,
        f"{count} rows",
    )
    db.postgres.execute("TRUNCATE copied")
    ratio = 1 / (ratios(ours, single, 3) / (count / len(singles)))
    note = f"per row; {len(singles)} single inserts, each a commit"
    report.add("copy_rows, against single inserts", ">= 100x", f"{ratio:.0f}x", ratio >= 100, note)


def bench_frame(report, db, store, quick):
    import sqlalchemy

    count = 50_000 if quick else 1_000_000
    some = 5_000 if quick else 50_000
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "id": np.arange(count),
            "at": pd.date_range("2024-01-01", periods=count, freq="s", tz="UTC"),
            "value": rng.normal(size=count),
            "name": [f"series {n % 1000}" for n in range(count)],
        }
    )
    part = frame.head(some)
    db.postgres.execute(
        "CREATE TABLE framed (id bigint, at timestamptz, value double precision, name text)"
    )
    engine = sqlalchemy.create_engine(store.url.replace("postgresql://", "postgresql+psycopg://"))

    def theirs():
        part.to_sql(
            "framed", engine, if_exists="append", index=False, method="multi", chunksize=10_000
        )

    def ours():
        db.postgres.copy_frame("framed", frame)

    ratio = 1 / (ratios(ours, theirs, 3) / (count / some))
    engine.dispose()
    note = f"per row; ours {count} rows, theirs {some}"
    report.add(
        "copy_frame, against pandas to_sql(method='multi')",
        ">= 5x",
        f"{ratio:.1f}x",
        ratio >= 5,
        note,
    )


def bench_writer(report, quick):
    count = 20_000 if quick else 200_000
    rows = [{"id": n, "name": f"series {n % 1000}", "value": n / 7} for n in range(count)]
    with embedded.clickhouse() as store, DatabaseConnections.from_settings(store.settings) as db:
        for table in ("ours", "theirs", "single"):
            db.clickhouse.command(
                f"CREATE TABLE {table} (id Int64, name String, value Float64) ENGINE = MergeTree ORDER BY id "
                "SETTINGS non_replicated_deduplication_window = 100"
            )
        client = db.clickhouse.client()
        client.insert_df("theirs", pd.DataFrame(rows[:10]))

        def ours():
            with db.clickhouse_writer("ours", max_rows=count, max_bytes=1 << 40) as writer:
                writer.write_many(rows)

        def theirs():
            client.insert_df("theirs", pd.DataFrame(rows))

        singles = rows[:50]

        def single():
            for row in singles:
                client.insert("single", [list(row.values())], list(row))

        ours()
        ratio = 1 / ratios(ours, theirs, 5 if quick else 9)
        note = f"{count} dicts; frame building counted"
        report.add(
            "writer, against one insert_df of the same rows",
            ">= 0.9x",
            f"{ratio:.2f}x",
            ratio >= 0.9,
            note,
        )
        ratio = 1 / (ratios(ours, single, 3) / (count / len(singles)))
        note = f"per row; {len(singles)} inserts"
        report.add("writer, against row by row", ">= 500x", f"{ratio:.0f}x", ratio >= 500, note)


def bench_redis(report, quick):
    import redis

    count = 1000 if quick else 5000
    with embedded.redis() as store, DatabaseConnections.from_settings(store.settings) as db:
        peer = redis.Redis.from_pool(
            redis.BlockingConnectionPool.from_url(
                store.url, max_connections=50, timeout=5, socket_timeout=5, socket_connect_timeout=2
            )
        )

        def ours():
            get = db.redis.get
            for _ in range(count):
                get("k")

        def theirs():
            get = peer.get
            for _ in range(count):
                get("k")

        ours()
        theirs()
        ratio = ratios(ours, theirs, 7 if quick else 15)
        peer.close()
    report.add(
        "a Redis call, against redis-py with the same timeouts",
        "<= 1.05x",
        f"{ratio:.3f}x",
        ratio <= 1.05,
    )


def bench_import(report, quick):
    def fresh(statement):
        code = f"import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        return float(done.stdout)

    rounds = 7 if quick else 21
    pairs = [
        (fresh("import shared.db"), fresh("import logging, dataclasses, threading"))
        for _ in range(rounds)
    ]
    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    report.add(
        "import, against logging, dataclasses, threading", "<= 2x", f"{ratio:.2f}x", ratio <= 2
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rows and rounds; a smoke test")
    quick = parser.parse_args().quick
    report = Report()
    bench_import(report, quick)
    bench_redis(report, quick)
    with (
        tempfile.TemporaryDirectory() as folder,
        embedded.postgres(folder, fsync=True) as store,
        DatabaseConnections.from_settings(store.settings) as db,
    ):
        bench_checkout(report, db, store, quick)
        bench_copy(report, db, quick)
        bench_frame(report, db, store, quick)
    bench_writer(report, quick)
    report.write(quick)


if __name__ == "__main__":
    main()
