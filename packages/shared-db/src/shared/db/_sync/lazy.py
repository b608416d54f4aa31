# Generated from _async/lazy.py by generate_sync.py: change that file, not this one.
# fmt: off
"""A client that is made when first used, and not used in a forked child."""

from __future__ import annotations

import threading
from typing import Any

from shared.core import forks

from .runtime import Home


class Lazy:
    """The base of the clients that are made when first used."""

    name: str
    store: str

    def __init__(self) -> None:
        self._client: Any = None
        self._making = threading.Lock()
        self._closed = False
        self._calls = 0
        self._home = Home()
        self.observers: list[Any] = []
        forks.renew(self)

    def come_home(self) -> None:
        """Start again in another event loop: connections of a closed one are of no use."""
        if self._home.moved():
            self.renew_after_fork()

    def renew_after_fork(self) -> None:
        """Start again in a forked child: the sockets belong to the parent."""
        client, self._client = self._client, None
        self._making = threading.Lock()
        self._calls = 0
        forks.keep(client)
