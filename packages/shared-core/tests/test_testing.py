"""Virtual time."""

import pytest

from shared.core.testing import VirtualClock


def test_the_clock_moves_when_told():
    clock = VirtualClock(5)
    clock.advance(2)
    clock.sleep(0.5)
    assert clock() == clock.now == 7.5
    clock.now -= 7
    assert clock() == 0.5
    with pytest.raises(ValueError, match="seconds must be a finite number of at least 0, not -1"):
        clock.advance(-1)
