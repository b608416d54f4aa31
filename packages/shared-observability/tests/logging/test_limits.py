"""every and sample: which lines pass, and how many were left out."""

import threading

import pytest

from shared.observability import (
    capture_logs,
    every,
    get_logger,
    sample,
)


def test_every_counts_by_place_and_key():
    now = 0.0
    log = get_logger("x")

    def tick(key=None):
        if every(10, key=key, clock=lambda: now):
            log.info("tick", key=key)
            log.info("next")

    with capture_logs() as logs:
        for moment in [0, 1, 2, 9.9, 10, 11, 25]:
            now = moment
            tick()
        tick("other")
    shown = [line for line in logs if line["message"] == "tick"]
    assert [line.get("suppressed") for line in shown] == [None, 3, 1, None]
    assert all("suppressed" not in line for line in logs if line["message"] == "next")


def test_sample_counts_what_it_leaves_out():
    draws = iter([0.9, 0.5, 0.05, 0.05, 0.5, 0.0])
    with capture_logs() as logs:
        for _ in range(6):
            if sample(0.1, draw=lambda: next(draws)):
                get_logger("x").info("m")
    assert [line.get("suppressed") for line in logs] == [2, None, 1]


def test_every_under_threads_lets_one_through():
    hits = []

    def race():
        for _ in range(200):
            if every(1000, clock=lambda: 0.0):
                hits.append(1)

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(hits) == 1


@pytest.mark.parametrize(
    ("bad", "kind"),
    [(-1, ValueError), (float("nan"), ValueError), (True, TypeError), ("1", TypeError)],
)
def test_bad_limits_are_named(bad, kind):
    with pytest.raises(kind, match="seconds must be a number above 0"):
        every(bad)
    with pytest.raises(kind, match="p must be"):
        sample(bad)


def test_no_time_between_two_lines_is_refused():
    with pytest.raises(ValueError, match="seconds must be a number above 0, not 0"):
        every(0)
