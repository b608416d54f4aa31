"""Runs one store and ends it with its parent, however the parent ends.

Run as a script (`python -I -S supervisor.py`), standard library only. The first line of its
standard input is a JSON description of the store; it answers with JSON lines on its standard
output. The store is stopped when the parent sends `stop`, closes the pipe or dies: the parent's
death is seen through a pidfd, because a pipe stays open in children that the parent forked, and a
parent-death signal would already come when only the *thread* that started this ends.
"""

import contextlib
import ctypes
import errno
import fcntl
import json
import os
import pwd
import select
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_SET_CHILD_SUBREAPER = 36
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CLONE_NEWUSER = 0x10000000
IPC_RMID = 0
NOBODY = 65534

LINUX = sys.platform.startswith("linux")


def libc() -> ctypes.CDLL:
    """Return the C library, with errno kept."""
    return ctypes.CDLL(None, use_errno=True)


def say(**message: Any) -> None:
    """Send one JSON line to the parent; a parent that is gone does not stop the clean-up."""
    with contextlib.suppress(OSError):
        os.write(1, json.dumps(message).encode() + b"\n")


def read_line() -> str:
    """Return the first line of standard input, unbuffered so that the rest stays pollable."""
    data = b""
    while not data.endswith(b"\n"):
        chunk = os.read(0, 1)
        if not chunk:
            sys.exit(0)
        data += chunk
    return data.decode()


def namespaces_work() -> bool:
    """Report whether a user namespace can be created (tried in a child, as it cannot be undone)."""
    pid = os.fork()
    if pid == 0:
        code = 1
        with contextlib.suppress(OSError):
            enter_namespace()
            code = 0
        os._exit(code)
    return os.waitpid(pid, 0)[1] == 0


def enter_namespace() -> None:
    """Become an ordinary user in the eyes of the program that follows, with the same files."""
    uid, gid = os.geteuid(), os.getegid()
    # initdb wants a user with an entry in the password file.
    known = sorted((entry for entry in pwd.getpwall() if entry.pw_uid), key=lambda e: -e.pw_uid)
    if libc().unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare was refused")
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{known[0].pw_uid if known else NOBODY} {uid} 1"),
        ("gid_map", f"{NOBODY} {gid} 1"),
    ):
        Path(f"/proc/self/{name}").write_text(text, encoding="ascii")


def become(uid: int, gid: int) -> None:
    """Become another user, keeping the right to pass closed folders, if this one has it.

    Root's own folders are often closed to all others, and both the programs and the data may lie
    under them.
    """
    if LINUX:
        libc().prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if LINUX:
        mask = 1 << CAP_DAC_OVERRIDE
        header = (ctypes.c_uint32 * 2)(0x20080522, 0)
        data = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
        if libc().capset(header, data) == 0:
            libc().prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)


def choose_user(home: Path, *, unprivileged: bool) -> tuple[int, int] | str | None:
    """Return how the store is to run: None, as this user; in a namespace; or as another user."""
    if not unprivileged:
        return None
    if os.geteuid() != 0:
        nameless = os.geteuid() not in {entry.pw_uid for entry in pwd.getpwall()}
        return "namespace" if LINUX and nameless and namespaces_work() else None
    owner = home.stat()
    if owner.st_uid == 0 and LINUX and namespaces_work():
        return "namespace"
    ids = (owner.st_uid, owner.st_gid) if owner.st_uid else (NOBODY, NOBODY)
    if owner.st_uid == 0:
        for folder, names, files in os.walk(home):
            os.chown(folder, *ids)
            for name in names + files:
                os.chown(os.path.join(folder, name), *ids, follow_symlinks=False)  # noqa: PTH118 - faster, for every file
    return ids


def launch(argv: list[str], user: Any, log: int, env: dict[str, str], death: int, *fds: int) -> int:
    """Start a program; return its process id."""
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setpgid(0, 0)
        if user == "namespace":
            enter_namespace()
        elif user is not None:
            become(*user)
        if LINUX:
            # After the change of user, which clears it. If this is killed, so is the store.
            libc().prctl(PR_SET_PDEATHSIG, death, 0, 0, 0)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        for fd in fds:
            os.set_inheritable(fd, True)  # noqa: FBT003 - the library's signature
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        os.execve(argv[0], argv, env)  # noqa: S606 - the store's own program
    except BaseException as error:  # noqa: BLE001 - nothing may run on in a forked child
        os.write(log, f"{argv[0]}: {error}\n".encode())
    os._exit(127)


