"""Times that may be unlimited, for functions of `threading` that know no infinity."""

from __future__ import annotations

import threading


def limit(seconds: float) -> float | None:
    """Return a timeout that `threading` accepts: None for no limit, never negative."""
    return None if seconds > threading.TIMEOUT_MAX else max(0.0, seconds)
