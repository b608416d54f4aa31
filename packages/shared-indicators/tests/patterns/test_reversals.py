"""Reversals and pivots on constructed charts."""

import itertools

import numpy as np
import pytest

from shared import indicators as own

PATTERNS = own.available_patterns()


def flip(bars):
    first, high, low, close = bars
    return np.array([200 - first, 200 - low, 200 - high, 200 - close])


def path(*turns, step=6):
    """Bars along straight lines from turn to turn."""
    close = np.concatenate(
        [np.linspace(a, b, step, endpoint=False) for a, b in itertools.pairwise(turns)]
    )
    return close, close + 0.1, close - 0.1, close


@pytest.mark.parametrize("name", ["DoubleTop", "DoubleBottom"])
def test_two_tops_are_known_when_the_valley_breaks(name):
    bars = path(90, 100, 95, 99.8, 90, 89)
    if name == "DoubleBottom":
        bars = flip(np.array(bars))
    found = PATTERNS[name]().find(*bars)
    assert found.start.tolist() == [6]
    assert found.position.tolist() == [18]
    # From 99.8 to 90 in six bars: the fourth is below 94.9, the low of the valley.
    assert found.known.tolist() == [22]
    assert found.direction.tolist() == [-1 if name == "DoubleTop" else 1]
    assert found.confidence[0] == pytest.approx(1 - 0.2 / 5.1, abs=0.01)


def test_no_double_top_where_a_higher_high_comes_first_or_nothing_breaks():
    assert len(own.DoubleTop().find(*path(90, 100, 95, 99.8, 97, 103, 90)).known) == 0
    assert len(own.DoubleTop().find(*path(90, 100, 95, 99.8, 96, 97)).known) == 0
    assert len(own.DoubleTop().find(*path(90, 100, 95, 97, 90)).known) == 0


@pytest.mark.parametrize("name", ["HeadAndShoulders", "InverseHeadAndShoulders"])
def test_a_head_between_shoulders_is_known_when_the_neckline_breaks(name):
    bars = path(90, 100, 95, 105, 95, 100, 90, 88)
    if name == "InverseHeadAndShoulders":
        bars = flip(np.array(bars))
    found = PATTERNS[name]().find(*bars)
    assert found.start.tolist() == [6]
    assert found.position.tolist() == [18]
    assert found.known.tolist() == [34]
    assert found.direction.tolist() == [-1 if name == "HeadAndShoulders" else 1]
    assert found.confidence[0] == pytest.approx(1)


def test_pivots_are_known_later():
    found = own.SwingPivots(2, 4).find(*path(1, 5, 2, 6, 1))
    assert found.position.tolist() == [6, 12, 18]
    assert (found.known - found.position).tolist() == [4, 4, 4]
    assert found.direction.tolist() == [-1, 1, -1]
