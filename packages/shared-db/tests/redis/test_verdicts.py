"""One table says what becomes of a call to Redis that failed."""

import pytest
from redis import exceptions as errors

from shared.db import OutcomeUnknown, PoolExhausted, Unavailable
from shared.db._rules.redis_verdicts import (
    NoneFree,
    Refused,
    Unsent,
    Verdict,
    failure,
    verdict,
)

AGAIN, MOVED, RAISE, UNKNOWN, WAIT = (
    Verdict.AGAIN,
    Verdict.MOVED,
    Verdict.RAISE,
    Verdict.UNKNOWN,
    Verdict.WAIT,
)


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (Unsent("away"), Verdict.UNAVAILABLE),
        (Refused("no"), Verdict.UNAVAILABLE),
        (NoneFree("none"), Verdict.EXHAUSTED),
        (errors.MaxConnectionsError("full"), Verdict.EXHAUSTED),
        (errors.BusyLoadingError("loading"), WAIT),
        (errors.ReadOnlyError("replica"), MOVED),
        (errors.AuthenticationError("who?"), Verdict.REFUSED),
        (errors.ConnectionError("lost"), UNKNOWN),
        (errors.ConnectionError("No connection available."), UNKNOWN),  # its text decides nothing
        (errors.TimeoutError("late"), UNKNOWN),
        (errors.ResponseError("wrong type"), RAISE),
        (ValueError("I/O operation on closed file"), RAISE),
    ],
)
def test_a_command_that_counts(error, found):
    assert verdict(error, repeatable=False, single=True, closed=False) is found


@pytest.mark.parametrize("error", [errors.ConnectionError("lost"), errors.TimeoutError("late")])
def test_what_reads_is_asked_again(error):
    assert verdict(error, repeatable=True, single=True, closed=False) is AGAIN


@pytest.mark.parametrize(
    ("error", "repeatable", "found"),
    [
        (errors.BusyLoadingError("loading"), False, UNKNOWN),
        (errors.BusyLoadingError("loading"), True, AGAIN),
        (errors.ReadOnlyError("replica"), True, RAISE),
        (NoneFree("none"), True, Verdict.EXHAUSTED),
    ],
)
def test_of_a_pipeline_some_commands_may_have_run(error, repeatable, found):
    assert verdict(error, repeatable=repeatable, single=False, closed=False) is found


@pytest.mark.parametrize("error", [ValueError("closed"), OSError("bad file"), AttributeError()])
def test_a_socket_closed_under_a_call_loses_its_answer(error):
    assert verdict(error, repeatable=True, single=True, closed=True) is UNKNOWN


@pytest.mark.parametrize(
    ("found", "error", "kind", "text"),
    [
        (Verdict.UNAVAILABLE, Unsent("h:1 is away"), Unavailable, "Redis at h:1 is away"),
        (WAIT, errors.BusyLoadingError("loading"), Unavailable, "Redis is not ready: loading"),
        (Verdict.REFUSED, errors.AuthenticationError("who?"), Unavailable, "refuses: who?"),
        (UNKNOWN, errors.ConnectionError("lost"), OutcomeUnknown, "to INCR was lost: lost"),
        (Verdict.EXHAUSTED, NoneFree("none"), PoolExhausted, "in 0.5 s: 4 in use"),
    ],
)
def test_what_the_caller_sees(found, error, kind, text):
    made = failure(found, error, "INCR", (0.5, 4))
    assert type(made) is kind
    assert text in str(made)


def test_a_refusal_lasts():
    assert failure(Verdict.UNAVAILABLE, Refused("h:1 refuses"), "GET", (1.0, 1)).lasting  # type: ignore[attr-defined]
