"""Connections that are ended under whoever waits on them."""

from __future__ import annotations

import contextlib
import os
import socket


def hang_up(descriptor: int) -> None:
    """Ends the connection of a socket; whoever waits on it sees that its peer is gone."""
    with (
        contextlib.suppress(OSError),
        socket.socket(fileno=os.dup(descriptor)) as hung,
    ):
        hung.shutdown(socket.SHUT_RDWR)
