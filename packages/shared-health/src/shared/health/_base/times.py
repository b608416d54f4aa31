"""Times that may be unlimited, for functions of `threading` that know no infinity."""

from __future__ import annotations

import threading

from shared.core import checks


def limit(seconds: float | None) -> float | None:
    """Return a timeout that `threading` accepts: None for no limit, never negative."""
    if seconds is None or seconds > threading.TIMEOUT_MAX:
        return None
    return max(0.0, seconds)


def bounded(timeout: float) -> float:
    """Return the timeout of a client in seconds, a day at most: sockets refuse greater ones."""
    return min(checks.seconds("timeout", timeout, above=0), 86400.0)