def take_lock(path: str, timeout: float) -> int:
    """Lock the data folder. Every process of the store holds the lock too."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in {errno.EAGAIN, errno.EACCES}:
                raise
            if time.monotonic() > deadline:
                say(failed=f"{Path(path).parent} is in use by another running store")
                sys.exit(1)
            time.sleep(0.02)
        else:
            return fd


def prepare(config: dict[str, Any], user: Any, log: int) -> None:
    """Create the data folder the first time: in a folder next to it, renamed when complete."""
    setup = config["setup"]
    final = Path(setup["folder"])
    if final.exists():
        for name in setup["stale"]:
            # Safe: the lock shows that no other server runs on this folder.
            (final / name).unlink(missing_ok=True)
        return
    fresh = Path(setup["fresh"])
    shutil.rmtree(fresh, ignore_errors=True)
    pid = launch(setup["argv"], user, log, config["env"], signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status != 0:
        say(failed=f"{setup['argv'][0]} ended with status {status}")
        sys.exit(1)
    fresh.rename(final)


def forget_shared_memory(pid_file: str) -> None:
    """Free the few bytes of System V shared memory that a killed PostgreSQL leaves."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        lines = Path(pid_file).read_text(encoding="utf-8").splitlines()
        libc().shmctl(int(lines[6].split()[1]), IPC_RMID, None)


def reap(pid: int) -> int | None:
    """Return the store's exit status once it has ended; reap other orphans meanwhile."""
    while True:
        try:
            ended, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return 0
        if ended == 0:
            return None
        if ended == pid:
            return os.waitstatus_to_exitcode(status)


def order() -> str:
    """Return what the parent wants: `keep` the data, or `stop`, also if it is gone."""
    return "keep" if os.read(0, 512).startswith(b"keep") else "stop"


def wait(pid: int | None, parent: int) -> int | str:
    """Wait until the store ends; return its status, or the parent's order to end it."""
    poll = select.poll()
    poll.register(0, select.POLLIN | select.POLLHUP)
    wake, wake_writer = os.pipe()
    os.set_blocking(wake_writer, False)
    signal.set_wakeup_fd(wake_writer)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    poll.register(wake, select.POLLIN)
    period = 500
    with contextlib.suppress(OSError, AttributeError):
        poll.register(os.pidfd_open(parent), select.POLLIN)
        period = 5000
    while True:
        if pid is not None:
            status = reap(pid)
            if status is not None:
                return status
        if os.getppid() != parent:
            return "stop"
        for fd, _ in poll.poll(period):
            if fd == 0:
                return order()
            if fd != wake:
                return "stop"
            os.read(wake, 512)


def end(pid: int, number: int, timeout: float) -> None:
    """Stop the store: first by a request, then by SIGKILL."""
    for signal_number, patience in ((number, timeout), (signal.SIGKILL, 10.0)):
        with contextlib.suppress(OSError):
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
            for paused in (*map(int, children), pid):
                os.kill(paused, signal.SIGCONT)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal_number)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if reap(pid) is not None:
                return
            time.sleep(0.01)


def main() -> None:
    """Run one store, from start to end."""
    config = json.loads(read_line())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    if LINUX:
        libc().prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    home = Path(config["home"])
    lock = take_lock(config["lock"], config["lock_timeout"])
    log = os.open(config["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    user = choose_user(home, unprivileged=config["unprivileged"])
    death = config["kill_signal"]
    if config["setup"]:
        prepare(config, user, log)
    pid = launch(config["argv"], user, log, config["env"], death, lock)
    say(pid=pid)
    outcome = wait(pid, config["parent"])
    if isinstance(outcome, str):
        end(pid, config["stop_signal"], config["stop_timeout"])
    # What the store itself has started (PostgreSQL's backends) ends by itself: wait for it.
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.005)
        except ChildProcessError:
            break
    if config["pid_file"]:
        forget_shared_memory(config["pid_file"])
    if not isinstance(outcome, str):
        os.close(lock)
        say(ended=outcome)
        outcome = str(wait(None, config["parent"]))
    if config["remove"] and outcome == "stop":
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
