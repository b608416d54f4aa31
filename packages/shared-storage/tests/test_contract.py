"""What every store promises, plain and asynchronous."""

import io
import pickle
import threading
from array import array
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from shared.storage import (
    InvalidJSON,
    InvalidKey,
    KeyNotFound,
    LockTimeout,
    PreconditionFailed,
    Stat,
    StorageError,
)

BAD_KEYS = [
    "",
    "/",
    "/etc/passwd",
    "a/",
    "a//b",
    ".",
    "..",
    "../a",
    "a/../b",
    "a/..",
    "a/./b",
    "./a",
    "a\0b",
    "a\nb",
    "\x7f",
    "x" * 1025,
    "é" * 513,
    "\ud800",
    ".shared",
    ".shared/locks/1",
]
GOOD_KEYS = [
    "a",
    "A",
    "a/b",
    "a/B",
    "a-b",
    "a b",
    "a.b",
    ".a",
    "..a",
    "a..",
    "a.",
    " a ",
    "...",
    "~",
    "%2e%2e",
    "a%2fb",
    "a\\..\\b",
    "C:",
    "c:\\x",
    "con",
    "CON",
    "nul.txt",
    "com1",
    "aux/lpt1",
    "é",
    "e\u0301",
    "ﬁ",
    "fi",
    "K",
    "\u212a",
    "😀/😀",
    '*?"<>|:',
    "=a",
    "+a",
    "-",
    "shared",
    ".shareds",
    "x" * 1000,
    "X" * 1000,
    "x" * 255,
    "x" * 256,
    "/".join("d" * 512),
    "ü" * 512,
    "a/" + "y" * 300 + "/b",
    "z" * 300 + "/b",
]


def test_what_is_put_is_got(driver):
    stat = driver.put("a/b", b"content")
    assert isinstance(stat, Stat)
    assert driver.get("a/b") == b"content"
    assert (stat.key, stat.size) == ("a/b", 7)
    assert stat.etag
    known = driver.stat("a/b")
    assert known._replace(modified=stat.modified) == stat
    assert abs(known.modified - stat.modified) < timedelta(minutes=1)
    assert abs(stat.modified - datetime.now(UTC)) < timedelta(minutes=5)
    assert driver.exists("a/b")
    assert not driver.exists("a")
    driver.put("a/b", b"")
    assert driver.get("a/b") == b""
    assert driver.stat("a/b").size == 0
    driver.delete("a/b")
    assert not driver.exists("a/b")


@pytest.mark.parametrize(
    "make",
    [
        lambda: bytearray(b"abc"),
        lambda: memoryview(b"xabc")[1:],
        lambda: memoryview(b"a-b-c")[::2],
        lambda: array("B", b"abc"),
        lambda: io.BytesIO(b"abc"),
        lambda: [b"a", b"", bytearray(b"bc")],
        lambda: iter([b"ab", b"c"]),
    ],
    ids=["bytearray", "view", "strided", "array", "file", "list", "iterator"],
)
def test_every_form_of_data(driver, make):
    assert driver.put("k", make()).size == 3
    assert driver.get("k") == b"abc"


@pytest.mark.parametrize("data", ["text", 5, None, ["text"], io.StringIO("text"), [1], object()])
def test_what_is_not_bytes_is_refused_and_nothing_is_lost(driver, data):
    driver.put("k", b"old")
    with pytest.raises(TypeError, match="must be"):
        driver.put("k", data)
    assert driver.get("k") == b"old"
    assert driver.keys() == ["k"]


def test_a_missing_key(driver):
    for call in (
        lambda: driver.get("no"),
        lambda: driver.stat("no"),
        lambda: driver.get_range("no", 0, 1),
        lambda: driver.open("no"),
        lambda: driver.delete("no"),
        lambda: driver.copy("no", "x"),
        lambda: driver.move("no", "x"),
        lambda: driver.get_json("no"),
    ):
        with pytest.raises(KeyNotFound, match="'no'") as caught:
            call()
        assert isinstance(caught.value, KeyError)
        assert isinstance(caught.value, StorageError)
        assert caught.value.key == "no"
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    driver.delete("no", missing_ok=True)
    assert driver.keys() == []


