"""What only a server can do to us: other writers, lost answers, its end."""

import os
import socket
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import obstore
import pytest

from shared.storage import (
    ChecksumMismatch,
    LockLost,
    LockTimeout,
    NotSupported,
    ObjectStore,
    PreconditionFailed,
    StoreUnavailable,
)


@pytest.fixture
def store(s3):
    with s3.store() as store:
        yield store


def test_what_others_wrote_is_read(store, s3):
    obstore.put(store._store, "theirs", b"plain", attributes={"Content-Type": "text/plain"})
    assert store.get("theirs") == b"plain"
    assert store.stat("theirs").metadata == {"content-type": "text/plain"}
    with store.open("theirs") as stream:
        assert stream.read() == b"plain"


def test_others_read_what_we_wrote(store, s3):
    store.put("k", b"a,b", metadata={"content-type": "text/csv", "owner": "Zoë"})
    with urllib.request.urlopen(store.url("k", expires=60)) as answer:
        assert answer.read() == b"a,b"
        assert answer.headers["content-type"].startswith("text/csv")
        assert answer.headers["x-amz-meta-owner"] == "Zo%C3%AB"
    assert f"{s3.server.url}/{s3.name}/pre/fix/k" in store.url("k")


def test_other_content_under_our_checksum_is_found(store):
    store.put("k", b"right")
    attributes = obstore.get(store._store, "k").attributes
    obstore.put(store._store, "k", b"wrong", attributes=attributes)
    with pytest.raises(ChecksumMismatch):
        store.get("k")
    with pytest.raises(ChecksumMismatch), store.open("k") as stream:
        stream.read()


def test_urls_end(store):
    for expires in (0, -1, 604_801, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="expires must be"):
            store.url("k", expires=expires)
    with pytest.raises(NotSupported, match="no URLs"):
        ObjectStore("memory:///").url("k")


def test_long_streams_go_up_in_parts_and_broken_ones_leave_nothing(store, s3):
    piece = bytes(range(256)) * 4096
    stat = store.put("big", (piece for _ in range(20)), metadata={"a": "b"})
    assert stat.size == 20 << 20
    assert store.stat("big")._replace(modified=stat.modified) == stat
    assert store.get("big") == piece * 20

    def broken():
        yield from (piece for _ in range(20))
        raise FileNotFoundError("the source is gone")

    with pytest.raises(FileNotFoundError, match="the source is gone"):
        store.put("other", broken())
    assert not store.exists("other")
    assert "<Upload>" not in s3.server.request(f"/{s3.name}?uploads")
    with pytest.raises(PreconditionFailed):
        store.put("big", (piece for _ in range(20)), if_absent=True)
    with pytest.raises(NotSupported, match="67108864 bytes"):
        store.put("other", (piece for _ in range(70)), if_absent=True)


def test_a_time_to_live_is_refused(store):
    with pytest.raises(NotSupported, match="lifecycle"):
        store.put("k", b"", ttl=5)
    with pytest.raises(NotSupported, match="lifecycle"):
        store.put("k", iter([b""]), ttl=5)
    assert not store.exists("k")


def test_sixteen_users_have_one_winner(s3):
    stores = [s3.store() for _ in range(16)]

    def create(number):
        try:
            stores[number].put("k", b"%d" % number, if_absent=True)
        except PreconditionFailed:
            return None
        return b"%d" % number

    with ThreadPoolExecutor(16) as pool:
        winners = [one for one in pool.map(create, range(16)) if one is not None]
    assert winners == [stores[0].get("k")]


