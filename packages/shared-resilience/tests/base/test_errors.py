"""Errors travel between processes."""

import pickle

import pytest

from shared.resilience import (
    BulkheadFullError,
    CircuitOpenError,
    RateLimitedError,
)


@pytest.mark.parametrize(
    "error",
    [
        BulkheadFullError("full", name="b"),
        RateLimitedError("fast", name="r", retry_after=1.5),
        CircuitOpenError("open", name="c", last_exception=ValueError("v")),
        CircuitOpenError("open", last_exception=type("Local", (Exception,), {})("unpicklable")),
    ],
)
def test_errors_travel(error):
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert (str(copy), copy.name, copy.retry_after) == (str(error), error.name, error.retry_after)
    if isinstance(error, CircuitOpenError):
        assert str(error.last_exception) in str(copy.last_exception)
