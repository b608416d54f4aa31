# Generated from ../_async/lazy.py by generate_sync.py: change that file, not this one.
# fmt: off
# ruff: noqa: I001 - generated
"""A client that is made when first used, and not used in a forked child."""

from __future__ import annotations

import threading
import os
import weakref
from typing import Any

_all: weakref.WeakSet[Lazy] = weakref.WeakSet()
_of_the_parent: list[Any] = []


class Lazy:
    """The base of the clients that are made when first used."""

    name: str
    store: str

    def __init__(self) -> None:
        self._client: Any = None
        self._made_in = os.getpid()
        self._making = _new_lock()
        self._closed = False
        self._calls = 0
        self.observers: list[Any] = []
        _all.add(self)

    def _forget_parent(self) -> None:
        """In a forked child: the sockets belong to the parent."""
        _of_the_parent.append(self._client)
        self._client = None
        self._making = _new_lock()


def _new_lock() -> threading.Lock:
    return threading.Lock()


def _after_fork() -> None:
    for client in list(_all):
        client._forget_parent()  # noqa: SLF001


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
