"""chdb's engine and forks: its threads do not come along, so a child that calls it hangs."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from typing import Any

from ._errors import Unavailable

_owner: list[int] = []


def claim_engine() -> None:
    """Says that this process opens the engine; there is one a process.

    Raises:
        Unavailable: It was opened before a fork, and this is the child.
    """
    if not _owner:
        _owner.append(os.getpid())
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_disown)
    if _owner[0] != os.getpid():
        _refuse()


def _refuse(*_arguments: Any, **_keywords: Any) -> None:
    raise Unavailable(
        "chdb belongs to the process that opened it: not to a forked child",
        store="clickhouse",
        lasting=True,
    )


def _disown() -> None:
    """In the child: nothing reaches the engine, not even the end of a connection or the process."""
    module = sys.modules.get("chdb.state.sqlitelike")
    if module is None:  # it could not be opened
        return
    kind = module.Connection
    for name in ("__init__", "cursor", "query", "send_insert", "send_query"):
        setattr(kind, name, _refuse)
    kind.close = lambda _connection: None
    keep = ctypes.pythonapi.Py_IncRef
    for one in gc.get_objects():
        if type(one) is kind:
            for held in (one, *vars(one).values()):
                keep(ctypes.py_object(held))
    libc = ctypes.CDLL(None)
    if hasattr(libc, "on_exit"):  # runs before the engine's own clean-up, and in its place
        libc.on_exit(libc._exit, None)  # noqa: SLF001 - the name of the C function