@pytest.mark.parametrize("key", BAD_KEYS)
def test_what_is_no_key(driver, key):
    driver.put("good", b"")
    for call in (
        lambda: driver.put(key, b"x"),
        lambda: driver.put(key, [b"x"]),
        lambda: driver.get(key),
        lambda: driver.stat(key),
        lambda: driver.exists(key),
        lambda: driver.delete(key),
        lambda: driver.get_range(key, 0, 1),
        lambda: driver.open(key),
        lambda: driver.copy("good", key),
        lambda: driver.copy(key, "good"),
        lambda: driver.move("good", key),
        lambda: driver.url(key),
        lambda: driver.store.lock(key),
    ):
        with pytest.raises(InvalidKey, match="must be") as caught:
            call()
        assert isinstance(caught.value, ValueError)
    assert driver.keys() == ["good"]


@pytest.mark.parametrize("key", [None, 5, b"a", ["a"], {}])
def test_what_is_no_text_is_no_key(driver, key):
    with pytest.raises(TypeError, match="key must be a string"):
        driver.get(key)
    with pytest.raises(TypeError, match="key must be a string"):
        driver.put(key, b"")


def test_every_other_text_is_a_key_of_its_own_in_order(driver):
    for key in GOOD_KEYS:
        driver.put(key, key.encode())
    for key in GOOD_KEYS:
        assert driver.get(key) == key.encode()
    expected = sorted(GOOD_KEYS, key=str.encode)
    assert driver.keys() == expected
    for prefix in ("a", "a/", "a.", "x", "d/d/d", "e", "z" * 290, "a/y", "😀/"):
        assert driver.keys(prefix) == [key for key in expected if key.startswith(prefix)]
    for after in ("", "a", "a/", "a/b", "a/y", "d/d/e", "x" * 500, "zz"):
        assert driver.keys(after=after) == [key for key in expected if key > after]
    for key in GOOD_KEYS[::2]:
        driver.delete(key)
    assert driver.keys() == [key for key in expected if key in GOOD_KEYS[1::2]]


def test_a_listing_in_pages(driver):
    keys = sorted(f"{a}/{b}" for a in "abc" for b in range(5))
    for key in reversed(keys):
        driver.put(key, b"")
    found = []
    while page := driver.keys(after=found[-1] if found else "", limit=4):
        assert len(page) <= 4
        found += page
    assert found == keys
    assert driver.keys("b", after="b/3", limit=9) == ["b/4"]
    assert driver.keys(limit=0) == []
    assert driver.keys("nothing") == []
    for options in ({"limit": -1}, {"prefix": "../"}, {"prefix": "/"}, {"prefix": "a\0"}):
        with pytest.raises(ValueError, match="must be"):
            driver.list(**options)


def test_a_listing_while_others_write(store):
    keys = [f"k/{number:03}" for number in range(120)]
    for key in keys:
        store.put(key, b"")
    found = []
    for number, stat in enumerate(store.list("k/")):
        found.append(stat.key)
        store.delete(stat.key, missing_ok=True)
        store.put(f"a/{number}", b"")
        if number < 40:
            store.delete(keys[-1 - number])
    assert found == sorted(set(found))
    assert found[:80] == keys[:80]  # those that were there all the time; others may be
    assert [stat.key for stat in store.list("k/")] == []


def test_if_absent(driver):
    driver.put("k", b"1", if_absent=True)
    with pytest.raises(PreconditionFailed, match="exists already"):
        driver.put("k", b"2", if_absent=True)
    with pytest.raises(PreconditionFailed):
        driver.put("k", [b"2"], if_absent=True)
    assert driver.get("k") == b"1"
    driver.delete("k")
    driver.put("k", [b"3"], if_absent=True)
    assert driver.get("k") == b"3"


