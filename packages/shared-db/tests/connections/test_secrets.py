"""No secret shows: not in errors, their frames, reprs or pickles."""

import logging
import pickle
import traceback

import pytest

from shared.db import (
    DatabaseConnections,
)

SECRET = "pa@ss/w:rd#1"
HIDDEN = "hunter" + "2"


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


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("postgres", "postgresql//app:{}@h/db"),
        ("postgres", "postgresql://app:{}@h:notaport/db"),
        ("redis", "http://:{}@h"),
        ("clickhouse", "clickhouse://u:{}@[::1/x"),
        ("qdrant", "qdrant//{}"),
    ],
)
def test_malformed_urls_show_no_secret(kind, url, caplog):
    caplog.set_level(logging.DEBUG)
    with DatabaseConnections() as db:
        with pytest.raises(ValueError, match=f"{kind.upper()}_URL") as caught:
            getattr(db, f"initialize_{kind}")(url=url.format(HIDDEN))
        text = repr(vars(caught.value)) + caplog.text
        report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        text += "".join(report.format())
    assert HIDDEN not in text
    assert "initialize_" in text


def test_malformed_variables_show_no_secret():
    variables = {"REDIS_URL": f"redis://:{HIDDEN}@h:x"}
    with pytest.raises(ValueError, match="REDIS_URL") as caught:
        DatabaseConnections.from_env(variables)
    variables.clear()
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    text = "".join(report.format())
    assert HIDDEN not in text
    assert "from_env" in text


def test_objects_show_no_secret():
    with DatabaseConnections() as db:
        shown = []
        for kind in ("postgres", "clickhouse", "redis"):
            made = getattr(db, f"initialize_{kind}")(
                host="127.0.0.1", port=1, user="u", password=SECRET, timeout=0.05
            )
            shown += [repr(made), str(vars(made))]
            with pytest.raises(Exception) as caught:
                made.ping(0.05)
            shown.append(
                "".join(traceback.TracebackException.from_exception(caught.value).format())
            )
            shown.append(repr(vars(caught.value)))
        shown += [repr(db), str(vars(db)), repr(db.snapshot()), repr(db.ping(0.05))]
        with pytest.raises(TypeError):
            pickle.dumps(db._stores["postgres", "default"].connector._arguments)
    assert SECRET not in "".join(shown)
