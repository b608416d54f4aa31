"""64-bit ids: one node per process, and a clock that is not trusted."""

import os

import pytest

from shared.core.testing import VirtualClock
from shared.ids import ClockMovedBack, IdsError, Snowflake


class Clock(VirtualClock):
    def __call__(self):
        return int(self.now * 1e9)


def test_ids_rise_and_fit_into_63_bits():
    ids = Snowflake(1023)
    found = [ids.next_id() for _ in range(20_000)]
    assert found == sorted(set(found))
    assert all(0 < one < 1 << 63 for one in found)
    assert {one >> 12 & 1023 for one in found} == {1023}


def test_more_than_4096_in_a_millisecond_borrow_from_the_next():
    ids = Snowflake(0, clock=Clock(1_700_000_000))
    found = [ids.next_id() for _ in range(10_000)]
    assert found == sorted(set(found))
    assert found[-1] - found[0] == (9_999 // 4096 << 22) + 9_999 % 4096


def test_a_small_step_back_is_bridged_and_a_large_one_raises():
    clock = Clock(1_700_000_000)
    ids = Snowflake(1, clock=clock)
    first = ids.next_id()
    clock.now -= 4.9
    assert ids.next_id() == first + 1
    clock.now -= 3600
    with pytest.raises(ClockMovedBack, match=r"the clock is 3.6e\+03 s behind") as caught:
        ids.next_id()
    assert caught.value.seconds == pytest.approx(3604.9)
    clock.now += 3605
    assert ids.next_id() > first + 1


@pytest.mark.parametrize("node_id", [-1, 1024, True, 1.0, "1", None])
def test_a_node_is_a_number_from_0_to_1023(node_id):
    with pytest.raises(
        (ValueError, TypeError), match="node_id must be a whole number from 0 to 1023"
    ):
        Snowflake(node_id)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_must_have_its_own_node():
    ids = Snowflake(1)
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            ids.next_id()
        except IdsError as error:
            os.write(writing, str(error).encode())
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    assert b"its own node_id" in os.read(reading, 1000)
    os.close(reading)
    os.close(writing)
    assert ids.next_id() > 0  # the parent goes on
