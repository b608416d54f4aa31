"""A running store: started, checked until it is ready, stopped, and never left behind."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ..._base.errors import Unavailable
from .settings import StoreSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_running: set[Store] = set()
_lock = threading.Lock()


@dataclass
class Plan:
    """How one kind of store is started. Paths are inside `home`."""

    kind: str
    home: Path
    host: str
    port: int
    argv: Callable[[Plan], list[str]]
    ready: Callable[[Plan, int], bool]
    settings: Callable[[Plan], dict[str, Any]]
    url: Callable[[Plan], str]
    configure: Callable[[Plan], None] = lambda _plan: None
    setup: dict[str, Any] | None = None
    unprivileged: bool = False
    stop_signal: int = signal.SIGTERM
    kill_signal: int = signal.SIGKILL
    pid_file: str = ""
    env: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)


class Store:
    """A running embedded store. Made by the functions of `shared.db.embedded`.

    A context manager: `with embedded.redis() as store: ...` stops it at the end. A store that is
    never stopped ends with this process, even if the process is killed.

    Attributes:
        kind: `"postgres"`, `"redis"`, `"clickhouse"` or `"qdrant"`.
        url: Where it listens, with user and password, as its driver accepts it.
        host: The address it listens on.
        port: The port it listens on; the same after `restart`.
        settings: The keyword arguments of `DatabaseConnections.initialize_<kind>` (a mapping);
            `DatabaseConnections.from_settings` accepts it too.
        env: The variables that `shared.config` reads, for another process.
        data_dir: The folder that holds its data.
        pid: The server's process id, or None if it is not running.
    """

    def __init__(
        self, plan: Plan, *, data_dir: Path | None, port: int | None, timeout: float
    ) -> None:
        self._plan = plan
        self._keep = data_dir is not None
        self._fixed_port = port is not None
        self._timeout = timeout
        self._started = False
        self._owner = os.getpid()
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._messages = b""
        self._pid: int | None = None
        self.kind: str = plan.kind
        self.host: str = plan.host
        self.data_dir: Path = plan.home

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._plan.port

    @property
    def url(self) -> str:
        """Where it listens, with user and password, as its driver accepts it."""
        return self._plan.url(self._plan)

    @property
    def settings(self) -> StoreSettings:
        """The keyword arguments of `initialize_<kind>`, as a mapping."""
        return StoreSettings(self.kind, self._plan.settings(self._plan))

    @property
    def env(self) -> dict[str, str]:
        """The variables that `shared.config` reads, such as `POSTGRES_PORT`."""
        return self.settings.env

    @property
    def pid(self) -> int | None:
        """The server's process id, or None if it is not running."""
        self._listen(0)
        return self._pid

    @property
    def running(self) -> bool:
        """Whether the server's process exists."""
        return self.pid is not None

    def __enter__(self) -> Self:
        if not self.running:
            self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = f"pid={self._pid}" if self._pid else "stopped"
        return f"<embedded {self.kind} {self.host}:{self.port} {state}>"

    def start(self) -> Self:
        """Start the server and wait until it answers; do nothing if it runs.

        Returns:
            The store itself.

        Raises:
            Unavailable: It did not get ready; the message ends with the end of its log.
        """
        if self.running:
            return self
        try:
            self._start_somewhere()
        except BaseException:
            if not self._keep and not self._started:
                shutil.rmtree(self._plan.home, ignore_errors=True)
            raise
        self._started = True
        return self

    def _start_somewhere(self) -> None:
        deadline = time.monotonic() + self._timeout
        while True:
            if not self._plan.port:
                self._plan.port = free_port(self.host)
            try:
                self._start(deadline)
            except _AddressInUse as error:
                # Another process took the free port first, or still holds this one.
                if time.monotonic() + 0.5 > deadline:
                    raise Unavailable(str(error)) from None
                if not self._fixed_port:
                    self._plan.port = 0
                time.sleep(0.05)
            else:
                self._fixed_port = True
                return

    def stop(self, timeout: float = 10.0) -> None:
        """Stop the server and, unless `data_dir` was given, remove its data.

        Args:
            timeout: Seconds until the server is killed.
        """
        self._end(b"stop\n", timeout)
        if os.getpid() == self._owner:
            with _lock:
                _running.discard(self)
            if not self._keep:  # even after `shutdown`, when no supervisor is left to do it
                shutil.rmtree(self._plan.home, ignore_errors=True)

    def restart(self) -> Self:
        """Stop the server as an operator would and start it again with the same port and data."""
        self.shutdown()
        return self.start()

    def shutdown(self, timeout: float = 10.0) -> None:
        """Stop the server and keep its data, even temporary data, for `start`."""
        self._end(b"keep\n", timeout)

    def kill(self) -> None:
        """Kill the server (SIGKILL), as a crash would. `start` brings it back with its data."""
        pid = self.pid
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            deadline = time.monotonic() + 20
            while self._pid is not None and time.monotonic() < deadline:
                self._listen(0.05)

    def pause(self) -> None:
        """Freeze the server (SIGSTOP): it accepts connections and answers nothing."""
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        """End `pause`."""
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: int) -> None:
        """Signal the server and the processes that it has started."""
        pending = [self.pid] if self.pid is not None else []
        while pending:
            pid = pending.pop()
            with contextlib.suppress(OSError):
                os.kill(pid, number)
                children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
                pending += map(int, children)

    def log(self) -> str:
        """Return what the server has printed."""
        path = self._plan.home / "log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def _start(self, deadline: float) -> None:
        self._end(b"keep\n", 10)
        plan = self._plan
        plan.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        (plan.home / "log").unlink(missing_ok=True)
        plan.configure(plan)
        supervisor = subprocess.Popen(  # noqa: S603 - our own script
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("supervisor.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            cwd="/",
        )
        self._supervisor, self._messages, self._owner = supervisor, b"", os.getpid()
        with _lock:
            if not _running:
                atexit.register(_stop_all)
            _running.add(self)
        config = {
            "home": str(plan.home),
            "lock": str(plan.home / "lock"),
            "lock_timeout": max(0.1, (deadline - time.monotonic()) / 2),
            "log": str(plan.home / "log"),
            "parent": os.getpid(),
            "unprivileged": plan.unprivileged,
            "setup": plan.setup,
            "argv": plan.argv(plan),
            "env": {**os.environ, **plan.env},
            "stop_signal": plan.stop_signal,
            "kill_signal": plan.kill_signal,
            "stop_timeout": 10.0,
            "pid_file": plan.pid_file,
            "remove": not self._keep,
        }
        assert supervisor.stdin is not None
        try:
            supervisor.stdin.write(json.dumps(config).encode() + b"\n")
            supervisor.stdin.flush()
            self._wait_ready(deadline)
        except BaseException:
            self._end(b"keep\n", 1)
            raise

    def _wait_ready(self, deadline: float) -> None:
        while True:
            self._listen(0.005)
            if self._pid is not None and self._plan.ready(self._plan, self._pid):
                self._listen(0)
                if self._pid is not None:
                    return
            if self._supervisor is None or self._failed:
                said = self.log()[-2000:]
                if "in use" in said or "in use" in self._failed:
                    if "another running store" in self._failed:
                        raise Unavailable(self._failed)
                    raise _AddressInUse(f"port {self.port} of {self.host} is in use")
                raise Unavailable(f"embedded {self.kind} did not start: {self._failed}\n{said}")
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"embedded {self.kind} was not ready in {self._timeout:g} s\n{self.log()[-2000:]}"
                )

    _failed = ""

    def _listen(self, timeout: float) -> None:
        """Read what the supervisor reports."""
        supervisor = self._supervisor
        if supervisor is None or supervisor.stdout is None or os.getpid() != self._owner:
            if timeout:
                time.sleep(timeout)
            return
        while select.select([supervisor.stdout], [], [], timeout)[0]:
            data = os.read(supervisor.stdout.fileno(), 65536)
            if not data:
                self._pid = None
                self._failed = self._failed or "its supervisor ended"
                return
            self._messages += data
            *lines, self._messages = self._messages.split(b"\n")
            for line in lines:
                self._hear(json.loads(line))
            timeout = 0

    def _hear(self, message: dict[str, Any]) -> None:
        if "pid" in message:
            self._pid, self._failed = message["pid"], ""
        else:
            self._pid = None
            self._failed = message.get("failed") or f"it ended with status {message['ended']}"

    def say(self, order: bytes) -> None:
        """Send an order to the supervisor, the last one."""
        supervisor = self._supervisor
        if supervisor is None or supervisor.stdin is None or os.getpid() != self._owner:
            return
        with contextlib.suppress(OSError, ValueError):
            supervisor.stdin.write(order)
            supervisor.stdin.close()

    def _end(self, order: bytes, timeout: float) -> None:
        supervisor = self._supervisor
        if supervisor is None or os.getpid() != self._owner:
            return
        assert supervisor.stdout is not None
        self.say(order)
        try:
            supervisor.wait(timeout + 2)
        except subprocess.TimeoutExpired:
            # The parent-death signal takes the store with it.
            supervisor.kill()
            supervisor.wait()
        supervisor.stdout.close()
        self._supervisor, self._pid, self._failed = None, None, ""


class _AddressInUse(Exception):  # noqa: N818 - never leaves this module
    pass


def _stop_all() -> None:
    orders = list(_running)
    for store in orders:
        store.say(b"stop\n")  # all at once, then wait for each
    for store in orders:
        store.stop()


def free_port(host: str) -> int:
    """Return a port of this host that is currently free."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def new_home(kind: str, data_dir: str | os.PathLike[str] | None) -> Path:
    """Return the folder for a store's files: in `data_dir`, or a temporary one."""
    if data_dir is None:
        return Path(tempfile.mkdtemp(prefix=f"shared-db-{kind}-"))
    home = Path(data_dir).expanduser().absolute() / kind
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    return home


def kept_secret(home: Path, given: str | None) -> str:
    """Return the store's password: the given one, the last one, or a new one."""
    path = home / "password"
    if given is None and path.exists():
        return path.read_text("utf-8")
    secret = secrets.token_urlsafe(18) if given is None else given
    write_private(path, secret)
    return secret


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)
