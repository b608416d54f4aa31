"""A forked child and its parent's connections."""

import json

import pytest


def rows_of(db, table):
    return sorted(n for (n,) in db.postgres.execute(f"SELECT n FROM {table}"))


# Its own program: what forks must have no other threads.
FORKS = """
import json, os, sys
from shared.db import DatabaseConnections
settings, table = json.loads(sys.argv[1]), sys.argv[2]
with DatabaseConnections() as db:
    db.initialize_postgres(**settings, max_connections=4)
    backend = lambda: db.postgres.execute("SELECT pg_backend_pid()")[0][0]
    mine = backend()
    with db.get_postgres_connection() as held:
        child = os.fork()
        if child == 0:
            pids = {backend() for _ in range(3)}
            print(len(pids), mine in pids, flush=True)
            db.close_all()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        held.execute(f"INSERT INTO {table} VALUES (1)")
    print(backend() == mine, db.snapshot()["postgres"]["opened"])
"""


def test_a_forked_child_uses_no_socket_of_its_parent(db, table, postgres_settings, python):
    out, err = python(FORKS, json.dumps(dict(postgres_settings)), table).communicate()
    assert out.split("\n") == ["1 False", "True 1", ""], err
    assert rows_of(db, table) == [1]


# Leaves its parent's blocks by an exception and by their ends, and closes everything.
LEAVES = """
import json, os, sys
from shared.db import DatabaseConnections
settings, table = json.loads(sys.argv[1]), sys.argv[2]
with DatabaseConnections() as db:
    db.initialize_postgres(**settings)
    child = None
    try:
        with db.get_postgres_connection() as held:
            held.execute(f"INSERT INTO {table} VALUES (1)")
            child = os.fork()
            if child == 0 and sys.argv[3] == "raises":
                raise SystemExit(7)
            if child:
                assert os.waitpid(child, 0)[1] >> 8 == 7
            held.execute(f"INSERT INTO {table} VALUES (2)") if child else None
    finally:
        if child:
            print(db.postgres.snapshot()["opened"])
    if child == 0:
        db.postgres.execute(f"INSERT INTO {table} VALUES (3)")
sys.exit(7 if child == 0 else 0)
"""


@pytest.mark.parametrize("how", ["raises", "goes on"])
def test_a_child_that_leaves_its_parents_block_changes_nothing(
    db, table, postgres_settings, python, how
):
    settings = json.dumps(dict(postgres_settings))
    out, err = python(LEAVES, settings, table, how).communicate()
    assert out == "1\n", err
    assert rows_of(db, table) == ([1, 2] if how == "raises" else [1, 2, 3])
