"""Objects and listings of any size in bounded memory."""

import pytest

from shared.storage import FileStore
from shared.storage._file import listing

STREAM = """
    import sys
    from shared.storage import FileStore, ObjectStore
    import os
    size, piece = int(sys.argv[2]) << 20, bytes(range(256)) * 4096
    kind, _, place = sys.argv[1].partition("=")
    store = FileStore(place, fsync=False) if kind == "file" else ObjectStore(place)
    store.put("warm", iter([piece] * 20))
    with store.open("warm") as stream:
        stream.read(5)
    def peak():
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
    before = peak()
    stat = store.put("big", (piece for _ in range(size // len(piece))))
    assert stat.size == size
    total = 0
    with store.open("big") as stream:
        while part := stream.read(1 << 20):
            total += len(part)
    assert total == size, total
    assert store.get_range("big", size - 3, size) == piece[-3:]
    store.delete("big")
    print((peak() - before) // 1024, before // 1024)
"""


@pytest.fixture
def proc():
    import os

    if not os.path.exists("/proc/self/status"):
        pytest.skip("needs /proc")


def test_a_stream_of_two_gigabytes_takes_little_memory(run, tmp_path, proc):
    process = run(STREAM, f"file={tmp_path / 'store'}", 2048)
    grown, _ = map(int, process.communicate()[0].split())
    assert grown < 16
    assert process.returncode == 0


def test_a_stream_to_an_object_store_takes_little_memory(run, s3, proc, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3.server.url)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    process = run(STREAM, f"object={s3.url}", 192)
    grown, _ = map(int, process.communicate()[0].split())
    assert grown < 64
    assert process.returncode == 0


def test_a_million_keys_are_sorted_in_bounded_memory(run, proc):
    program = """
        from shared.storage._file import listing
        def peak():
            with open("/proc/self/status") as file:
                return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
        before = peak()
        pairs = ((f"{number * 7_919 % 1_000_000:07}", "=name") for number in range(1_000_000))
        last, seen = "", 0
        for key, _ in listing._sorted(pairs):
            assert key > last
            last, seen = key, seen + 1
        print(seen, (peak() - before) // 1024)
    """
    seen, grown = map(int, run(program).communicate()[0].split())
    assert seen == 1_000_000
    assert grown < 24


def test_runs_that_wait_in_files_come_together(tmp_path, monkeypatch):
    monkeypatch.setattr(listing, "_RUN", 10)
    with FileStore(tmp_path / "store", fsync=False) as store:
        keys = [f"d{n % 3}/{n * 37 % 100:02}" for n in range(100)] + [
            "z" * 300 + f"{n}" for n in range(30)
        ]
        for key in keys:
            store.put(key, b"")
        assert [stat.key for stat in store.list()] == sorted(keys)
        assert [stat.key for stat in store.list("d1", after="d1/50")] == sorted(
            key for key in keys if key.startswith("d1") and key > "d1/50"
        )