def test_if_match(driver):
    first = driver.put("k", b"1")
    second = driver.put("k", b"2", if_match=first.etag)
    assert second.etag != first.etag
    with pytest.raises(PreconditionFailed):
        driver.put("k", b"3", if_match=first.etag)
    with pytest.raises(PreconditionFailed):
        driver.put("none", b"3", if_match=first.etag)
    assert driver.get("k") == b"2"
    driver.put("k", [b"4"], if_match=second.etag)
    assert driver.get("k") == b"4"
    assert not driver.exists("none")
    with pytest.raises(ValueError, match="exclude"):
        driver.put("k", b"", if_match=second.etag, if_absent=True)
    with pytest.raises(TypeError, match="if_match must be"):
        driver.put("k", b"", if_match=5)


def test_one_winner_among_threads(store):
    barrier = threading.Barrier(8)

    def create(number):
        barrier.wait()
        try:
            store.put("k", str(number).encode(), if_absent=True)
        except PreconditionFailed:
            return None
        return number

    with ThreadPoolExecutor(8) as pool:
        winners = [one for one in pool.map(create, range(8)) if one is not None]
    assert len(winners) == 1
    assert store.get("k") == str(winners[0]).encode()


def test_threads_that_compare_and_swap_lose_nothing(store):
    store.put("n", b"0")

    def add(_):
        for _ in range(20):
            while True:
                stat = store.stat("n")
                value = int(store.get("n"))
                try:
                    store.put("n", str(value + 1).encode(), if_match=stat.etag)
                    break
                except PreconditionFailed:
                    pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(4)))
    assert store.get("n") == b"80"


def test_ranges_are_exact(driver):
    content = bytes(range(256)) * 300
    driver.put("k", content)
    for start, end in [(0, 1), (0, 0), (255, 257), (70_000, 70_001), (5, None), (76_799, None), (76_800, None), (100_000, 100_005), (76_000, 10**12), (7, 7)]:  # fmt: skip
        assert driver.get_range("k", start, end) == content[start:end]
    for start, end in [(-1, 1), (2, 1), (0, -1)]:
        with pytest.raises(ValueError, match="must be"):
            driver.get_range("k", start, end)
    odd: list[tuple[object, object]] = [("0", 1), (True, 2), (0, 1.5), (None, 1)]
    for one, other in odd:
        with pytest.raises((TypeError, ValueError), match="must be"):
            driver.get_range("k", one, other)
    driver.put("empty", b"")
    assert driver.get_range("empty", 0, 10) == b""


def test_copy_and_move(driver):
    first = driver.put("a", b"content", metadata={"content-type": "text/plain"})
    copied = driver.copy("a", "b/c")
    assert (copied.key, copied.size) == ("b/c", 7)
    assert driver.stat("b/c").metadata == {"content-type": "text/plain"}
    moved = driver.move("a", "long" * 100)
    assert moved.key == "long" * 100
    assert driver.keys() == ["b/c", "long" * 100]
    driver.move("long" * 100, "d")
    assert driver.get("d") == b"content"
    assert driver.stat("d").metadata == {"content-type": "text/plain"}
    with pytest.raises(PreconditionFailed):
        driver.move("d", "b/c", if_absent=True)
    with pytest.raises(PreconditionFailed):
        driver.copy("d", "b/c", if_absent=True)
    assert driver.keys() == ["b/c", "d"]
    assert driver.move("d", "d").key == driver.copy("d", "d").key == "d"
    driver.put("other", b"x")
    driver.move("other", "d")
    assert driver.get("d") == b"x"
    assert driver.keys() == ["b/c", "d"]
    assert first.size == 7


def test_metadata(driver):
    metadata = {"content-type": "text/csv", "source": "Zürich 100%", "n": "5", "space": " a  b "}
    assert driver.put("k", b"", metadata=metadata).metadata == metadata
    found = driver.stat("k").metadata
    assert found == metadata
    found["more"] = "x"
    assert driver.stat("k").metadata == metadata
    driver.put("k", b"")
    assert driver.stat("k").metadata == {}


