"""Connections that are ended while a call waits on them."""

from __future__ import annotations

import contextlib
import os
import socket


def hang_up(descriptor: int) -> None:
    """End the connection of a socket; a call that waits on it sees that its peer is gone."""
    with (
        contextlib.suppress(OSError),
        socket.socket(fileno=os.dup(descriptor)) as hung,
    ):
        hung.shutdown(socket.SHUT_RDWR)
