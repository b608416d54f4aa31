"""What a pool raises travels between processes whole."""

from __future__ import annotations

import pickle

import pytest

from shared.lifecycle import PoolClosed, PoolError, PoolNotFound, PoolTimeout


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (PoolTimeout("db", 2.5, 3, 4), TimeoutError),
        (PoolClosed("db"), PoolError),
        (PoolNotFound("db", ["cache"]), LookupError),
    ],
)
def test_errors_are_whole_after_a_pickle(error, kind):
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert isinstance(again, kind)
    assert (str(again), vars(again)) == (str(error), vars(error))
    assert type(error).__module__ == "shared.lifecycle"
