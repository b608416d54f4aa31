"""Many processes, killed processes, and forked ones, on one folder."""

import os
import signal

import pytest

from shared.storage import FileStore, LockTimeout

WRITER = """
    import sys
    from shared.storage import FileStore
    store = FileStore(sys.argv[1], fsync=False)
    way = sys.argv[2]
    for number in range(1_000_000):
        content = b"%d," % number * 2000
        if way == "bytes":
            store.put(f"k/{number % 7}", content)
        elif way == "stream":
            store.put(f"k/{number % 7}", (content[i : i + 1000] for i in range(0, len(content), 1000)))
        elif way == "move":
            store.put("from", content)
            store.move("from", f"k/{number % 7}")
        if number % 50 == 49:
            print(number, flush=True)
"""


def files(folder):
    """All files but the locks of what is written."""
    found = [os.path.join(place, name) for place, _, names in os.walk(folder) for name in names]
    return [path for path in found if "/locks/" not in path]


@pytest.mark.parametrize("way", ["bytes", "stream", "move"])
def test_a_writer_killed_at_any_moment_leaves_whole_objects_and_no_litter(run, tmp_path, way):
    folder = tmp_path / "store"
    written = 0
    for turn in range(6):
        writer = run(WRITER, folder, way)
        for _ in range(1 + turn % 4):
            written = max(written, int(writer.stdout.readline()))
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        with FileStore(folder, fsync=False) as store:
            assert files(folder / ".shared") == []
            for stat in store.list():
                content = store.get(stat.key)  # its checksum holds
                first = content.split(b",", 1)[0]
                assert content == first + b"," + content[len(first) + 1 :]
                assert content == (first + b",") * 2000
            assert len(list(store.list("k/"))) == 7
    assert written >= 49


def test_what_a_killed_process_was_writing_goes_while_that_of_a_living_one_stays(run, tmp_path):
    program = """
        import sys
        from shared.storage import FileStore
        def stream():
            yield b"x" * 100_000
            print("half", flush=True)
            sys.stdin.read()
            yield b"y" * 100_000
        FileStore(sys.argv[1]).put("k", stream())
        print("done", flush=True)
    """
    folder = tmp_path / "store"
    old = FileStore(folder)
    old.put("k", b"old")
    writers = [run(program, folder), run(program, folder)]
    for writer in writers:
        assert writer.stdout.readline() == "half\n"
    assert len(files(folder / ".shared" / "writing")) == 5  # three locks, two halves
    writers[0].kill()
    writers[0].wait()
    assert FileStore(folder).sweep() == 0  # opening it has done so
    left = files(folder / ".shared" / "writing")
    assert len(left) == 3
    assert old.get("k") == b"old"
    writers[1].stdin.close()
    assert writers[1].stdout.readline() == "done\n"
    writers[1].wait()
    assert old.get("k") == b"x" * 100_000 + b"y" * 100_000
    old.close()
    assert files(folder / ".shared") == []


SIXTEEN = """
    import os, sys
    from shared.storage import FileStore, PreconditionFailed
    folder, count = sys.argv[1], int(sys.argv[2])
    store = FileStore(folder, fsync=False)  # shared by forks: each starts its own locks
    store.put("n", b"0")
    ready, go = os.pipe()
    children = []
    for child in range(16):
        if not os.fork():
            os.close(go)
            os.read(ready, 1)  # until the parent closes its end
            won = 0
            for round in range(10):
                try:
                    store.put(f"won/{round}", b"%d" % child, if_absent=True)
                    won += 1
                except PreconditionFailed:
                    pass
            store.put(f"count/{child}", b"%d" % won)
            for _ in range(count):
                while True:
                    stat = store.stat("n")
                    value = int(store.get("n"))
                    try:
                        store.put("n", b"%d" % (value + 1), if_match=stat.etag)
                        break
                    except PreconditionFailed:
                        pass
            os._exit(0)
    os.close(go)
    codes = [os.wait()[1] for _ in range(16)]
    won = [int(store.get(stat.key)) for stat in store.list("count/")]
    print(codes == [0] * 16, len(won), sum(won), store.get("n").decode())
"""


def test_sixteen_processes_have_one_winner_and_lose_no_increment(run, tmp_path):
    process = run(SIXTEEN, tmp_path / "store", 1000)
    assert process.communicate()[0] == "True 16 10 16000\n"


