"""A store that is away, or refuses."""

import traceback

import pytest

from shared.db import (
    AsyncDatabaseConnections,
    DatabaseConnections,
    Unavailable,
)

SECRET = "pa@ss/w:rd#1"
NAMES = {
    "postgres": "PostgreSQL at 127.0.0.1:1/d",
    "clickhouse": "ClickHouse at 127.0.0.1:1",
    "qdrant": "Qdrant at 127.0.0.1:1",
    "redis": "Redis at 127.0.0.1:1",
}


SECRETS = {
    "postgres": {"user": "u", "password": SECRET, "database": "d"},
    "clickhouse": {"user": "u", "password": SECRET},
    "qdrant": {"api_key": SECRET},
    "redis": {"password": SECRET},
}


def shown(error):
    """What a report with the variables of every frame shows, and what the causes hold."""
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    text = "".join(report.format())
    seen, pending = set(), [error]
    while pending:
        one = pending.pop()
        if id(one) in seen or not hasattr(one, "__dict__"):
            continue
        seen.add(id(one))
        text += repr(one) + repr(vars(one))
        if isinstance(one, BaseException):
            pending += [one.__cause__, one.__context__, *vars(one).values()]
        text += repr(getattr(one, "headers", ""))
        text += repr(dict(getattr(one, "headers", None) or {}))
    return text


@pytest.mark.parametrize("kind", NAMES)
def test_a_store_that_is_away_is_said_in_one_line(kind, first_call):
    expected = f"{NAMES[kind]} cannot be reached: Connection refused"
    with DatabaseConnections() as db:
        getattr(db, f"initialize_{kind}")(host="127.0.0.1", port=1, timeout=0.1, **SECRETS[kind])
        assert db.ping(1)[kind].error == f"Unavailable: {expected}"
        with pytest.raises(Unavailable) as caught:
            first_call(db, kind)
    assert str(caught.value) == expected
    assert not caught.value.lasting
    assert caught.value.__cause__ is not None
    assert SECRET not in shown(caught.value)


@pytest.mark.parametrize("kind", NAMES)
async def test_the_same_for_tasks(kind):
    async with AsyncDatabaseConnections() as db:
        getattr(db, f"initialize_{kind}")(host="127.0.0.1", port=1, timeout=0.1, **SECRETS[kind])
        error = (await db.ping(1))[kind].error
        with pytest.raises(Unavailable) as caught:
            await db.health_checks()[kind]()
    assert SECRET not in shown(caught.value)
    assert error == f"Unavailable: {NAMES[kind]} cannot be reached: Connection refused"


@pytest.mark.parametrize("kind", ["postgres", "clickhouse", "redis"])
def test_a_store_that_refuses_is_not_asked_again(kind, request, first_call):
    settings = request.getfixturevalue(f"{kind}_settings")
    with DatabaseConnections() as db:
        made = getattr(db, f"initialize_{kind}")(**{**settings, "password": SECRET}, timeout=600)
        with pytest.raises(Unavailable, match=f"{made.port}.* refuses: ") as caught:
            first_call(db, kind)
    assert caught.value.lasting
    assert SECRET not in shown(caught.value)
    assert "\n" not in str(caught.value)
