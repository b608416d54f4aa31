"""Random tokens, and the time as text."""

import collections
import datetime as dt

import pytest

from shared.ids import (
    generate_correlation_id,
    generate_session_id,
    generate_short_id,
    generate_timestamp,
)


def test_short_ids():
    assert len({generate_short_id() for _ in range(10_000)}) == 10_000
    assert set(generate_short_id(500, "ab")) == {"a", "b"}
    assert len(generate_short_id(1)) == 1
    assert set(generate_short_id(1000, "äöü")) == set("äöü")
    every = "".join(map(chr, range(256)))
    assert set("".join(generate_short_id(1024, every) for _ in range(10))) == set(every)


def test_every_character_is_equally_likely():
    counts = collections.Counter("".join(generate_short_id(1024, "abcdefg") for _ in range(70)))
    # 71,680 draws, 10,240 of each character with a deviation of 94: 7 of them are 660.
    assert all(abs(count - 10_240) < 660 for count in counts.values())
    assert len(counts) == 7


@pytest.mark.parametrize(
    ("length", "alphabet"),
    [(0, "ab"), (1025, "ab"), (4, "a"), (4, ""), (4, "aab"), (4, "".join(map(chr, range(257))))],
)
def test_short_ids_that_are_refused(length, alphabet):
    with pytest.raises(ValueError, match=r"(length|alphabet) must be"):
        generate_short_id(length, alphabet)


def test_session_ids_are_long_and_safe_in_urls():
    assert len(generate_session_id()) == 43
    assert len({generate_session_id(16) for _ in range(1000)}) == 1000
    assert set(generate_session_id(1024)) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    )
    with pytest.raises(ValueError, match="bytes must be a whole number from 16 to 1024, not 8"):
        generate_session_id(8)


def test_correlation_ids_are_trace_ids():
    found = generate_correlation_id()
    assert len(found) == 32
    assert int(found, 16) > 0
    assert found == found.lower()


def test_timestamps_are_iso_8601_in_utc():
    before = dt.datetime.now(dt.UTC)
    found = dt.datetime.fromisoformat(generate_timestamp())
    assert before <= found <= dt.datetime.now(dt.UTC)
    assert found.utcoffset() == dt.timedelta(0)
