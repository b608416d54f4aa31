"""Counting without a lock loses nothing."""

import threading

from shared.observability._base.tally import Tally


def test_reading_changes_nothing():
    tally = Tally()
    assert (tally.read(), tally.read()) == (0, 0)
    tally.one()
    assert (tally.read(), tally.read()) == (1, 1)


def test_no_step_is_lost_between_threads():
    tally = Tally()
    threads = [
        threading.Thread(target=lambda: [tally.one() for _ in range(20_000)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tally.read() == 80_000
