"""What a restart of PostgreSQL costs: our pool next to psycopg_pool, with and without its check.

Ten connections lie idle, the server restarts, thirty calls follow; then four threads call while the
server is away for 0.7 s. `python restart.py` prints the table of `docs/decisions/0020`.
"""

import contextlib
import logging
import threading
import time

import psycopg_pool

from shared.db import DatabaseConnections, embedded

IDLE, CALLS, AWAY, TIMEOUT = 10, 30, 0.7, 5.0


@contextlib.contextmanager
def ours(store):
    with DatabaseConnections() as db:
        db.initialize_postgres(**store.settings, max_connections=IDLE, timeout=TIMEOUT)
        yield db.get_postgres_connection


@contextlib.contextmanager
def theirs(store, *, check):
    options = {"check": psycopg_pool.ConnectionPool.check_connection} if check else {}
    with psycopg_pool.ConnectionPool(
        store.url, min_size=IDLE, max_size=IDLE, timeout=TIMEOUT, open=True, **options
    ) as pool:
        pool.wait()
        yield pool.connection


def called(connection):
    """Seconds that a call took, and its error."""
    started = time.perf_counter()
    try:
        with connection() as one:
            one.execute("SELECT 1")
    except Exception as error:
        return time.perf_counter() - started, error
    return time.perf_counter() - started, None


def after_a_restart(store, connection):
    with contextlib.ExitStack() as held:
        for _ in range(IDLE):
            held.enter_context(connection())
    store.restart()
    return [called(connection) for _ in range(CALLS)]


def under_load(store, connection):
    """How many calls failed, and the seconds from the server's return to the first success."""
    stop, calls = threading.Event(), []

    def work():
        while not stop.is_set():
            taken, error = called(connection)
            calls.append((time.perf_counter(), taken, error))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    store.kill()
    time.sleep(AWAY)
    store.start()
    back = time.perf_counter()
    time.sleep(2 * TIMEOUT)
    stop.set()
    for thread in threads:
        thread.join()
    first = min((end for end, _, error in calls if end > back and error is None), default=None)
    return sum(error is not None for *_, error in calls), first and first - back


def main():
    logging.disable()
    print("| | failed of 30 | slowest | failed under load | first success after its return |")
    print("|---|---|---|---|---|")
    for name, pool in (
        ("shared.db", ours),
        ("psycopg_pool", lambda store: theirs(store, check=False)),
        ("psycopg_pool, check_connection", lambda store: theirs(store, check=True)),
    ):
        with embedded.postgres() as store, pool(store) as connection:
            calls = after_a_restart(store, connection)
            failed = sum(error is not None for _, error in calls)
            slowest = max(taken for taken, _ in calls)
            lost, first = under_load(store, connection)
            said = f"{first:.2f} s" if first is not None else "none within 10 s"
            print(f"| {name} | {failed} | {slowest:.3f} s | {lost} | {said} |", flush=True)


if __name__ == "__main__":
    main()
