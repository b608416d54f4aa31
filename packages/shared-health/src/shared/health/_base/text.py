"""How errors and times are shown."""

from __future__ import annotations

import time

from shared.core.redaction import one_line


def describe(error: BaseException) -> str:
    """Return the error's class and text in one short line without secrets.

    Example:
        >>> describe(ConnectionRefusedError(111, "refused"))
        'ConnectionRefusedError: [Errno 111] refused'
    """
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - a broken __str__ must not hide the failure itself
        text = ""
    name = type(error).__name__
    return one_line(f"{name}: {text}" if text else name)


def utc(when: float) -> str:
    """Return a wall-clock time as RFC 3339 in UTC.

    Example:
        >>> utc(0.25)
        '1970-01-01T00:00:00.250Z'
    """
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(when))
    return f"{whole}.{int(when % 1 * 1000):03d}Z"