@pytest.mark.parametrize(
    "metadata",
    [{"A": "x"}, {"": "x"}, {"a_b": "x"}, {"a": "x\r\ny: z"}, {"a": "x" * 3000}, {"a": "\0"}],
)
def test_metadata_that_no_header_can_hold(driver, metadata):
    with pytest.raises(ValueError, match="must be"):
        driver.put("k", b"", metadata=metadata)
    assert not driver.exists("k")


@pytest.mark.parametrize("metadata", [{"a": 5}, {5: "a"}, "a", ["a"]])
def test_metadata_that_is_not_text(driver, metadata):
    with pytest.raises(TypeError, match="metadata must be"):
        driver.put("k", b"", metadata=metadata)


def test_an_open_object_is_a_file(store):
    content = b"".join(b"line %d\n" % number for number in range(100_000))
    store.put("k", content)
    with store.open("k") as stream:
        assert stream.read(10) == content[:10]
        assert stream.readline() == content[10 : content.index(b"\n", 10) + 1]
        assert stream.read() == content[content.index(b"\n", 10) + 1 :]
        assert stream.read() == b""
        assert stream.seek(-6, 2) == len(content) - 6
        assert stream.read() == content[-6:]
        assert stream.seek(5) == stream.tell() == 5
        assert stream.read(5) == content[5:10]
        assert stream.seek(10**9) == 10**9
        assert stream.read(5) == b""
        with pytest.raises(ValueError, match=r"negative|invalid"):
            stream.seek(-1)
    with pytest.raises(ValueError, match="closed"):
        stream.read(1)
    store.put("empty", b"")
    with store.open("empty") as stream:
        assert list(stream) == []


def test_what_is_open_stays_what_it_was(store, kind):
    content = bytes(range(256)) * 20_000
    store.put("k", content)
    with store.open("k") as stream:
        start = stream.read(10)
        store.put("k", b"new" * 2_000_000)
        if kind == "object":  # the server keeps one version: the other is never mixed into it
            with pytest.raises(PreconditionFailed):
                stream.seek(10) + len(stream.read()) + stream.seek(0) + len(stream.read())
        else:
            assert start + stream.read() == content
            store.delete("k")
            assert stream.seek(3) == 3
            assert stream.read(2) == content[3:5]


async def test_an_open_object_in_a_task(store):
    content = bytes(range(256)) * 10_000
    await store.aput("k", content)
    async with store.aopen("k") as stream:
        assert await stream.read(3) == content[:3]
        assert b"".join([piece async for piece in stream]) == content[3:]
        assert await stream.read() == b""
        assert await stream.seek(7) == stream.tell() == 7
        assert await stream.read(2) == content[7:9]
    stream = await store.aopen("k")
    async with stream:
        assert await stream.read() == content
    with pytest.raises(KeyNotFound):
        async with store.aopen("none"):
            pass


def test_a_stream_that_fails_leaves_the_old_object_and_nothing_else(driver):
    driver.put("k", b"old")

    def stream():
        yield b"x" * 3_000_000
        raise RuntimeError("the source is gone")

    with pytest.raises(RuntimeError, match="the source is gone"):
        driver.put("k", stream())
    assert driver.get("k") == b"old"
    assert driver.keys() == ["k"]


async def test_an_asynchronous_stream(store):
    async def stream(count, fail=False):
        for number in range(count):
            yield b"%d," % number
        if fail:
            raise RuntimeError("the source is gone")

    await store.aput("k", stream(100))
    assert await store.aget("k") == b"".join(b"%d," % number for number in range(100))
    with pytest.raises(RuntimeError, match="the source is gone"):
        await store.aput("k", stream(5, fail=True))
    with pytest.raises(TypeError, match="must be bytes"):
        await store.aput("k", _texts())
    with pytest.raises(TypeError, match="await aput"):
        store.put("k", stream(3))
    assert len(await store.aget("k")) == 290


