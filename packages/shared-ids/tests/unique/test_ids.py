"""Ids: their order is the order of their making, in threads, processes and with any clock."""

import multiprocessing
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.testing import VirtualClock
from shared.ids import (
    InvalidId,
    generate_correlation_id,
    generate_id,
    generate_ulid,
    generate_uuid7,
    parse_id,
)
from shared.ids._base.crockford import encode
from shared.ids._unique.ticks import HIGH, Ticks

PREFIXES = st.from_regex(r"[A-Za-z0-9](?:[A-Za-z0-9_]{0,61}[A-Za-z0-9])?", fullmatch=True)


@given(PREFIXES)
def test_the_prefix_comes_back(prefix):
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    parsed = parse_id(generate_id(prefix))
    assert parsed.prefix == prefix
    assert parsed.uuid.version == 7
    assert parsed.uuid.variant == "specified in RFC 4122"
    assert parsed.time >= before
    assert parse_id(generate_id(f"{prefix}_"), prefix).prefix == prefix  # as old code writes it


@pytest.mark.parametrize(
    "prefix", ["_", "__", "_a", "a__", "a-b", "ä", "a b", "x" * 64, "a\n", "../a"]
)
def test_prefixes_that_are_refused(prefix):
    with pytest.raises(ValueError, match="prefix must be at most 63 letters, digits and inner"):
        generate_id(prefix)


def test_a_prefix_is_a_string():
    with pytest.raises(TypeError, match="prefix must be a string, not 7"):
        generate_id(7)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "foreign",
    ["", "user", "user_", "user_42", "8f7d1a2b3c4d", "user_" + "0" * 26, "a__" + "0" * 26,
     "user_01M8HS57N7EVMV00WWP1ASR6RD", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "user_" + "z" * 26,
     "user_01m8hs57n7evmv00wwp1asr6rl", "user_01m8hs57n7evmv00wwp1asr6r", "x" * 10**6,
     "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "ä_01m8hs57n7evmv00wwp1asr6rd"],
)  # fmt: skip
def test_a_foreign_id_is_a_typed_error(foreign):
    with pytest.raises(InvalidId) as caught:
        parse_id(foreign)
    assert isinstance(caught.value, ValueError)
    assert len(str(caught.value)) < 250


def test_another_prefix_is_an_error():
    with pytest.raises(InvalidId, match="id must have the prefix 'order', not 'user_"):
        parse_id(generate_id("user"), "order")


@given(st.integers(0, (1 << 128) - 1))
def test_the_text_of_every_number_is_read_back(number):
    version7 = number & ~(15 << 76 | 3 << 62) | 7 << 76 | 2 << 62
    late = version7 >> 80 > 253_402_300_799_999  # after the year 9999
    text = encode(version7, 26)
    if late:
        with pytest.raises(InvalidId, match="before the year 10000"):
            parse_id(text)
    else:
        assert parse_id(text).uuid.int == version7


@given(st.lists(st.integers(0, (1 << 128) - 1), min_size=2, max_size=2))
def test_texts_sort_as_the_numbers_do(numbers):
    low, high = sorted(numbers)
    assert encode(low, 26) <= encode(high, 26)


@pytest.mark.parametrize(
    "make", [generate_id, generate_uuid7, generate_ulid, generate_correlation_id]
)
def test_each_is_greater_than_the_one_before(make):
    found = [make() for _ in range(20_000)]
    assert found == sorted(found)
    assert len(set(found)) == len(found)


class Clock(VirtualClock):
    def __call__(self):
        return int(self.now * 1e9)


@pytest.mark.parametrize("steps", [[0, 0, 0], [1, -3600, 0.0001], [-1e9, 5, -5, 1e9], [0.001] * 5])
def test_no_clock_breaks_the_order(steps):
    clock = Clock(1_700_000_000)
    ticks = Ticks(clock)
    found = []
    for step in steps:
        clock.now += step
        found += [ticks.next() for _ in range(3000)]
    assert found == sorted(found)
    assert len(set(found)) == len(found)


def test_a_counter_that_is_full_goes_on_in_the_next_millisecond():
    ticks = Ticks(Clock(1_700_000_000))
    (millisecond, _), _ = ticks.next()
    ticks._block = (millisecond, (1 << HIGH) - 1)
    ticks._low = 1022
    found = [ticks.next() for _ in range(4)]
    assert found == sorted(found)
    assert [block[0] - millisecond for block, _ in found] == [0, 1, 1, 1]


def test_threads_share_one_order():
    seen = [[] for _ in range(8)]

    def work(mine):
        for _ in range(5_000):
            mine.append(generate_id())

    threads = [threading.Thread(target=work, args=(mine,)) for mine in seen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(mine == sorted(mine) for mine in seen)
    assert len(set().union(*seen)) == 40_000


def _forked(count, queue):
    found = [generate_id() for _ in range(count)]
    rising = found == sorted(found)
    queue.put((rising, "".join(found).encode()))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_eight_forked_processes_make_no_id_twice():
    # 400,000 here; benchmarks/many.py makes the 1e7 of the promise.
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    generate_id()  # the parent's state is what they all begin with
    workers = [context.Process(target=_forked, args=(50_000, queue)) for _ in range(8)]
    for worker in workers:
        worker.start()
    results = [queue.get(timeout=100) for _ in workers]
    for worker in workers:
        worker.join()
    assert all(rising for rising, _ in results)
    found = [data[at : at + 26] for _, data in results for at in range(0, len(data), 26)]
    assert len(set(found)) == 400_000


def test_importing_and_making_an_id_loads_nothing_heavy():
    code = (
        "import sys, shared.ids\nshared.ids.generate_id('user')\n"
        "print({'uuid', 'datetime', 'secrets', 'hashlib', 'slugify', 'regex', 'dataclasses'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-Ic", code], capture_output=True, text=True, check=True)
    assert run.stdout in {"set()\n", "{'hashlib'}\n"}  # random imports it on some Pythons
