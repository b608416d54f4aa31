"""Objects that end by themselves, in memory and in files."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from shared.storage import KeyNotFound


@pytest.fixture(params=["memory", "file"])
def store(request, make_store, clock):
    return make_store(request.param, clock=clock)


def test_an_object_ends_with_its_time(store, clock):
    stat = store.put("k", b"1", ttl=10)
    store.put("stays", b"2")
    store.put("later", b"2", ttl=timedelta(minutes=1))
    assert stat.expires == datetime.fromtimestamp(clock.now + 10, UTC)
    assert store.stat("k").expires == stat.expires
    clock.advance(9.5)
    assert store.get("k") == b"1"
    clock.advance(0.5)
    for call in (store.get, store.stat, store.open, store.delete, lambda key: store.copy(key, "x")):
        with pytest.raises(KeyNotFound):
            call("k")
    assert not store.exists("k")
    assert [stat.key for stat in store.list()] == ["later", "stays"]


def test_what_has_ended_is_absent(store, clock):
    old = store.put("k", b"1", ttl=10)
    clock.advance(11)
    with pytest.raises(Exception, match="does not exist"):
        store.put("k", b"2", if_match=old.etag)
    store.put("k", b"2", if_absent=True)
    clock.advance(1000)
    assert store.get("k") == b"2"


def test_a_copy_ends_with_its_source(store, clock):
    store.put("k", b"1", ttl=10)
    store.copy("k", "copy")
    store.move("k", "moved")
    clock.advance(10)
    assert [stat.key for stat in store.list()] == []


def test_a_new_put_ends_the_old_time(store, clock):
    store.put("k", b"1", ttl=10)
    store.put("k", b"2")
    clock.advance(100)
    assert store.get("k") == b"2"
    assert store.stat("k").expires is None


@pytest.mark.parametrize("ttl", [0, -1, math.nan])
def test_a_time_that_is_none(store, ttl):
    with pytest.raises(ValueError, match="ttl must be"):
        store.put("k", b"", ttl=ttl)


def test_no_end(store, clock):
    assert store.put("k", b"", ttl=math.inf).expires is None
    assert store.put("k", b"", ttl=1e300).expires is None
    with pytest.raises(TypeError, match="ttl must be"):
        store.put("k", b"", ttl="10")


def test_what_has_ended_takes_no_room(make_store, clock, tmp_path):
    memory = make_store("memory", clock=clock)
    for number in range(1000):
        memory.put(f"{number}", b"x", ttl=1)
        memory.put("same", b"x", ttl=1000 + number)
    clock.advance(5)
    memory.put("new", b"")
    assert len(memory._entries) == 2
    assert len(memory._ending) <= 2 * 1002 + 64
    files = make_store("file", clock=clock)
    for number in range(20):
        files.put(f"d/{number}", b"x", ttl=1)
    clock.advance(5)
    files.sweep()
    assert [path.name for path in (tmp_path / "store").iterdir()] == [".shared"]