async def _texts():
    yield "text"


def test_json(driver):
    value = {"name": "Zürich", "list": [1, 2.5, None, True], "nested": {"a": {}}}
    driver.put_json("k", value)
    assert driver.get_json("k") == value
    assert driver.get_json("k", dict) == value
    assert "Zürich".encode() in driver.get("k")
    stat = driver.stat("k")
    driver.put_json("k", [1], if_match=stat.etag, metadata={"a": "b"})
    with pytest.raises(PreconditionFailed):
        driver.put_json("k", [2], if_match=stat.etag)
    with pytest.raises(PreconditionFailed):
        driver.put_json("k", [2], if_absent=True)
    with pytest.raises(TypeError, match="JSON for dict"):
        driver.get_json("k", dict)
    with pytest.raises(TypeError, match="serializable"):
        driver.put_json("k", object())
    with pytest.raises(InvalidJSON, match=r"^k: "):
        driver.put_json("k", [float("nan")])
    assert driver.get_json("k") == [1]
    driver.put("k", b'{\n  "a": oops}')
    with pytest.raises(InvalidJSON, match=r"^k, line 2, column 8: Expecting value"):
        driver.get_json("k")
    driver.put_json("k", {1, 2}, dumps=lambda value: ",".join(map(str, sorted(value))))
    assert driver.get_json("k", loads=lambda data: data.split(b",")) == [b"1", b"2"]


def test_the_lock_of_a_key_excludes_threads(store):
    inside, most = [], []

    def work(number):
        for _ in range(5):
            with store.lock("k", timeout=60):
                inside.append(number)
                most.append(len(inside))
                inside.remove(number)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert max(most) == 1
    assert len(most) == 30


async def test_the_lock_of_a_key_excludes_tasks_and_threads(store):
    import asyncio

    inside, most = [], []

    async def work(number):
        for _ in range(3):
            async with store.alock("k", timeout=60):
                inside.append(number)
                most.append(len(inside))
                await asyncio.sleep(0)
                inside.remove(number)

    await asyncio.gather(*(work(number) for number in range(4)))
    assert max(most) == 1
    assert len(most) == 12
    lock = store.lock("k")
    async with lock:
        with pytest.raises(LockTimeout, match="'k' was not free in 0 s"):
            async with store.lock("k", timeout=0):
                pass
        with pytest.raises(RuntimeError, match="held already"):
            await lock.aacquire()
        async with store.lock("other", timeout=0):
            pass
    with pytest.raises(RuntimeError, match="not held"):
        lock.release()


def test_a_lock_does_not_show_among_the_objects(store):
    with store.lock("k"):
        assert [stat.key for stat in store.list()] == []
        store.put("k", b"")
    assert [stat.key for stat in store.list()] == ["k"]


def test_watch_sees_what_changes(store):
    store.put("in/old", b"1")
    store.put("in/gone", b"1")
    with store.watch("in/", interval=0.01) as events:
        store.put("in/new", b"1")
        store.put("out/new", b"1")
        store.put("in/old", b"2")
        store.delete("in/gone")
        seen = {next(events) for _ in range(3)}
        assert seen == {("created", "in/new"), ("changed", "in/old"), ("deleted", "in/gone")}
        threading.Timer(0.05, events.close).start()
        assert list(events) == []


async def test_watch_in_a_task(store):
    import asyncio

    async with store.awatch("in/", interval=0.01) as events:
        waiting = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        await store.aput("in/a", b"1")
        event = await waiting
        assert (event.kind, event.key) == ("created", "in/a")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(events), 0.02)
        await store.adelete("in/a")
        assert (await anext(events)).kind == "deleted"
    assert [event async for event in events] == []


def test_a_closed_store_opens_again(driver):
    driver.put("k", b"1")
    driver.store.close()
    if driver.colour == "async":
        driver.loop.run_until_complete(driver.store.aclose())
    driver.put("l", b"2")
    assert driver.get("l") == b"2"