def test_a_write_whose_answer_was_lost_is_not_taken_for_another_ones(s3):
    """A conditional write is sent again when its answer is lost; the server refuses the second."""
    lost = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def pass_on():
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with client, socket.create_connection(("127.0.0.1", s3.server.port)) as server:
                    head = client.recv(65536)
                    server.sendall(head)
                    if (
                        b"\r\n\r\n" in head
                        and head.startswith(b"PUT")
                        and b"content" not in head[-9:]
                    ):
                        server.sendall(client.recv(65536))
                    answer = b""
                    while piece := server.recv(65536):
                        answer += piece
                    if head.startswith(b"PUT") and not lost.is_set():
                        lost.set()  # the server has written; nobody hears of it
                        continue
                    client.sendall(answer)

        thread = threading.Thread(target=pass_on, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        store = ObjectStore(s3.url, endpoint=url, retries=3, timeout=20)
        stat = store.put("k", b"content", if_absent=True)
        assert lost.is_set()
        assert store.get("k") == b"content"
        assert stat.size == 7
        with pytest.raises(PreconditionFailed):
            store.put("k", b"content", if_absent=True)
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def test_a_killed_server_is_an_error_without_secrets_and_a_new_one_is_used(s3_server, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2-secret")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    server = type(s3_server)()
    try:
        bucket = server.bucket()
        store = ObjectStore(f"s3://{bucket}", endpoint=server.url, retries=1, timeout=10)
        store.put("k", b"1")
        server.kill()
        for call in (
            lambda: store.get("k"),
            lambda: store.put("k", b"2"),
            lambda: store.put("k", (bytes(1 << 20) for _ in range(20))),
            lambda: list(store.list()),
            lambda: store.exists("k"),
            lambda: store.delete("k"),
            lambda: store.copy("k", "l"),
            lambda: store.lock("k", timeout=0).acquire(),
        ):
            with pytest.raises(StoreUnavailable) as caught:
                call()
            assert "hunter2" not in f"{caught.value!r} {caught.value.__context__!r}"
            assert "Debug source" not in str(caught.value)
        server.start(server.port)
        server.request(f"/{bucket}", "PUT")
        store.put("k", b"2")
        assert store.get("k") == b"2"
    finally:
        server.kill()


def test_a_bucket_that_is_missing(s3):
    store = ObjectStore("s3://there-is-none", endpoint=s3.server.url)
    with pytest.raises(StoreUnavailable, match="NoSuchBucket"):
        store.put("k", b"")
    with pytest.raises(StoreUnavailable, match="NoSuchBucket"):
        store.get("k")
    with pytest.raises(StoreUnavailable, match="NoSuchBucket"):
        list(store.list())


def test_a_lock_excludes_other_stores_and_is_released(s3):
    one, other = s3.store(), s3.store()
    with one.lock("k"):
        with pytest.raises(LockTimeout), other.lock("k", timeout=0.1):
            pass
        assert list(one.list()) == []
    with other.lock("k", timeout=20):
        pass


def test_a_lock_is_renewed_while_it_is_held(s3):
    one, other = s3.store(lock_lasting=0.3), s3.store()
    with one.lock("k"), pytest.raises(LockTimeout), other.lock("k", timeout=1.2):
        pass


def test_the_lock_of_a_dead_holder_is_taken_over_and_it_learns_of_that(s3):
    one, other = s3.store(lock_lasting=3600), s3.store()
    lock = one.lock("k")
    lock.acquire()  # and then renews nothing: within this test, it is as good as dead
    now = [0.0]
    other._leases._monotonic = lambda: now[0]
    with pytest.raises(LockTimeout):
        other.lock("k", timeout=0).acquire()
    now[0] = 3599.0
    with pytest.raises(LockTimeout):
        other.lock("k", timeout=0).acquire()
    now[0] = 3601.0
    with other.lock("k", timeout=0):
        pass
    with pytest.raises(LockLost, match="taken over"):
        lock.release()


def test_a_killed_holder_does_not_hold_a_lock_for_ever(s3, run, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3.server.url)
    program = """
        import sys
        from shared.storage import ObjectStore
        with ObjectStore(sys.argv[1], lock_lasting=0.5).lock("k"):
            print("held", flush=True)
            sys.stdin.read()
    """
    holder = run(program, s3.url)
    assert holder.stdout.readline() == "held\n"
    holder.kill()
    holder.wait()
    with s3.store().lock("k", timeout=60):
        pass


def test_many_tasks_wait_together(s3):
    """As many as the network allows, not as the loop's few threads do."""
    import asyncio

    barrier = threading.Barrier(40, timeout=30)
    store = s3.store()
    store._read = lambda key: (b"%d" % barrier.wait(), "")

    async def main():
        return await asyncio.gather(*(store.aget("k") for _ in range(40)))

    assert len(set(asyncio.run(main()))) == 40
    store.close()


def test_a_forked_child_uses_what_its_parent_made(s3, run, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3.server.url)
    program = """
        import asyncio, os, sys
        from shared.storage import ObjectStore
        store = ObjectStore(sys.argv[1])
        for child in range(3):
            if not os.fork():
                store.put(f"{child}", b"1")
                assert asyncio.run(store.aget(f"{child}")) == b"1"
                os._exit(0)
        print([os.wait()[1] for _ in range(3)], len(list(store.list())))
    """
    assert run(program, s3.url).communicate()[0] == "[0, 0, 0] 3\n"


def test_a_forked_child_is_told_of_what_would_hang(s3, run, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3.server.url)
    program = """
        import os, sys
        from shared.storage import NotSupported, ObjectStore
        store = ObjectStore(sys.argv[1])
        store.put("k", b"1")
        lock = store.lock("lock")
        lock.acquire()
        if not os.fork():
            for call in (lambda: store.get("k"), lambda: ObjectStore(sys.argv[1]).put("k", b"")):
                try:
                    call()
                except NotSupported as error:
                    print(error, flush=True)
            lock.release()  # does nothing here
            os._exit(0)
        print(os.wait()[1], store.get("k"))
        lock.release()
    """
    lines = run(program, s3.url).communicate()[0].splitlines()
    assert ["before a fork" in line for line in lines] == [True, True, False]
    assert lines[2] == "0 b'1'"


@pytest.mark.parametrize("url", ["", "nothing", "ftp://x/y", "s3://"])
def test_what_is_no_url(url, monkeypatch):
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    with pytest.raises(ValueError, match="url must be"):
        ObjectStore(url)


def test_arguments_are_checked_and_secrets_do_not_show():
    wrong: list[dict[str, Any]] = [
        {"timeout": 0},
        {"retries": -1},
        {"retries": 101},
        {"lock_lasting": 0},
    ]
    for options in wrong:
        with pytest.raises(ValueError, match="must be"):
            ObjectStore("memory:///", **options)
    with pytest.raises(TypeError, match="url must be a string"):
        ObjectStore(5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="settings") as caught:
        ObjectStore("s3://bucket", config={"no_such_thing": "x", "secret_access_key": "hunter2"})
    assert "hunter2" not in str(caught.value)
    shown = repr(ObjectStore("memory:///"))
    assert shown == "ObjectStore('memory:///')"
    assert "hunter2" not in repr(ObjectStore("s3://key:hunter2@bucket/x"))


def test_the_missing_extra_is_named(run):
    program = """
        import sys
        sys.modules["obstore"] = None
        from shared.storage import ObjectStore
        try:
            ObjectStore("s3://bucket")
        except ImportError as error:
            print(error)
    """
    assert "pip install 'shared-storage[object]'" in run(program).communicate()[0]


def test_a_folder_by_obstore_lists_in_order_too(tmp_path):
    store = ObjectStore(f"file://{tmp_path}")
    keys = ["b", "a/c", "a-b", "a/b"]
    for key in keys:
        store.put(key, b"x")
    assert [stat.key for stat in store.list()] == sorted(keys)
    assert [stat.key for stat in store.list("a/")] == ["a/b", "a/c"]
    assert [stat.key for stat in store.list("a", limit=2)] == ["a-b", "a/b"]
    assert store.get("a/b") == b"x"
    with pytest.raises(NotSupported, match="no metadata"):
        store.put("k", b"", metadata={"a": "b"})
    with pytest.raises(PreconditionFailed):
        store.put("b", b"", if_absent=True)
    assert os.listdir(tmp_path)
    assert time.time() - store.stat("b").modified.timestamp() < 600
