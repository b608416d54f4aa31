"""Errors say whose they are, and survive pickling."""

import pickle

import pytest

from shared.ids import ClockMovedBack, IdsError, InvalidId


@pytest.mark.parametrize("made", [IdsError("x"), InvalidId("x"), ClockMovedBack("x", seconds=2.5)])
def test_an_error_comes_whole_out_of_a_pickle(made):
    error = pickle.loads(pickle.dumps(made))
    assert (type(error), error.args, vars(error)) == (type(made), ("x",), vars(made))
    assert isinstance(error, IdsError)
    assert type(error).__module__ == "shared.ids"
