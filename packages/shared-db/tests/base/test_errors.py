"""Errors, as they travel."""

import pickle

from shared.db import (
    DatabaseError,
    DriverMissing,
    NotConfigured,
    OutcomeUnknown,
    PoolExhausted,
    Unavailable,
)


def test_errors_survive_pickling():
    for error in (
        NotConfigured("X_HOST"),
        DriverMissing("redis", "redis"),
        Unavailable("away", store="redis", lasting=True),
        OutcomeUnknown("lost", store="redis"),
        PoolExhausted("default", 1.0, 4, ["a:1"]),
    ):
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))
        assert isinstance(again, DatabaseError)