def test_a_lock_excludes_processes_and_dies_with_its_holder(run, tmp_path, eventually):
    program = """
        import sys
        from shared.storage import FileStore
        with FileStore(sys.argv[1]).lock("k"):
            print("held", flush=True)
            sys.stdin.read()
    """
    holder = run(program, tmp_path / "store")
    assert holder.stdout.readline() == "held\n"
    store = FileStore(tmp_path / "store")
    with pytest.raises(LockTimeout), store.lock("k", timeout=0.05):
        pass
    holder.kill()
    with store.lock("k", timeout=60):
        pass
    assert not [name for name in os.listdir(tmp_path / "store/.shared/locks") if name[0] == "k"]


def test_a_forked_child_neither_has_nor_ends_its_parents_lock(run, tmp_path):
    program = """
        import os, sys
        from shared.storage import FileStore, LockTimeout
        store = FileStore(sys.argv[1], fsync=False)
        store.put("before", b"1")
        lock = store.lock("k")
        lock.acquire()
        if not os.fork():
            try:
                store.lock("k", timeout=0).acquire()
                print("child has it", flush=True)
            except LockTimeout:
                print("child waits", flush=True)
            lock.release()  # does nothing here
            store.put("child", b"2")
            print(sorted(os.listdir(sys.argv[1] + "/.shared/writing")).__len__(), flush=True)
            os._exit(0)
        os.wait()
        other = FileStore(sys.argv[1])
        try:
            other.lock("k", timeout=0).acquire()
            print("parent lost it", flush=True)
        except LockTimeout:
            print("parent has it", flush=True)
        lock.release()
        store.put("parent", b"3")
        print([stat.key for stat in store.list()], flush=True)
    """
    process = run(program, tmp_path / "store")
    assert process.communicate()[0].splitlines() == [
        "child waits",
        "2",
        "parent has it",
        "['before', 'child', 'parent']",
    ]


def test_a_child_forked_while_threads_write_goes_on(run, tmp_path):
    program = """
        import os, sys, threading
        from shared.storage import FileStore
        store = FileStore(sys.argv[1], fsync=False)
        stop = threading.Event()
        def write(number):
            while not stop.is_set():
                store.put(f"k/{number}", b"x" * 1000)
        threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        codes = []
        for _ in range(20):
            child = os.fork()
            if not child:
                for number in range(4):
                    store.put(f"k/{number}", b"y" * 1000)
                    assert len(store.get(f"k/{number}")) == 1000
                os._exit(0)
            codes.append(os.waitpid(child, 0)[1])
        stop.set()
        for thread in threads:
            thread.join()
        print(set(codes))
    """
    process = run(program, tmp_path / "store")
    assert process.communicate()[0] == "{0}\n"


def test_watch_sees_what_another_process_does(run, tmp_path):
    store = FileStore(tmp_path / "store")
    store.put("in/a", b"1")
    with store.watch("in/", interval=0.05) as events:
        process = run(
            """
            import sys
            from shared.storage import FileStore
            store = FileStore(sys.argv[1])
            store.put("in/b/c", b"1")
            store.delete("in/a")
            store.put("out", b"1")
            """,
            tmp_path / "store",
        )
        seen = {next(events), next(events)}
        assert seen == {("created", "in/b/c"), ("deleted", "in/a")}
        process.wait()


def test_watch_is_woken_by_the_system_with_the_extra(tmp_path):
    store = FileStore(tmp_path / "store")
    with store.watch(interval=float("inf")) as events:  # nothing but the system wakes it
        store.put("a/b", b"1")
        assert next(events).key == "a/b"
        FileStore(tmp_path / "store").put("x" * 1000, b"1")
        assert next(events).key == "x" * 1000


def test_nothing_stays_open(run, tmp_path):
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("needs /proc")
    program = """
        import os, sys
        from shared.storage import FileStore
        def work():
            with FileStore(sys.argv[1], fsync=False) as store:
                for number in range(300):
                    store.put(f"d{number % 5}/{number}", b"x" * number)
                    store.put("s", iter([b"x"]))
                    store.get(f"d{number % 5}/{number}")
                    store.stat(f"d{number % 5}/{number}")
                    store.exists("none/none")
                    with store.lock(f"{number}"):
                        pass
                try:
                    store.put("s", (bytes(1 // 0) for _ in range(2)))
                except ZeroDivisionError:
                    pass
                list(store.list())
                list(store.list(limit=3))
                store.move("s", "t/u")
                store.delete("t/u")
        before = len(os.listdir("/proc/self/fd"))
        work()
        print(len(os.listdir("/proc/self/fd")) - before)
    """
    assert run(program, tmp_path / "store").communicate()[0] == "0\n"
    assert files(tmp_path / "store" / ".shared") == []
