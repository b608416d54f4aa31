"""Qdrant: the driver's own local mode in a child process behind Qdrant's REST interface."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .._base.require import require
from .._base.store import Plan, Store, new_home, write_private
from .clickhouse import answers, python_argv, python_env

if TYPE_CHECKING:
    import os


def qdrant(
    data_dir: str | os.PathLike[str] | None = None,
    *,
    port: int | None = None,
    host: str = "127.0.0.1",
    api_key: str | None = None,
    timeout: float = 60.0,
) -> Store:
    """Start Qdrant and wait until it answers.

    It is the local mode of qdrant-client (exact search in Python and numpy, no HNSW index) in its
    own process, which speaks Qdrant's REST interface: the unchanged driver works with it. Good for
    development and tests with up to about ten thousand points. There is no gRPC port, no snapshot
    and no cluster.

    Args:
        data_dir: Where the data stays for the next time; if omitted, the data is temporary.
        port: The port; by default a free one.
        host: The address to listen on.
        api_key: The key that clients must send; by default none.
        timeout: Seconds until a server not yet ready is an error.

    Returns:
        The running store.

    Raises:
        Unavailable: It did not get ready; the message ends with the end of its log.
        DriverMissing: qdrant-client is not installed.

    Example:
        >>> with qdrant() as store:
        ...     store.url
        'http://127.0.0.1:...'
    """
    require("qdrant_client", "qdrant", "qdrant-client")
    home = new_home("qdrant", data_dir)
    plan = Plan(
        kind="qdrant",
        home=home,
        host=host,
        port=port or 0,
        configure=lambda plan: write_private(
            home / "config.json",
            json.dumps(
                {
                    "host": host,
                    "port": plan.port,
                    "api_key": api_key,
                    "path": str(home / "data"),
                }
            ),
        ),
        argv=lambda _plan: python_argv("qdrant", str(home / "config.json")),
        ready=lambda plan, _pid: answers(plan, "/readyz"),
        settings=lambda plan: {
            "host": host,
            "port": plan.port,
            **({"api_key": api_key} if api_key else {}),
        },
        url=lambda plan: f"http://{host}:{plan.port}",
        env=python_env(),
    )
    return Store(
        plan, data_dir=None if data_dir is None else home, port=port, timeout=timeout
    ).start()
