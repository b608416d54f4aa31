"""Every time argument: served or refused where it is given."""

import math
from datetime import timedelta
from typing import Any

import pytest

from shared.db import DatabaseConnections

KINDS = ("postgres", "clickhouse", "redis", "qdrant")
OTHERS = [
    *(("postgres", name) for name in ("connect_timeout", "max_idle", "max_lifetime")),
    *(("clickhouse", name) for name in ("connect_timeout", "query_timeout")),
    *(("redis", name) for name in ("connect_timeout", "socket_timeout")),
]


@pytest.mark.parametrize("value", [-1, math.nan, "5", True])
@pytest.mark.parametrize(("kind", "name"), [*((kind, "timeout") for kind in KINDS), *OTHERS])
def test_what_is_no_time_is_refused(kind, name, value):
    options: dict[str, Any] = {"host": "h", name: value}
    with (
        DatabaseConnections() as db,
        pytest.raises((TypeError, ValueError), match=f"{name} must be"),
    ):
        getattr(db, f"initialize_{kind}")(**options)


@pytest.mark.parametrize("value", [math.inf, timedelta(seconds=5), 5])
@pytest.mark.parametrize(("kind", "name"), [*((kind, "timeout") for kind in KINDS), *OTHERS])
def test_times_may_be_unlimited_or_a_timedelta(request, first_call, kind, name, value):
    settings = request.getfixturevalue(f"{kind}_settings")
    options: dict[str, Any] = {**settings, name: value}
    with DatabaseConnections() as db:
        getattr(db, f"initialize_{kind}")(**options)
        assert first_call(db, kind)


@pytest.mark.parametrize("timeout", [math.inf, timedelta(seconds=5), 0, None])
def test_a_checkout_takes_any_time(postgres_db, timeout):
    for _ in range(2):
        with postgres_db.get_postgres_connection(timeout=timeout) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
