"""chdb's engine and forks: its threads do not come along, so a child that calls it hangs."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from typing import Any

from shared.core import forks

from .._base.errors import Unavailable

_owner: list[int] = []


def claim_engine() -> None:
    """Note that this process opens the engine; there is one per process.

    Raises:
        Unavailable: It was opened before a fork, and this is the child.
    """
    if not _owner:
        _owner.append(os.getpid())
        forks.after_fork(_disown)
    if _owner[0] != os.getpid():
        _refuse()


def _refuse(*_arguments: Any, **_keywords: Any) -> None:
    raise Unavailable(
        "chdb belongs to the process that opened it: not to a forked child",
        store="clickhouse",
        lasting=True,
    )


def _disown() -> None:
    """Keep a child from the engine, even at the end of a connection or of the process."""
    module = sys.modules.get("chdb.state.sqlitelike")
    if module is None:  # it could not be opened
        return
    kind = module.Connection
    for name in ("__init__", "cursor", "query", "send_insert", "send_query"):
        setattr(kind, name, _refuse)
    kind.close = lambda _connection: None
    for one in gc.get_objects():
        if type(one) is kind:
            forks.keep(one, *vars(one).values())
    libc = ctypes.CDLL(None)
    if hasattr(libc, "on_exit"):  # runs before the engine's own clean-up, and instead of it
        libc.on_exit(libc._exit, None)  # noqa: SLF001 - the name of the C function
