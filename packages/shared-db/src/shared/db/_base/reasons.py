"""Why a server cannot be reached: one line, without what drivers wrap around it."""

from __future__ import annotations

import os
import socket
import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LIMIT = 500  # characters


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that it stands for, the outermost first."""
    seen: list[BaseException] = []
    pending = [error]
    while pending:
        inner = pending.pop(0)
        if inner in seen:
            continue
        seen.append(inner)
        yield inner
        # urllib3 keeps its cause in `reason`, qdrant-client in `source`.
        linked = [getattr(inner, name, None) for name in ("reason", "source")]
        linked += [inner.__cause__, inner.__context__]
        pending += [one for one in linked if isinstance(one, BaseException)]


def reason(error: BaseException) -> str:
    """Return the innermost reason in one line, without secrets.

    Example:
        >>> reason(ConnectionRefusedError(111, "Connect call failed ('127.0.0.1', 1)"))
        'Connection refused'
    """
    from shared.core.redaction import one_line

    errors = list(chain(error))
    for inner in errors:
        if isinstance(inner, ssl.SSLCertVerificationError):
            return f"the certificate was refused: {inner.verify_message}"
    for inner in errors:
        if isinstance(inner, socket.gaierror):
            return str(inner.strerror)
        if isinstance(inner, OSError) and isinstance(inner.errno, int) and inner.errno > 0:
            return os.strerror(inner.errno)
    texts = [one_line(str(inner), _LIMIT) for inner in errors]
    return next((text for text in reversed(texts) if text), type(error).__name__)


def is_lasting(error: BaseException) -> bool:
    """Report whether trying again does not help: the certificate was refused."""
    return any(isinstance(inner, ssl.SSLCertVerificationError) for inner in chain(error))


def described(error: BaseException) -> str:
    """Return an error's kind and text for a report, without secrets."""
    from shared.core.redaction import scrub

    return scrub(f"{type(error).__name__}: {error}")
