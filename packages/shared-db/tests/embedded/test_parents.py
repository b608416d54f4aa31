"""Stores end with their parent, under every user."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from shared.db import embedded
from shared.db.embedded._base.supervisor import namespaces_work

START: dict[str, Any] = {
    "postgres": embedded.postgres,
    "redis": embedded.redis,
    "clickhouse": embedded.clickhouse,
    "qdrant": embedded.qdrant,
}


HOLD = """
import os, sys, threading
from shared.db import embedded
stores = []
# The thread that starts a store may end long before the process does.
thread = threading.Thread(target=lambda: stores.extend(getattr(embedded, kind)() for kind in sys.argv[1:]))
thread.start()
thread.join()
forked = os.fork() if hasattr(os, "fork") else 1
if forked == 0:
    import time
    for fd in range(3):
        os.dup2(os.open(os.devnull, os.O_RDWR), fd)
    time.sleep(60)  # holds every open file of its parent
print(forked, *[f"{store.pid}:{store.data_dir}" for store in stores], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def killed_parent(until, alive, wait_gone):
    """Kills the process that holds stores; returns their process ids once all is gone."""

    def kill(process):
        forked, *stores = process.stdout.readline().split()
        pids = [int(store.split(":")[0]) for store in stores]
        folders = [Path(store.split(":")[1]) for store in stores]
        assert pids, process.communicate()[1]
        assert all(map(alive, pids))
        try:
            process.kill()
            process.wait()
            wait_gone(*pids)
            until("no folder left", lambda: not any(folder.exists() for folder in folders))
        finally:
            os.kill(int(forked), signal.SIGKILL)
        return pids

    return kill


def shared_memory(pids):
    lines = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    return {line.split()[1] for line in lines if int(line.split()[4]) in pids}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_killed_parent_takes_its_stores_with_it(python, killed_parent):
    pids = killed_parent(python(HOLD, *START))
    assert not shared_memory(pids)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_killed_supervisor_takes_its_store_with_it(wait_gone):
    store = embedded.redis()
    pid = store.pid
    supervisor: Any = store._supervisor
    supervisor.kill()
    wait_gone(pid)
    assert store.pid is None
    store.start()
    assert store.running
    store.stop()


# Its own program: what forks and changes its user must have one thread.
BECOME = """
import ctypes, os, sys
root = sys.argv[1] == "root"
libc = ctypes.CDLL(None, use_errno=True)
ready, go, me = os.pipe(), os.pipe(), os.getpid()
helper = os.fork()
if helper == 0:  # outside the namespace, where its maps may be written
    os.close(ready[1])
    if not os.read(ready[0], 1):
        os._exit(1)
    user = "0 0 65536" if root else "1234 0 1"
    for name, text in {"setgroups": "allow" if root else "deny", "uid_map": user, "gid_map": user}.items():
        with open(f"/proc/{me}/{name}", "w") as file:
            file.write(text)
    os._exit(0)
if libc.unshare(0x10000000) != 0:
    raise OSError(ctypes.get_errno(), "unshare")
os.write(ready[1], b"x")
assert os.waitpid(helper, 0)[1] == 0
if root:
    with open("/proc/sys/user/max_user_namespaces", "w") as file:
        file.write("0")
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""


@pytest.fixture
def as_user(python, tmp_path):
    """Runs a script as an ordinary user, or as a root who may not make namespaces."""

    def run(who, script, *arguments):
        if not namespaces_work():  # refused to this root too: in a container, a chroot
            if who == "root":
                return python(script, *arguments)
            pytest.skip("user namespaces are refused here: no other user can be played")
        path = tmp_path / "as_user.py"
        path.write_text(script)
        return python(BECOME, who, path, *arguments)

    return run


needs_root = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root can become another user"
)


@needs_root
@pytest.mark.parametrize("who", ["user", "root"], ids=["ordinary user", "root, unshare refused"])
def test_runs_as_any_user(as_user, killed_parent, who):
    assert len(killed_parent(as_user(who, HOLD, *START))) == 4


@needs_root
def test_data_moves_between_roots_two_ways(python, as_user, tmp_path):
    script = """
import sys, os, psycopg
from shared.db import embedded
with embedded.postgres(sys.argv[1]) as store, psycopg.connect(store.url, autocommit=True) as connection:
    connection.execute("CREATE TABLE IF NOT EXISTS t (n int)")
    connection.execute("INSERT INTO t VALUES (1)")
    print(connection.execute("SELECT count(*) FROM t").fetchone()[0])
"""
    for count in (1, 2, 3, 4):
        refused = count % 2 == 0
        process = (
            as_user("root", script, tmp_path / "data")
            if refused
            else python(script, tmp_path / "data")
        )
        out, err = process.communicate()
        assert out.strip() == str(count), err
