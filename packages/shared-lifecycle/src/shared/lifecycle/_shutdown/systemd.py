"""The readiness protocol of systemd: datagrams to the socket that it names.

https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
"""

from __future__ import annotations

import os

from shared.core import checks


def sd_notify(*lines: str) -> bool:
    """Report the service's state to systemd, if `NOTIFY_SOCKET` is set.

    Args:
        lines: Assignments such as `READY=1` or `STATUS=loading`.

    Returns:
        Whether it was sent; False if nothing listens.

    Raises:
        ValueError: A line is not an assignment.

    Example:
        >>> sd_notify("STATUS=loading the model")
        False
    """
    for line in lines:
        if "=" not in line or "\n" in line:
            raise checks.refuse("a line", "NAME=value", line)
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address or address[0] not in "/@":
        return False
    import socket

    if address[0] == "@":
        address = f"\0{address[1:]}"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.sendto("\n".join(lines).encode(), address)
    except OSError:
        return False  # systemd gone or its queue full: not a reason to fail the service
    return True


def watchdog_interval() -> float | None:
    """Return how often systemd expects `WATCHDOG=1`, in seconds; None if it does not.

    Half of what it allows, a day at most, as sd_watchdog_enabled(3) recommends.
    """
    pid = os.environ.get("WATCHDOG_PID")
    if pid is not None and pid != str(os.getpid()):
        return None
    try:
        allowed = int(os.environ.get("WATCHDOG_USEC", "0")) / 1e6
    except ValueError:
        return None
    return min(allowed / 2, 86400.0) if allowed > 0 and os.environ.get("NOTIFY_SOCKET") else None
