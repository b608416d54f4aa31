"""ClickHouse: its real engine (chdb) in a child process behind its HTTP interface."""

from __future__ import annotations

import http.client
import json
import os
import sys

from .._base.require import require
from .._base.store import Plan, Store, kept_secret, new_home, write_private


def clickhouse(
    data_dir: str | os.PathLike[str] | None = None,
    *,
    port: int | None = None,
    host: str = "127.0.0.1",
    password: str | None = None,
    timeout: float = 60.0,
) -> Store:
    """Start ClickHouse and wait until it answers.

    It is the real engine, `chdb`, in its own process, which speaks ClickHouse's HTTP interface:
    the unchanged driver works with it, asynchronously too, from many threads and processes. There
    is no native TCP port, no replication and no cluster.

    Args:
        data_dir: Where the data stays for the next time; if omitted, the data is temporary.
        port: The port; by default a free one.
        host: The address to listen on.
        password: The password of the user `default`; by default a random one, kept in `data_dir`.
        timeout: Seconds until a server not yet ready is an error.

    Returns:
        The running store.

    Raises:
        Unavailable: It did not get ready; the message ends with the end of its log.
        DriverMissing: The extra `embedded` is not installed.

    Example:
        >>> with clickhouse() as store:
        ...     store.settings["database"]
        'default'
    """
    require("chdb", "embedded", "chdb")
    home = new_home("clickhouse", data_dir)
    secret = kept_secret(home, password)
    plan = Plan(
        kind="clickhouse",
        home=home,
        host=host,
        port=port or 0,
        configure=lambda plan: write_private(
            home / "config.json",
            json.dumps(
                {"host": host, "port": plan.port, "password": secret, "path": str(home / "data")}
            ),
        ),
        argv=lambda _plan: python_argv("clickhouse", str(home / "config.json")),
        ready=lambda plan, _pid: answers(plan, "/ping"),
        settings=lambda plan: {
            "host": host,
            "port": plan.port,
            "database": "default",
            "user": "default",
            "password": secret,
        },
        url=lambda plan: f"http://default:{secret}@{host}:{plan.port}/default",
        env=python_env(),
    )
    return Store(
        plan, data_dir=None if data_dir is None else home, port=port, timeout=timeout
    ).start()


def python_argv(module: str, *arguments: str) -> list[str]:
    """Return the command line of a child that runs a front."""
    return [sys.executable, "-P", "-m", f"shared.db.embedded._fronts.{module}", *arguments]


def python_env() -> dict[str, str]:
    """Return the environment in which a child finds what this process finds."""
    return {
        "PYTHONPATH": os.pathsep.join(os.path.abspath(path) for path in sys.path),  # noqa: PTH100 - "" becomes the current folder
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore",
    }


def answers(plan: Plan, path: str) -> bool:
    """Report whether the child's HTTP server answers."""
    connection = http.client.HTTPConnection(plan.host, plan.port, timeout=1)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
